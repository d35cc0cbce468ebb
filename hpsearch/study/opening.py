"""Opening a run of a study: a new one, or the one to continue."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from filelock import FileLock

from hpsearch.datasets.table import NUMBERS
from hpsearch.errors import DamagedError, StudyChangedError, StudyFileError
from hpsearch.own_code import differing, digest
from hpsearch.records.layout import Artifact, Home
from hpsearch.records.retests import run_failed_again
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.run_lock import lock_study, unlock_study
from hpsearch.records.sealed import seal
from hpsearch.records.study_json import (
    FIRST,
    Chapter,
    chapter_of,
    code_of_starts,
    read_study_json,
)
from hpsearch.records.whole_files import json_bytes, storage_errors, write_changed
from hpsearch.study.chapters.changes import (
    extends,
    next_chapter,
    refuse_changed,
    tests_before,
    tests_of,
    with_rule,
)
from hpsearch.study.chapters.filing import put_aside, put_back
from hpsearch.study.chapters.rescoring import rescored
from hpsearch.study.stored_space import keep_arms
from hpsearch.studyfile.reading import ReadStudy, read_text
from hpsearch.studyfile.stored import OLD_CONFIRMATION, OLD_RULE, stored_file
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.sampler import COARSE_TO_FINE

PROTOCOL = 2  # of confirmation and test, in new runs


@dataclass(frozen=True)
class Run:
    """A run of a study that this process holds the lock of.

    Attributes:
        name: unique in the storage: the study's name, and /2, /3 … after --fresh.
        id: unique everywhere, for MLflow servers that several people share.
        resumed: it was there before.
        plans: the stages' numbers of trials, as they were first and after each change.
        repeats: whether trials are drawn on once every configuration was tried: as the file says,
            but in runs from before that could be said, which always did.
        protocol: how the best are confirmed and tested: 2, or 1 in runs begun by older versions,
            in which each trial has seeds of its own and test intervals are of refits alone.
        chapter: of the run, the first one unless it was extended.
        lock: held until the process ends or `close` is called.
    """

    name: str
    id: str
    folder: RunFolder
    resumed: bool
    plans: tuple[tuple[int, ...], ...]
    lock: FileLock
    repeats: bool = False
    protocol: int = PROTOCOL
    chapter: Chapter = FIRST

    def storage_name(self, arm: str = "") -> str:
        """Of an arm's Optuna study; the id tells it from others of that name in a database."""
        return storage_name(self.name, self.id, arm)

    def close(self) -> None:
        """Let others run this study."""
        unlock_study(self.folder.files.study, self.lock)


def run_name(study: str, number: int) -> str:
    """What the run of this number is called: the study's name, from the second on with it."""
    return study if number == 1 else f"{study}/{number}"


def storage_name(name: str, run_id: str, arm: str = "") -> str:
    """The Optuna study of an arm of a run; most studies have one arm, without a name."""
    return f"{name} [{arm}] ({run_id})" if arm else f"{name} ({run_id})"


def as_begun(
    study: ReadStudy, home: Home, overrides: Sequence[str], *, extend: bool = False
) -> ReadStudy:
    """The study file as the newest run of it was begun, by a version that knew less.

    A table was numbers alone then, which were learned from as they are; the best were confirmed
    on the splits that they were chosen by, and no defaults were run beside them; a rule of the
    sampler was an older one. That goes on where the file does not say otherwise. And a study that
    was sized to a time stays so.

    Args:
        overrides: that the file was read with.
        extend: the file is to extend the run, and says itself how large it is.
    """
    folder = RunFolder(home.study(study.file.name).run(home.study(study.file.name).newest).path)
    if not folder.files.study_json.exists():
        return study
    known = read_study_json(folder.files)
    wanted = [] if extend else [*known.get("sized", [])]
    if folder.files.trials.exists():
        wanted += _rule_begun(known["file"], study.file)
        if known.get("protocol", 1) < PROTOCOL:
            wanted += _protocol_begun(known["file"], study.file)
    return read_text(study.text, study.path, (*overrides, *wanted)) if wanted else study


def _rule_begun(begun: Mapping[str, Any], file: StudyFile) -> Iterator[str]:
    """The version of the sampler's rule, as an override, where the file does not name one."""
    sampler = file.sampler
    if sampler.name == COARSE_TO_FINE and "rule" not in sampler.model_fields_set:
        rule = begun["sampler"].get("rule", OLD_RULE)
        if rule != sampler.rule:
            yield f"sampler.rule={rule}"


def _protocol_begun(begun: Mapping[str, Any], file: StudyFile) -> Iterator[str]:
    """How the best were confirmed and what a table was, as overrides."""
    for key, value in OLD_CONFIRMATION.items():
        if key not in file.confirmation.model_fields_set:
            yield f"confirmation.{key}={json.dumps(begun['confirmation'].get(key, value))}"
    data, now = begun.get("data"), file.data
    unsaid = now is not None and now.prepared and "columns" not in now.model_fields_set
    if data and data.get("columns", NUMBERS) == NUMBERS and unsaid:
        yield f'data.columns="{NUMBERS}"'


