"""Deriving a study's draws and decisions once more, from its file, its seed and its results.

The coordinator itself walks through the plan, in a folder and an Optuna storage that are thrown
away; in the place of training stands what the records say came of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, TypeVar

from filelock import FileLock

from hpsearch.counts import count_of
from hpsearch.errors import StudyFailed
from hpsearch.execution.machine import machine
from hpsearch.execution.slices import Exam
from hpsearch.records.layout import DECISION_KEYS, StudyFiles
from hpsearch.records.outcome import Outcome
from hpsearch.records.refit_answers import FILE
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.chapters.earlier import EarlierTrials
from hpsearch.study.chapters.rescoring import differs
from hpsearch.study.goals import MissingMetric
from hpsearch.study.opening import Run
from hpsearch.study.recorded import Recorded
from hpsearch.study.spending import carry_clock
from hpsearch.study.starting.learned import carry_learned
from hpsearch.study.storage.trials import IN_MEMORY
from hpsearch.study.study import Study
from hpsearch.study.training import Training, reached
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.reading import ReadStudy

Value = TypeVar("Value")

# Of draws, scores and ranges where the study ran on another machine or with other packages: drawn
# floats have 6 significant digits, of which a rounding error moves the last.
TOLERANCE = 1e-5
RANGE_FIELDS = ("parameter", "branch", "low", "high", "share", "survivors")
RESULT_FIELDS = (
    "best_number",
    "best_params",
    "validation",
    "test",
    "confirmed",
    "front",
    "unmet",
    "counts",
    "ended",
    "default",
    "leads",
    "outer",
)


@dataclass
class Replay:
    """What a replay found.

    Attributes:
        tolerance: relative, of floats; 0 where the study ran on a machine like this one.
        draws: configurations that were derived and compared.
        scores: scores that were taken from the curves once more and compared.
        decisions: ends of stages whose promotions and ranges were compared.
        result: whether the replay came to the study's result and compared it.
        problems: what differs; the replay ends at the first draw that does, as all later ones
            follow from it.
    """

    tolerance: float = 0.0
    draws: int = 0
    scores: int = 0
    decisions: int = 0
    result: bool = False
    problems: list[str] = field(default_factory=list)

    def add(self, other: Replay, of: str) -> None:
        """Add what the replay of a chapter found.

        Args:
            of: which chapter, e.g. "chapter 2"; "" if there is one alone.
        """
        self.tolerance = max(self.tolerance, other.tolerance)
        self.draws += other.draws
        self.scores += other.scores
        self.decisions += other.decisions
        self.result = other.result
        self.problems += [f"{of}: {line}" if of else line for line in other.problems]

    def same(self, before: Any, now: Any) -> bool:
        """Whether two values are equal, floats within the tolerance."""
        if isinstance(before, dict) and isinstance(now, dict):
            known = before.keys() == now.keys()
            return known and all(self.same(value, now[key]) for key, value in before.items())
        if isinstance(before, list | tuple) and isinstance(now, list | tuple):
            return len(before) == len(now) and all(map(self.same, before, now))
        if isinstance(before, float) and isinstance(now, float):
            return before == now or math.isclose(before, now, rel_tol=self.tolerance)
        return bool(before == now)


class _EndOfRecords(Exception):
    """The study was not further than this, or a draw differs."""


def replay(run: Recorded, read: ReadStudy) -> Replay:
    """Derive every draw and decision of a run from its file, seed and recorded results.

    Args:
        run: of one that was extended, one of its chapters; the records of those before are taken
            as they are.

    Raises:
        DataError: the data is there no more.
    """
    alike = all(r.machines == [machine()] for r in run.folder.read_all("trial"))
    found = Replay(tolerance=0.0 if alike else TOLERANCE)
    with TemporaryDirectory(prefix="hpsearch-") as place:
        top = StudyFiles(Path(place))
        folder = RunFolder(top.run(1).path)
        folder.artifacts.mkdir(parents=True)
        _carry_earlier(run, folder, found)
        carry_learned(run.folder, folder)
        for arm in read.arms:
            carry_clock(run.folder, folder, arm, run.file)
        again = Run(
            run.name,
            run.id,
            folder,
            resumed=False,
            plans=run.plans,
            lock=FileLock(top.lock),
            repeats=run.file.sampler.repeats,
            protocol=run.protocol,
            chapter=run.chapter,
        )
        study = Study(
            read,
            again,
            IN_MEMORY,
            0,
            stand_in=lambda training: _Playback(run.folder, training, found),
            file_for=lambda read, arm: _as_promoted(read, arm, run),
        )
        with suppress(_EndOfRecords, StudyFailed):
            study.execute()
        _compare_pruned(run.folder, folder, found)
        _compare_decisions(run, read, folder, found)
        _compare_results(run.result(), study.finished(), found)
    return found


def _carry_earlier(run: Recorded, folder: RunFolder, found: Replay) -> None:
    """Have a chapter's replay find the study files and the trials of those before it.

    Where the objective is another, the trials' scores are compared with their curves.
    """
    for number in range(1, run.chapter.number):
        before, now = (f.files.chapter(number).study_json for f in (run.folder, folder))
        now.parent.mkdir(parents=True)
        copyfile(before, now)
    for record in run.folder.read_all("trial"):
        if record.number < run.chapter.first:
            if record.rescored and differs(record, run.file):
                said = f"scores {record.scores} recorded, its curves say others"
                found.problems.append(f"trial {record.number}: {said}")
            folder.write(replace(record, rescored=""))


def _as_promoted(read: ReadStudy, arm: Arm, run: Recorded) -> ReadStudy:
    """The study with as many promoted as there were in an arm: trials may have been added."""
    folder = run.folder
    trials = [*folder.read_all("trial")] if run.chapter.number > 1 else []
    earlier = EarlierTrials.of(read.file, folder, run.chapter, trials)
    stages = list(read.file.stages)
    for number in range(len(stages) - 1):
        decision = folder.read_sealed(folder.files.stage(number, arm.case), *DECISION_KEYS)
        if decision is not None:
            following = stages[number + 1]
            went_on = len(decision["promoted"]) + earlier.n_went_on(number + 1)
            share = went_on / following.trials
            stages[number + 1] = following.model_copy(update={"promote": share})
    return replace(read, file=read.file.model_copy(update={"stages": stages}))


@dataclass
class _Playback:
    """Gives drawn records what the recorded ones say, after comparing the two."""

    recorded: RunFolder
    training: Training
    found: Replay
    _begun: set[str] = field(default_factory=set)

    def run(
        self,
        batches: Iterable[Sequence[TrialRecord]],
        until: int,
        exam: Exam = "validation",
        *,
        folds: int | None = None,
    ) -> Iterator[TrialRecord]:
        for every in batches:
            batch = [drawn for drawn in every if not reached(drawn, until)]
            known = [self.recorded.read(r.kind, r.number, r.seed_number) for r in batch]
            for drawn, record in zip(batch, known, strict=True):
                if record is not None and not drawn.reported and drawn.uid not in self._begun:
                    self._compare(drawn, record)  # else it goes on
            for drawn, record in zip(batch, known, strict=True):
                if record is None or not (reached(record, until) or _has(record, until, folds)):
                    raise _EndOfRecords
                self._begun.add(drawn.uid)
                self.training.begin(drawn, until, exam)
                self._compare_rows(drawn, record)
                if folds is not None and _has(record, until, folds):
                    self._play_folds(drawn, record, until, folds)
                else:
                    self._play(drawn, record, until, folds)
                yield drawn

    def _compare(self, drawn: TrialRecord, record: TrialRecord) -> None:
        self.found.draws += drawn.kind == "trial"
        for what in ("params", "stage", "batch"):
            before, now = getattr(record, what), getattr(drawn, what)
            if not self.found.same(before, now):
                self._differs(drawn, _in_words(what, before, now))
        for what in ("threshold", "trees") if drawn.is_unscored else ():
            before, now = getattr(record, what), getattr(drawn, what)
            if not self.found.same(before, now):
                self._differs(drawn, f"{what} {before} recorded, {now} derived")
        before, now = ([(m.split, m.entropy) for m in r.members] for r in (record, drawn))
        if before != now:
            self._differs(drawn, f"splits and seeds {before} recorded, {now} derived")

    def _compare_rows(self, drawn: TrialRecord, record: TrialRecord) -> None:
        last = max(drawn.rows, default=0)
        before = {start: rows for start, rows in record.rows.items() if start <= last}
        if before != drawn.rows:
            self._differs(drawn, f"rows {before} recorded, {drawn.rows} derived")

    def _differs(self, drawn: TrialRecord, what: str) -> NoReturn:
        self.found.problems.append(f"{drawn.kind} {drawn.number}: {what}")
        raise _EndOfRecords

    def _play(
        self, drawn: TrialRecord, record: TrialRecord, until: int, folds: int | None
    ) -> None:
        drawn.members = deepcopy(record.members)
        drawn.seconds = _until(record.seconds, until)
        drawn.cpu_seconds = record.cpu_seconds  # a winner may be chosen by it
        for member in drawn.members:  # what comes after a rung is not known there
            member.epoch = min(member.epoch, until)
        drawn.scores = _until(record.scores, until)
        drawn.rungs = _until(record.rungs, until)
        drawn.values = _until(record.values, until)
        drawn.violations = _until(record.violations, until)
        at_rung = until in record.rungs and until not in self.training.lengths
        if not at_rung and until not in record.scores:  # it ended on the way
            if record.outcome is Outcome.PRUNED:
                self._differs(drawn, f"{record.reason} recorded, trained on derived")
            drawn.folds = folds or 0
            if record.folds != drawn.folds:
                self._differs(drawn, f"folds {record.folds} recorded, {drawn.folds} derived")
            drawn.become(record.outcome, record.reason)
        elif not at_rung:
            last = drawn.kind != "trial" or until == self.training.lengths[-1]
            drawn.become(Outcome.COMPLETE if last else Outcome.PAUSED)
        for epochs in drawn.reported:
            self.found.scores += 1
            self._compare_scores(drawn, epochs)
        if drawn.kind != "trial":
            self.training.folder.write(drawn)
        if drawn.is_test:  # the interval of a test score is of the rows, too
            before, now = (
                f.files.record(drawn.kind, drawn.number, drawn.seed_number).file(FILE)
                for f in (self.recorded, self.training.folder)
            )
            if before.exists():
                copyfile(before, now)

    def _play_folds(self, drawn: TrialRecord, record: TrialRecord, until: int, folds: int) -> None:
        """Give a record what the first folds say, and no outcome."""
        drawn.seconds = _until(record.seconds, until)
        before = [member.epoch for member in drawn.members]
        drawn.members = deepcopy(record.members)
        for member, epoch in zip(drawn.members, before, strict=True):
            member.epoch = until if member.split < folds else epoch

    def _compare_scores(self, drawn: TrialRecord, epochs: int) -> None:
        score = drawn.reported[epochs]
        try:
            derived = self.training.goals.measured(drawn, epochs)
        except (MissingMetric, ValueError):  # the metric or the epoch is not in the curves
            self._differs(
                drawn, f"score {score} at {count_of(epochs, 'epoch')}, its curves say None"
            )
        compared: list[tuple[str, Any, Any]] = [("score", score, derived.score)]
        if epochs in drawn.scores or self.training.whole_rungs:
            compared += [
                ("values", drawn.values.get(epochs, {}), derived.values),
                ("violations", drawn.violations.get(epochs, {}), derived.violations),
            ]
        for what, before, now in compared:
            if not self.found.same(before, now):
                said = f"{what} {before} at {count_of(epochs, 'epoch')}, its curves say {now}"
                self._differs(drawn, said)


def _has(record: TrialRecord, until: int, folds: int | None) -> bool:
    """Whether a record was trained to an epoch on so many of the first folds."""
    if folds is None:
        return False
    members = [member for member in record.members if member.split < folds]
    return all(member.epoch >= until and not member.diverged for member in members)


def _until(by_epochs: Mapping[int, Value], until: int) -> dict[int, Value]:
    return {epochs: value for epochs, value in by_epochs.items() if epochs <= until}


def _in_words(what: str, before: Any, now: Any) -> str:
    if not isinstance(before, dict):
        return f"{what} {before} recorded, {now} derived"
    names = [n for n in {**before, **now} if before.get(n) != now.get(n)]
    return "; ".join(f"{n} = {before.get(n)} recorded, {now.get(n)} derived" for n in names)


def _compare_pruned(recorded: RunFolder, derived: RunFolder, found: Replay) -> None:
    """Trials that a pruner ends in the replay, against those that it ended."""
    for now in derived.read_all("trial"):
        before = recorded.read("trial", now.number)
        if now.outcome is not Outcome.PRUNED or not now.reason or before is None:
            continue
        went_on = max(member.epoch for member in before.members) > now.members[0].epoch
        more = now.folds + 1 if now.folds else None
        went_on = went_on or _has(before, now.members[0].epoch, more)
        for what in ("folds", "estimates") if before.sealed else ():
            old, new = getattr(before, what), getattr(now, what)
            if not found.same(old, new):
                said = f"{what} {old} recorded, {new} derived"
                found.problems.append(f"trial {now.number}: {said}")
        reasons = (now.reason, now.reason.replace(" 1 epoch ", " 1 epochs "))  # as once written
        if went_on or (before.sealed and before.reason not in reasons):
            found.problems.append(f"trial {now.number}: {now.reason} derived, not recorded")


def _compare_decisions(run: Recorded, read: ReadStudy, folder: RunFolder, found: Replay) -> None:
    for number, arm in product(range(len(run.file.stages)), read.arms):
        both = (run.folder, folder)
        before, now = (f.read_sealed(f.files.stage(number, arm.case)) for f in both)
        if before is None or now is None:
            continue
        found.decisions += 1
        for what, old, new in (
            ("promoted", before["promoted"], now["promoted"]),
            ("controls", before.get("controls", []), now["controls"]),
            ("ranges", _ranges(before), _ranges(now)),
        ):
            if not found.same(old, new):
                found.problems.append(f"stage {number + 1}: {what} {old} recorded, {new} derived")


def _ranges(decided: dict[str, Any]) -> list[list[Any]]:
    """The narrowed ranges of a stage's end, without their texts."""
    return [[row[name] for name in RANGE_FIELDS] for row in decided["ranges"]]


def _compare_results(before: Result | None, now: Result | None, found: Replay) -> None:
    if before is None or now is None:
        if before is not None and not found.problems:
            found.problems.append("the study has a result, but not all records that lead to it")
        return
    found.result = True
    recorded, derived = before.as_dict(), now.as_dict()
    for name in RESULT_FIELDS:
        if not found.same(recorded[name], derived[name]):
            found.problems.append(
                f"result: {name} {recorded[name]} recorded, {derived[name]} derived"
            )
