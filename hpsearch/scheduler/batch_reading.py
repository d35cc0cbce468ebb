"""Reading a batch file: every problem of it and of its studies, before anything runs."""

from __future__ import annotations

import itertools
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hpsearch.errors import Problem, StudyFileError
from hpsearch.scheduler.batch_file import BatchFile, Entry
from hpsearch.study_names import part_of_name
from hpsearch.studyfile.reading import read_study
from hpsearch.studyfile.schema_problems import translate
from hpsearch.studyfile.toml import toml_value

LARGEST = 10_000  # studies of a batch; more is a slip of the keyboard


@dataclass(frozen=True)
class BatchStudy:
    """One study of a batch, all variants spelled out.

    Attributes:
        name: unique in the batch.
        overrides: as for --set, the name among them.
        entry: the number of its [[studies]] table.
    """

    name: str
    path: Path
    overrides: tuple[str, ...]
    priority: int = 0
    entry: int = 0


@dataclass(frozen=True)
class ReadBatch:
    """A batch file, read and found valid.

    Attributes:
        file: as understood.
        studies: in the order in which they run.
    """

    path: Path
    file: BatchFile
    studies: tuple[BatchStudy, ...]


def read_batch(path: Path) -> ReadBatch:
    """Read and validate a batch file and every study of it; a study file is a batch of one.

    Raises:
        StudyFileError: with one line for every problem.
    """
    said = load_file(path)
    if "studies" not in said and not {"batch", "budget", "order"} & said.keys():
        file = read_study(path).file
        one = BatchFile(
            name=file.name,
            studies=[Entry(file=path.name)],
            schedule=file.schedule,
            retention=file.retention,
        )
        return ReadBatch(path, one, (BatchStudy(file.name, path, ()),))
    try:
        batch = BatchFile.model_validate(said)
    except ValidationError as error:
        details = error.errors(include_url=False)
        malformed = dict.fromkeys(translate(detail, BatchFile) for detail in details)
        raise StudyFileError.listing(path, [*malformed]) from None
    problems: list[Problem] = []
    found: list[BatchStudy] = []
    for number, entry in enumerate(batch.studies):
        studies, wrong = _read_entry(number, entry, path.parent)
        found += studies
        problems += wrong
    problems += _name_problems(found)
    if len(found) > LARGEST:
        problems.append(Problem("studies", f"must be at most {LARGEST}", str(len(found))))
    if problems:
        raise StudyFileError.listing(path, [*dict.fromkeys(problems)])
    return ReadBatch(path, batch, tuple(_ordered(batch, found)))


def irregular(path: Path) -> str:
    """What a path is that is no file, as reading it could wait for ever; "" for files and none."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    kinds = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}
    return "" if stat.S_ISREG(mode) else kinds.get(stat.S_IFMT(mode), "a device")


def load_file(path: Path) -> dict[str, Any]:
    """A batch or study file as TOML, not yet checked.

    Raises:
        StudyFileError: it can't be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StudyFileError(
            f"{path} must be a readable batch or study file, got: {reason}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise StudyFileError(f"{path} must be valid TOML, got: {error}") from error


def _read_entry(number: int, entry: Entry, folder: Path) -> tuple[list[BatchStudy], list[Problem]]:
    """The studies of one [[studies]] table, and what is wrong with them."""
    key, path = f"studies.{number}", folder / entry.file
    axes = list(_axes(entry.matrix, f"{key}.matrix"))
    wrong = [axis for axis in axes if isinstance(axis, Problem)]
    if kind := irregular(path):
        wrong.append(Problem(f"{key}.file", "must be a file", f"{kind}, {entry.file}"))
    if wrong:
        return [], wrong
    lists = [axis for axis in axes if not isinstance(axis, Problem)]
    studies: list[BatchStudy] = []
    problems: list[Problem] = []
    for cell in itertools.product(
        *([(name, i, v) for i, v in enumerate(vs)] for name, vs in lists)
    ):
        values = [f"{name}={toml_value(value)}" for name, _, value in cell]
        named = [f"name={toml_value(entry.name)}"] if entry.name else []
        overrides = [*entry.set, *named, *values]
        try:
            name = read_study(path, overrides).file.name
            if cell and not any(part == "name" for part, _, _ in cell):
                name = "-".join([name, *(_word(*part) for part in cell)])
                overrides.append(f"name={toml_value(name)}")
                read_study(path, overrides)
        except StudyFileError as error:
            problems += _problems_of(f"{key}: {entry.file}", error)
            continue
        studies.append(BatchStudy(name, path, tuple(overrides), entry.priority, number))
    return studies, problems


def _problems_of(where: str, error: StudyFileError) -> Iterator[Problem]:
    """What is wrong with a study of the batch, with where it stands."""
    if not error.problems:
        yield Problem(where, str(error))
    for problem in error.problems:
        yield replace(problem, key=f"{where}: {problem.key}" if problem.key else where)


def _axes(matrix: Mapping[str, Any], key: str) -> Iterator[tuple[str, list[Any]] | Problem]:
    """(key of the study, its values); tables on the way are parts of the key."""
    for name, value in matrix.items():
        if isinstance(value, dict):
            for axis in _axes(value, f"{key}.{name}"):
                yield axis if isinstance(axis, Problem) else (f"{name}.{axis[0]}", axis[1])
        elif isinstance(value, list) and value:
            yield name, value
        else:
            yield Problem(f"{key}.{name}", "must be a list of values", repr(value))


def _word(key: str, number: int, value: Any) -> str:
    """What a value adds to a variant's name: mnist, shots5, split0."""
    last = key.rsplit(".", 1)[-1]
    if isinstance(value, list | dict):
        return f"{last}{number}"
    text = Path(value).stem if isinstance(value, str) else f"{last}{toml_value(value)}"
    return part_of_name(text)


def _name_problems(studies: Sequence[BatchStudy]) -> Iterator[Problem]:
    known: dict[str, BatchStudy] = {}
    for study in studies:
        first = known.setdefault(study.name, study)
        if first is not study:
            where = f"that of studies.{first.entry}"
            yield Problem(
                f"studies.{study.entry}.name",
                "must be unique",
                f"{study.name!r}, {where} too",
            )


def _ordered(batch: BatchFile, studies: list[BatchStudy]) -> list[BatchStudy]:
    """By priority, then as the file says."""
    turns = [0] * len(batch.studies)
    places = []
    for study in studies:
        places.append(turns[study.entry] if batch.order == "interleaved" else 0)
        turns[study.entry] += 1
    order = sorted(range(len(studies)), key=lambda i: (-studies[i].priority, places[i], i))
    return [studies[i] for i in order]