def open_run(
    study: ReadStudy,
    home: Home,
    *,
    fresh: bool,
    accept_code: bool = False,
    sized: Sequence[str] = (),
    extend: bool = False,
) -> Run:
    """Open the newest run of the study, or a new one; nothing is ever deleted.

    Args:
        extend: begin the next chapter of a finished run if the file asks for more than it did.
        accept_code: go on, should the user's own code be another one than at the start before;
            refits that failed are run again, as with another test command.
        sized: the overrides that sized a new study to a time.

    Raises:
        StudyLockedError: another process runs this study.
        DamagedError: the run's study.json is not what was written, or gone.
        StudyChangedError: the file differs from the newest run in more than trials or workers,
            or than `extend` allows; or the user's own code does.
        StudyFileError: there is no run to extend.
    """
    top = home.study(study.file.name)
    with storage_errors(top.path):
        top.path.mkdir(parents=True, exist_ok=True)
    lock = lock_study(top)
    try:
        newest = top.newest
        resumed = bool(newest) and not fresh
        number = newest if resumed else newest + 1
        folder = RunFolder(top.run(number).path)
        name = run_name(study.file.name, number)
        files = folder.files
        if not resumed and files.trials.exists():  # the run's trials, but not whose they are
            raise DamagedError(files.study_json, "no file")
        begun = resumed and files.trials.exists()
        if newest:  # also where a new run follows, as nobody opens the one before again
            put_back(top.run(newest))
        if extend and not begun:
            raise StudyFileError(
                f"--extend goes on with a finished run, but study {study.file.name!r} has none in "
                f"{home.path}: leave --extend out, or name the home folder with --home"
            )
        following = False  # whether this start begins a chapter
        if begun:  # else it ended before its first trial
            following = extend and extends(study, folder, name)
            if not following:
                refuse_changed(study, folder, name)
            if not accept_code:
                _compare_code(study, folder)
            other_test = tests_of(study.file) != tests_before(folder, name)
            if not following and (accept_code or other_test):
                with storage_errors(folder.path):
                    run_failed_again(folder)
        with storage_errors(folder.path):
            files.artifacts.mkdir(parents=True, exist_ok=True)
        for leftover in files.half_written_artifacts():
            leftover.unlink()
        known = read_study_json(files) if resumed else {}
        chapter = chapter_of(known)
        if following:
            chapter = next_chapter(chapter, study, folder)
            put_aside(files)
            keep_arms(folder, study.space, study.arms)
            if (scores := rescored(folder, study.file, chapter.number)) is not None:
                scores.write(files.rescored)
        write_changed(files.artifact(Artifact.STUDY_TOML), study.text.encode())
        run_id = known["id"] if resumed else uuid.uuid4().hex[:12]
        file = study.file
        if begun:
            file = with_rule(file, stored_file(known["file"], name))
        understood = file.model_dump(mode="json")
        plans = _plans(known if begun and not following else {}, study.file)
        said = {"id": run_id, "path": str(study.path.resolve()), "plans": plans}
        codes = _codes(known if begun else {}, study.code)
        said |= {"code": codes} if codes else {}
        protocol = known.get("protocol", 1) if begun else PROTOCOL
        said |= {"protocol": protocol}
        # Of a file as it is stored every key counts as named.
        said |= {"confirmation_named": sorted(study.file.confirmation.model_fields_set)}
        if (kept := [*known.get("sized", sized)]) and not following:
            said |= {"sized": kept}
        if chapter.number > 1:
            said |= {"chapter": chapter.as_dict()}
        write_changed(files.study_json, seal({**said, "file": understood}, files.study_json))
        # Beside the file as written: with defaults and what --set changed.
        write_changed(files.artifact(Artifact.STUDY_JSON), json_bytes(understood))
    except BaseException:
        unlock_study(top, lock)
        raise
    repeats = file.sampler.repeats
    plans_said = tuple(map(tuple, plans))
    return Run(name, run_id, folder, resumed, plans_said, lock, repeats, protocol, chapter)


def _plans(known: dict[str, Any], file: StudyFile) -> list[list[int]]:
    """The numbers of trials a run was started with, and those of this start if they differ."""
    now = [stage.trials for stage in file.stages]
    before = [stage["trials"] for stage in known["file"]["stages"]] if known else now
    plans: list[list[int]] = known.get("plans", [before])
    return plans if plans[-1] == now else [*plans, now]


def _codes(known: dict[str, Any], now: dict[str, str]) -> list[dict[str, str]]:
    """The file digests of the user's own code at the starts of a run, each that differs from the
    one before; [] where all of it is installed."""
    before = code_of_starts(known)
    return [*before, now] if now != next(reversed(before), {}) else before


def _name(folder: RunFolder) -> str:
    return run_name(folder.files.study.name, folder.files.number)


def _compare_code(study: ReadStudy, folder: RunFolder) -> None:
    """Refuse to train with other code than the trials before."""
    known = code_of_starts(read_study_json(folder.files))
    if not known or study.code == known[-1]:  # older versions wrote none
        return
    before, now = known[-1], study.code
    raise StudyChangedError(
        f"the code of study {_name(folder)!r} has changed since its trials were trained: "
        f"{' and '.join(differing(before, now))} (digest {digest(before) or 'none'} before, "
        f"{digest(now) or 'none'} now). Restore the old code, give the study another name, start "
        "a new run with --fresh, or continue with --accept-code, which marks the trials"
    )
