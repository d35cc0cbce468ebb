"""How a study file differs from that of the start before, and whether the run goes on with it."""

from __future__ import annotations

import difflib
import json
import time
from collections.abc import Mapping
from typing import Any

from hpsearch.errors import Problem, StudyChangedError
from hpsearch.records.layout import Artifact
from hpsearch.records.result import read_result
from hpsearch.records.retests import is_tested
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.sealed import digest_of
from hpsearch.records.study_json import Chapter, chapter_of, read_study_json
from hpsearch.study.chapters.earlier import EarlierTrials
from hpsearch.study.chapters.extension import Extension, extension
from hpsearch.study.chapters.rescoring import unscored
from hpsearch.study.stored_space import kept_space, with_kinds
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.stored import stored_file
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.program import Words
from hpsearch.studyfile.toml import toml_value


def extends(study: ReadStudy, folder: RunFolder, name: str) -> bool:
    """Whether the file asks for more than the finished run has.

    Args:
        name: of the run, as for all functions here.

    Raises:
        StudyChangedError: the run is not finished, or the file changes what an extension keeps.
    """
    before, now = _both(study, folder, name)
    changed = extension(before, now)
    if not changed.asks and not changed.problems:
        return False
    if read_result(folder, *before.scope) is None:
        if not _refused(before, now, folder):
            return False  # it goes on in its chapter, as without --extend
        raise StudyChangedError(
            f"study {study.file.name!r} must be finished before it is extended: run it to its end "
            "with the file that it was started with, which is kept as "
            f"{folder.files.artifact(Artifact.STUDY_TOML)}"
        )
    problems = [*changed.problems] or _idle(study, folder, changed, now)
    if not problems and changed.rescores:
        problems = [*unscored(folder, now)]
    if problems:
        lines = "".join(f"  {problem.statement}\n" for problem in problems)
        raise StudyChangedError(
            f"study {study.file.name!r} can't be extended with this file:\n{lines}"
            f"Correct the file, or {_elsewhere(study)}"
        )
    return True


def _idle(
    study: ReadStudy, folder: RunFolder, changed: Extension, now: StudyFile
) -> list[Problem]:
    """That nothing would be drawn from a range that is wider: all trials are there."""
    if not changed.wider:
        return []
    chapter = next_chapter(chapter_of(read_study_json(folder.files)), study, folder)
    earlier = EarlierTrials.of(now, folder, chapter, [*folder.read_all("trial")])
    stages = range(len(now.stages))
    fresh = sum(earlier.n_open(n) - earlier.n_promoted(n) for n in stages)
    if fresh:
        return []
    first = now.stages[0].trials
    rule = (
        f"must be above {first} to draw from what is wider now, {' and '.join(changed.wider)}: "
        "the run has all trials that the file asks for"
    )
    return [Problem("stages.0.trials", rule, str(first))]


def next_chapter(chapter: Chapter, study: ReadStudy, folder: RunFolder) -> Chapter:
    """The chapter after this one, whose trials are numbered on."""
    first = max((record.number for record in folder.read_all("trial")), default=-1) + 1
    return Chapter(chapter.number + 1, first, time.time(), digest_of(study.text.encode()))


def _both(study: ReadStudy, folder: RunFolder, name: str) -> tuple[StudyFile, StudyFile]:
    """The file of the start before and that of this one, in the same words."""
    stored = stored_file(read_study_json(folder.files)["file"], name)
    before, now = with_kinds(stored, kept_space(folder)), with_kinds(study.file, study.space)
    now = with_rule(now, before)
    return before, now if is_tested(folder) else _with_tests(now, tests_of(before))


def _refused(before: StudyFile, now: StudyFile, folder: RunFolder) -> bool:
    """Whether a start without --extend refuses the file."""
    same = before.must_stay() == now.must_stay()
    return not same or any(now.changes_refused(before, _closed(before, folder)))


def _elsewhere(study: ReadStudy) -> str:
    name = toml_value(f"{study.file.name}-2")
    return (
        f"make it another study (name = {name}), or start a new run with --fresh; nothing is "
        "deleted"
    )


def refuse_changed(study: ReadStudy, folder: RunFolder, name: str) -> None:
    """Refuse what earlier trials would not fit.

    Raises:
        StudyChangedError: the file differs from that of the start before in more than may change.
    """
    before, now = _both(study, folder, name)
    same = before.must_stay() == now.must_stay()
    problems = [*now.changes_refused(before, _closed(before, folder))] if same else []
    if same and not problems:
        return
    diff = "\n".join(
        line
        for line in difflib.unified_diff(
            _lines(before), _lines(now), "before", "now", n=1, lineterm=""
        )
        if not line.startswith("@@")
    )
    why = "".join(f"{problem.statement}\n" for problem in problems)
    raise StudyChangedError(
        f"study {study.file.name!r} already has trials, and the file differs from the one they "
        f"were run with:\n{diff}\n{why}You can continue with more trials in the last stage, a "
        "larger [budget], or other [limits], [outcomes] and [execution]; for anything else:\n  "
        f"{_way_on(before, now, folder)}"
        "--fresh             start a new run of the study; nothing is deleted\n  "
        f"name = {toml_value(f'{study.file.name}-2')}   make it another study"
    )


def _way_on(before: StudyFile, now: StudyFile, folder: RunFolder) -> str:
    """The option that goes on with a changed file, where there is one."""
    changed = extension(before, now)
    finished = read_result(folder, *before.scope) is not None
    if not finished or changed.problems or not changed.asks:
        return ""
    return "--extend            go on with the finished run as its next chapter\n  "


def with_rule(file: StudyFile, before: StudyFile) -> StudyFile:
    """The file with the rule for repeats that its run began with, unless it names one itself."""
    if "repeats" in file.sampler.model_fields_set:
        return file
    sampler = file.sampler.model_copy(update={"repeats": before.sampler.repeats})
    return file.model_copy(update={"sampler": sampler})


def tests_of(file: StudyFile) -> dict[str, Words | str]:
    """The test commands, by program."""
    tables = file.all_programs.items()
    return {name: table.test for name, table in tables if table.test is not None}


def tests_before(folder: RunFolder, name: str) -> dict[str, Words | str]:
    return tests_of(stored_file(read_study_json(folder.files)["file"], name))


def _with_tests(file: StudyFile, before: Mapping[str, Words | str]) -> StudyFile:
    """The file with the test commands that it had before, which may be corrected until one has
    given a score."""
    tables = {
        name: table.model_copy(update={"test": before[name]})
        for name, table in file.all_programs.items()
        if name in before and table.test is not None
    }
    several = {key: tables.get(f"programs.{key}", table) for key, table in file.programs.items()}
    one = tables.get("program", file.program)
    return file.model_copy(update={"program": one, "programs": several})


def _closed(file: StudyFile, folder: RunFolder) -> list[int]:
    """The stages before the last one that are over, in one of the arms at least."""
    numbers = range(len(file.stages) - 1)
    return [n for n in numbers if folder.files.decisions(n)]


def _lines(file: StudyFile) -> list[str]:
    flat: list[str] = []

    def walk(value: Any, key: str) -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                walk(item, f"{key}.{name}" if key else str(name))
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for number, item in enumerate(value):
                walk(item, f"{key}.{number}")
        else:
            flat.append(f"{key} = {json.dumps(value)}")

    walk(file.model_dump(mode="json"), "")
    return flat
