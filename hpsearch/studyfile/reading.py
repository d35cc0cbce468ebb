"""Reading a study file: every problem found, each with its key, the rule and the nearest name."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from hpsearch.datasets.fewer_rows import rows_problems
from hpsearch.datasets.opened import forget_opened
from hpsearch.datasets.selection import Selection, open_pool
from hpsearch.errors import Problem, StudyFileError, closest
from hpsearch.execution.executors import available_cores
from hpsearch.hyperparameters import build
from hpsearch.nn import NETWORKS
from hpsearch.own_code import NamedModule, file_digests, look_first_in, named_modules
from hpsearch.studyfile.arms import SHOTS, Arm, make_arms
from hpsearch.studyfile.entries import trainers_of
from hpsearch.studyfile.estimator_fits import estimator_problems
from hpsearch.studyfile.own_modules import own_modules
from hpsearch.studyfile.relation_reading import misplaced, unkept_problems
from hpsearch.studyfile.schema_problems import translate
from hpsearch.studyfile.scored_rows import scored_rows_problems
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.study_file import TABLES, StudyFile, keyed
from hpsearch.studyfile.tables.base import Facts
from hpsearch.studyfile.tables.compare import compare_problems, shots_of
from hpsearch.studyfile.tables.data import Data, data_missing, open_own, task_problems
from hpsearch.studyfile.tables.data_weights import weight_problems
from hpsearch.studyfile.tables.objectives import follow_objectives, metric_problems
from hpsearch.studyfile.tables.program import ProgramTable
from hpsearch.studyfile.tables.program_problems import program_problems
from hpsearch.studyfile.tables.protocol import follow_protocol
from hpsearch.studyfile.tables.space import read_space
from hpsearch.studyfile.tables.start.enqueue import enqueue_problems
from hpsearch.trainers import Program, Task, forget_changed_code

FOLD_SEEDS = 0x0F01D  # keeps the seeds of outer folds apart from all else


@dataclass(frozen=True)
class ReadStudy:
    """A study file, read and found valid.

    Attributes:
        path: where it lies; user modules are looked for beside it.
        text: as written.
        file: as understood, overrides included.
        space: its search space.
        arms: its searches: of what it compares, each with its part of the space and its data, or
            of outer folds and all rows; one, if nothing.
        code: the digest of each file of a user's own that it names or that these import; {} where
            all is installed.
        modules: those that it names, with their part of `code`.
    """

    path: Path
    text: str
    file: StudyFile
    space: Space

    def arm_of(self, trial: int) -> Arm:
        """The arm that the trial of this number belongs to."""
        return next(arm for arm in self.arms if arm.holds(trial))

    def of_arm(self, arm: Arm) -> ReadStudy:
        """The study as the search of one of its arms follows it.

        An outer fold's has a seed of its own: with the same draws in all folds these would agree
        more, and differ less, than searches do.
        """
        if arm.fold is None:
            return self
        stream = np.random.SeedSequence((self.file.seed, FOLD_SEEDS, arm.fold))
        seed = int(stream.generate_state(1, np.uint64)[0] >> 1)  # below 2**63, as a file's
        return replace(self, file=self.file.model_copy(update={"seed": seed}))

    @property
    def folder(self) -> Path:
        """Where its paths and modules start."""
        return self.path.resolve().parent

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        return _arms(self.file, self.space, self.selection)

    @cached_property
    def code(self) -> dict[str, str]:
        found = file_digests(own_modules(self.file))
        for table in self.file.all_programs.values():
            found |= table.files(self.folder)
        return found

    @cached_property
    def modules(self) -> tuple[NamedModule, ...]:
        return named_modules(own_modules(self.file), self.code)

    @cached_property
    def programs(self) -> dict[str, Program]:
        """What is run of each program, by trainer."""
        metrics = self.file.metrics
        # By what the file says, not by --workers: threads have a part in the last digits.
        cores = available_cores()
        threads = max(1, cores // (self.file.execution.workers or cores))
        tables = self.file.all_programs
        return {key: t.program(self.folder, metrics, threads) for key, t in tables.items()}

    @property
    def selection(self) -> Selection:
        """The data, with absolute paths."""
        selection = self.file.selection(self.folder)
        return replace(selection, train_scored=self.file.evaluation.train_images)


def _arms(file: StudyFile, space: Space, selection: Selection) -> tuple[Arm, ...]:
    return make_arms(file.compare, space, selection, shots_of(file.space), file.outer)


def read_data(path: Path) -> Data:
    """The [data] of a study file alone; its paths start where the file lies.

    Raises:
        StudyFileError: it can't be read, or its [data] is wrong.
    """
    return data_of(_parsed(_text(path), path), path)


def data_of(content: dict[str, Any], path: Path, overrides: Sequence[str] = ()) -> Data:
    """The [data] of what a study file holds.

    Args:
        overrides: as for `read_study`; they change `content`.

    Raises:
        StudyFileError: it is wrong.
    """
    for override in overrides:
        _override(content, override)
    try:
        return Data.model_validate(content.get("data", {}))
    except ValidationError as error:
        details = error.errors(include_url=False)
        inside = [translate({**detail, "loc": ("data", *detail["loc"])}) for detail in details]
        raise StudyFileError.listing(path, inside) from error


def read_study(path: Path, overrides: Sequence[str] = ()) -> ReadStudy:
    """Read and validate a study file in full.

    Args:
        path: a TOML file.
        overrides: "key.path=value", the value as in TOML; a text needs no quotes.

    Raises:
        StudyFileError: with one line for every problem.
    """
    return read_text(_text(path), path, overrides)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        near = _nearest_file(path) if isinstance(error, FileNotFoundError) else ""
        hint = f"; did you mean {near}?" if near else ""
        text = f"{path} must be a readable study file, got: {reason}{hint}"
        raise StudyFileError(text) from error


def _nearest_file(path: Path) -> str:
    """The study file that a wrong path is likely to mean: there, or of that name in studies/."""
    places = [path.parent, path.parent / "studies"]
    files = [file for place in places for file in sorted(place.glob("*.toml"))]
    by_name = {file.name: file for file in reversed(files)}  # of two alike the one that is there
    near = closest(path.name, by_name)
    return str(by_name[near]) if near else ""


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # wrong TOML, a number of 5000 digits, …
        raise StudyFileError(f"{path} must be valid TOML, got: {error}") from error


def read_text(text: str, path: Path, overrides: Sequence[str] = ()) -> ReadStudy:
    """As `read_study`, of a text that would be the content of `path`; no file need be there.

    Raises:
        StudyFileError: with one line for every problem.
    """
    said = _parsed(text, path)
    for override in overrides:
        _override(said, override)
    look_first_in(str(path.resolve().parent))
    # A file that was changed since the last study of this process is read again.
    forget_opened()
    forget_changed_code()
    problems, file, space = _validate(said, path.resolve().parent)
    if problems or file is None or space is None:
        raise StudyFileError.listing(path, problems)
    return ReadStudy(path, text, file, space)


def refuse_unfit(read: ReadStudy) -> None:
    """Open the data, and see that it is enough and that networks and estimators take it.

    Raises:
        DataError: it is missing, or too small for the shots and splits.
        StudyFileError: the network can't be made for these inputs, or an estimator not be fitted.
    """
    problems: list[Problem] = []
    for arm in read.arms:
        pool = open_pool(arm.selection)
        problems += scored_rows_problems(read.file, arm.selection, pool)
        for place, stage in enumerate(read.file.stages):
            if stage.rows is not None:
                key = f"stages.{place}.rows"
                problems += rows_problems(key, stage.rows, arm.selection, pool)
    balanced = read.selection.balanced
    problems = [*dict.fromkeys(problems), *estimator_problems(read.space, pool, balanced=balanced)]
    if problems:
        raise StudyFileError.listing(read.path, problems)
    examples = pool.examples
    fixed = read.space.fixed
    if "network" not in fixed or not any(
        kind.trainer.uses_network for kind in trainers_of(read.file.space).values()
    ):
        return
    try:
        described = build(NETWORKS[str(fixed["network"])], fixed)
        if not examples.columns:  # of a table that is prepared nobody knows yet how wide it is
            described.build(examples.inputs.shape[1], examples.n_classes, 0, np.float32)
    except ValueError as error:
        raise StudyFileError(f"network.name: {error}; take another network or data set") from error


def _override(said: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise StudyFileError(
            f"--set must be key=value, got {override!r}; e.g. --set stages.0.trials=8"
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text
    place: Any = said
    *path, last = (part.strip() for part in key.split("."))
    for part in path:
        place = (
            place.setdefault(part, {}) if isinstance(place, dict) else _item(place, part, override)
        )
    if isinstance(place, dict):
        place[last] = value
    else:
        _item(place, last, override)
        place[int(last)] = value


def _item(place: Any, part: str, override: str) -> Any:
    if isinstance(place, list) and part.isdigit() and int(part) < len(place):
        return place[int(part)]
    has = f"numbers 0 to {len(place) - 1}" if isinstance(place, list) else "no keys below it"
    raise StudyFileError(f"--set {override}: {part!r} must exist, got a value with {has}")


def _validate(
    said: dict[str, Any], folder: Path
) -> tuple[list[Problem], StudyFile | None, Space | None]:
    """Every check whose tables are well-formed is made, so that all problems show at once."""
    problems = [*follow_objectives(said), *follow_protocol(said)]
    file, found, malformed = _well_formed(said)
    if elsewhere := [*misplaced(said)]:
        return elsewhere, None, None
    problems += found
    for name in TABLES:
        problems += [] if name in malformed else _own_problems(name, said)
    task, of_files = _task(said, folder, malformed)
    space, found = _space_problems(said, malformed, task)
    problems += found
    if not {"program", "programs"} & {*malformed}:
        tables = _programs(said)
        problems += program_problems(tables, said, space)
    problems += data_missing(said)
    problems += [*of_files, *_data_problems(said, task)]
    if file is not None:
        facts = file.facts(folder)
        for table in file.tables():
            problems += table.problems(facts)
        problems += _problems_of_arms(file, space, facts, problems)
        if file.stops_early and file.outcomes.ended_early == "fail":
            rule = 'must be "keep" where space.early_stopping_rounds ends the growth of trees'
            problems.append(Problem("outcomes.ended_early", rule, '"fail"'))
    return list(dict.fromkeys(problems)), file, space


def _well_formed(said: dict[str, Any]) -> tuple[StudyFile | None, list[Problem], set[str]]:
    """The file; or what is no valid value, and the keys of the file that it is in."""
    try:
        return StudyFile.model_validate(said), [], set()
    except ValidationError as error:
        details = error.errors(include_url=False)
    malformed = {str(detail["loc"][0]) for detail in details}
    if "objectives" in said:  # the first of them is validated twice
        details = [d for d in details if d["loc"][0] != "objective"] or details
    return None, [*map(translate, details)], malformed


def _own_problems(name: str, said: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the tables under a key of the file, which are well-formed."""
    if name == "objective" and said.get("objectives"):
        return  # it is the first of these
    rows = keyed(name, said.get(name))
    tables = {key: TABLES[name].model_validate(row) for key, row in rows.items()}
    if tables:
        yield from TABLES[name].own_problems(tables)


