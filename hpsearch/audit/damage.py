"""Files of a run that are not what was written, and what can be made of them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hpsearch.audit.difference import Difference
from hpsearch.errors import DamagedError, FormatError
from hpsearch.records.layout import Artifact, RecordFiles
from hpsearch.records.refit_answers import FILE as ANSWERS
from hpsearch.records.refit_answers import RefitAnswers
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.sealed import read_sealed
from hpsearch.records.trial_record import read_record

BY_HAND = "restore it from an export or a backup, or start again with --fresh"


@dataclass(frozen=True)
class Damage:
    """One of them.

    Attributes:
        difference: as it is told.
        repair: called, takes it out of the way; nothing is deleted that can't be made again.
        blocks: nothing can be compared with the records while it is there.
    """

    difference: Difference
    repair: Callable[[], object] = lambda: None
    blocks: bool = True


def damages(folder: RunFolder, name: str) -> Iterator[Damage]:
    """What is wrong with the files of a run.

    Args:
        name: the run, as people see it.
    """
    yield from _files(folder, name)
    for place in folder.files.records():
        try:
            problem = _problem(folder, place)
        except FormatError as error:
            yield _newer(_subject(folder, name, place.path), error)
            continue
        if problem:
            told = _of_record(folder, place, name, problem)
            yield Damage(told, partial(_set_aside, folder, place))
    for path in folder.files.leftovers():
        told = Difference(
            "records",
            f"{name} {path.relative_to(folder.path)}",
            "must not exist: a kill left it half written",
            "it is deleted",
        )
        yield Damage(told, path.unlink, blocks=False)


def _files(folder: RunFolder, name: str) -> Iterator[Damage]:
    """The damaged ones beside the records."""
    files = folder.files
    again = "it is deleted; the next start of the study writes it again"
    made_again = (
        files.space,
        files.parent,
        files.mlflow,
        files.projected,
        files.failed,
        files.code_checks,
        files.library_warnings,
    )
    derived = (*made_again, files.artifact(Artifact.RESULT))
    kept = [*files.all_decisions(), *files.clocks(), files.artifact(Artifact.LEARNED)]
    kept.append(files.rescored)
    for chapter in files.chapters:
        kept += [*chapter.all_decisions(), *chapter.clocks(), chapter.study_json, chapter.space]
        kept.append(chapter.rescored)
        kept.append(chapter.artifact(Artifact.RESULT))
    for path in (*derived, *kept):
        subject = _subject(folder, name, path)
        try:
            read_sealed(path)
        except FormatError as error:
            yield _newer(subject, error)
        except DamagedError as error:
            if path in derived:
                yield Damage(Difference("records", subject, str(error), again), path.unlink)
            else:
                told = Difference("records", subject, str(error), BY_HAND, repairable=False)
                yield Damage(told)


def _newer(subject: str, error: FormatError) -> Damage:
    """No damage to mend: another version's file."""
    remedy = "install the version that wrote it"
    return Damage(Difference("records", subject, str(error), remedy, repairable=False))


def _problem(folder: RunFolder, place: RecordFiles) -> str:
    """What is wrong with a record or the files it names."""
    try:
        record = read_record(place.json)
        if record is None:
            return ""
        folder.states(record)
        RefitAnswers.read(place.file(ANSWERS))
    except DamagedError as error:
        return str(error)
    gone = [file for file in record.files if not place.file(file).exists()]
    return f"{', '.join(gone)} must exist, is missing" if gone else ""


def _of_record(folder: RunFolder, place: RecordFiles, name: str, problem: str) -> Difference:
    aside = folder.files.aside(place).relative_to(folder.path)
    remedy = (
        f"its folder is moved to {aside}; a copy in MLflow replaces it, or the next start trains "
        "it again with the same result"
    )
    return Difference(
        "records", _subject(folder, name, place.path), problem, remedy, kind="a record is damaged"
    )


def _set_aside(folder: RunFolder, place: RecordFiles) -> None:
    target = folder.files.aside(place)
    target.parent.mkdir(exist_ok=True)
    n = sum(1 for _ in target.parent.glob(f"{target.name}*"))
    place.path.rename(target.with_name(f"{target.name}.{n}") if n else target)


def _subject(folder: RunFolder, name: str, path: Path) -> str:
    return f"{name} {path.relative_to(folder.path)}"