def _programs(said: Mapping[str, Any]) -> dict[str, ProgramTable]:
    """The programs of a file, whose tables are well-formed."""
    rows = {**keyed("program", said.get("program")), **keyed("programs", said.get("programs", {}))}
    return {key: ProgramTable.model_validate(row) for key, row in rows.items()}


def _space_problems(
    said: Mapping[str, Any], malformed: Collection[str], task: Task | None
) -> tuple[Space | None, list[Problem]]:
    """The space, and what is wrong with [space], [network] and what is compared of them."""
    if {"space", "network", "prepare", "relations"} & {*malformed}:
        return None, []
    entries = {k: v for k, v in said["space"].items() if k != SHOTS}
    known = "data" in said and "data" not in malformed
    data = Data.model_validate(said["data"]) if known else None
    prepared = data.prepared if data is not None else "data" in malformed  # which is said
    space, problems = read_space(
        said.get("network", {}),
        entries,
        said.get("prepare", {}),
        relations=said.get("relations", ()),
        prepared=prepared,
        task=task,
    )
    if space is not None and not {"compare", "data"} & {*malformed}:
        problems += compare_problems(said.get("compare", []), said["space"], space, data)
    return space, problems


def _task(
    said: Mapping[str, Any], folder: Path, malformed: Collection[str]
) -> tuple[Task | None, list[Problem]]:
    """What is predicted, None where nobody knows, and what is wrong with the data's files."""
    if "data" not in said or {"data", "seed"} & {*malformed}:
        return None, []
    data = Data.model_validate(said["data"])
    if [*Data.own_problems({"data": data})]:
        return None, []
    task, problems = open_own(data, data.selection(said.get("seed", 0), folder))
    return None if problems else task, problems


def _data_problems(said: Mapping[str, Any], task: Task | None) -> list[Problem]:
    """What is wrong with trainers for the data, and with the metrics of these."""
    trainers = trainers_of(said["space"]) if isinstance(said.get("space"), dict) else {}
    problems: list[Problem] = []
    if task is not None:
        data = Data.model_validate(said["data"])
        problems += weight_problems(data.weight, data.class_weight, trainers)
        of_the_task = [*task_problems(data, task, trainers)]
        if of_the_task:  # what a trainer of the other task reports says nothing of the metric
            return of_the_task
    kinds = {name: kind.of_task(task) for name, kind in trainers.items()}
    return [*problems, *metric_problems(said, kinds)]


def _problems_of_arms(
    file: StudyFile, space: Space | None, facts: Facts, known: Sequence[Problem]
) -> list[Problem]:
    """What can't be had in the arms of the study, if there is nothing wrong with them.

    Args:
        known: what was found so far.
    """
    of_arms = ("compare", "space", "data", "relations")
    if space is None or any(problem.key.split(".")[0] in of_arms for problem in known):
        return []
    selection = file.selection(facts.folder)
    arms = _arms(file, space, selection)
    problems = [*unkept_problems(arms)] or [*enqueue_problems(facts, space, arms)]
    if not known and not problems:
        for table in file.tables():
            problems += table.problems_of_arms(facts, arms)
    return problems
