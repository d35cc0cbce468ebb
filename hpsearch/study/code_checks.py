"""Once a study: whether code of a user's own keeps the rules.

The first trial of each such trainer that is there is trained again for a few epochs, on its first
split: in one go, with a pause after every epoch, and a function for an epoch as the final test
will train it. No record of a trial knows of it, and no worker does either: it is done in a process
of its own, where trials are trained in such. Where workers have GPUs of their own, it has those of
one of them, which waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from hpsearch.counts import all_of, count_of
from hpsearch.errors import StudyChangedError
from hpsearch.execution.base import WorkerLost
from hpsearch.execution.code_rules import (
    REPEAT_HINT,
    SAW_TEST,
    CodeCheck,
    PauseCheck,
    Rehearsal,
    Rows,
    check_code,
    final_test_rule,
    largest_deviation,
    pause_hint,
    pause_rule,
    repeat_rule,
    run_again,
)
from hpsearch.execution.dispatch import STOP_CHECK_SECONDS
from hpsearch.execution.examples import open_data
from hpsearch.execution.executors import ProcessExecutor
from hpsearch.execution.limits import LimitPassed
from hpsearch.execution.slices import Slice
from hpsearch.own_code import is_own
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.events import CodeDoubt, Event
from hpsearch.study.training import Training
from hpsearch.studyfile.space import with_values
from hpsearch.trainers import (
    EVERY_EPOCH,
    Member,
    Program,
    takes_final,
    takes_state,
    trainer_kind,
)
from hpsearch.trainers.estimator import EstimatorTrainer
from hpsearch.trainers.programs.program_start import checkpoint_of

EPOCHS = 5  # trained in one go and once more with pauses, as far as
SECONDS = 10.0  # allow it at the trial's pace; two epochs are trained in any case
Found = CodeCheck | Rows | None  # of a program its metrics the second time
CHECKS, REPEATS = "checks", "repeats"


@dataclass
class CodeChecks:
    """The checks of a study's trainers, each made beside the training of the other trials.

    Args:
        training: how trials are trained.
        tell: called with what is wrong.
    """

    training: Training
    tell: Callable[[Event], None]
    _known: dict[str, list[str]] = field(default_factory=dict)
    _coming: dict[str, tuple[TrialRecord, Future[Found]]] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)
    _expected: dict[str, Rows] = field(default_factory=dict)  # of programs that are run again
    _saw_checkpoint: set[str] = field(default_factory=set)
    _apart: ProcessExecutor | None = None

    def __post_init__(self) -> None:
        self._known = _read(self.training.folder)

    def see(self, record: TrialRecord) -> None:
        """Begin the check of a trial's trainer if it is the first, and end those that are done."""
        trainer = str(record.params["trainer"])
        member = record.members[0]
        program = self.training.programs.get(trainer)
        wanted = is_own(trainer) if program is None else program.probe
        able = record.outcome.sound and member.epoch > record.before and wanted
        if able and trainer not in self._known and trainer not in self._tried:
            self._tried.add(trainer)
            self._coming[trainer] = (record, self._begin(record))
        if program is not None and record.outcome is Outcome.PAUSED:
            self._see_checkpoint(record, program)
        for name in [n for n, (_, check) in self._coming.items() if check.done()]:
            self._end(name)
        if not self._coming:
            self.close()

    def _see_checkpoint(self, record: TrialRecord, program: Program) -> None:
        """Tell, once, that a program has not written what it is to go on from."""
        trainer = str(record.params["trainer"])
        if program.checkpoint is None or trainer in self._saw_checkpoint:
            return
        self._saw_checkpoint.add(trainer)
        folder = self.training.place_of(record).member(0).absolute()
        path = checkpoint_of(
            program,
            str(folder),
            record.members[0].entropy,
            record.members[0].split,
            "search",
        )
        key = f"{trainer}.checkpoint"  # among the checks, whose others are named by trainers
        known = key in _read(self.training.folder)
        if Path(path).exists() or not folder.exists() or known:
            return
        again = count_of(min(m.epoch for m in record.members), "epoch")
        warning = (
            f"{trainer} must write its checkpoint before it ends, got nothing at {path}: every "
            f"trial that continues is trained again from its start, {again} of this one; write "
            f"the checkpoint there, or leave {trainer}.checkpoint out"
        )
        self._keep({key: [warning]}, {})
        self.tell(CodeDoubt(warning))

    def see_ends(self, records: Sequence[TrialRecord], until: int) -> None:
        """Tell, once, of a trainer that ended by itself after one epoch in all trials of a stage.

        What stops early by what it sees ends after different ones. An estimator stops by a rule of
        ours, in the same epoch where epochs are few.

        Args:
            until: the stage's end.
        """
        reached = [min(member.epoch for member in record.members) for record in records]
        if max(reached, default=0) > until:
            return  # after a restart: they went on, and it was seen before
        start = self.training.began_after(until)
        there = [r for r, epoch in zip(records, reached, strict=True) if epoch == until]
        for trainer in {str(record.params["trainer"]): None for record in there}:
            kind = trainer_kind(trainer)
            if kind is not None and issubclass(kind.trainer, EstimatorTrainer):
                continue
            own = [r for r in there if r.params["trainer"] == trainer and r.outcome.sound]
            ends = {max(0, m.ended_early - start) for record in own for m in record.members}
            key = f"{trainer}.ended_early"
            if len(own) < 2 or len(ends) != 1 or 0 in ends or key in _read(self.training.folder):
                continue
            (end,) = ends
            warning = (
                f"{trainer} must train for the requested {count_of(until - start, 'epoch')}, but "
                f"{all_of(len(own), 'trial')} of a stage ended after epoch {end}, and their last "
                "scores count for the rest: let it train and report until there, or give the "
                f"stages at most {count_of(end, 'epoch')}"
            )
            self._keep({key: [warning]}, {})
            self.tell(CodeDoubt(warning))

    def _keep(self, warnings: dict[str, list[str]], repeats: dict[str, float]) -> None:
        """Add what was found to what is kept."""
        folder = self.training.folder
        self._known = {**_read(folder), **warnings}
        kept = {CHECKS: self._known, REPEATS: {**program_repeats(folder), **repeats}}
        folder.write_sealed(folder.files.code_checks, kept)

    def finish(self) -> None:
        """Wait for the checks under way, as long as the study is not to stop."""
        while self._coming and not self.training.stop():
            name, (_, check) = next(iter(self._coming.items()))
            try:
                check.exception(STOP_CHECK_SECONDS)
            except TimeoutError:
                continue
            self._end(name)
        self.close()

    def close(self) -> None:
        """Leave what is not done yet."""
        if self._apart is not None:
            self._apart.shutdown(cancel_futures=True)
            self._apart = None

    def _begin(self, record: TrialRecord) -> Future[Found]:
        training, member = self.training, record.members[0]
        settings = replace(
            training.settings,
            seconds=math.inf,
            keep=False,
            rows=training.rows[record.stage] if training.rows else None,
            schedule=EVERY_EPOCH,
            per_class=False,
            passes=False,
            resources=False,
        )
        given = with_values(record.params, training.named)
        program = training.programs.get(str(record.params["trainer"]))
        alone = Member(given, member.entropy, member.split, program=program)
        if program is not None:  # among the others, where a GPU is free
            self._expected[str(record.params["trainer"])] = _rows(member)
            work = Slice(settings, (alone,), member.epoch)
            if isinstance(training.executor, ProcessExecutor):
                allowance = training.limits.allowance
                return training.executor.submit_with(run_again, work, allowance=allowance)
            return training.executor.submit(run_again, work)
        trained = sum(other.epoch - record.before for other in record.members)
        pace = max(record.wall_seconds / trained, 1e-9)
        epochs = min(member.epoch - record.before, max(2, min(EPOCHS, int(SECONDS / pace / 2))))
        work = Slice(settings, (alone,), epochs)
        if not isinstance(training.executor, ProcessExecutor):
            return training.executor.submit(check_code, work)
        pool = training.executor
        if not pool.slots:  # else it has the GPUs of a worker that waits
            pool = self._apart = self._apart or ProcessExecutor(1)
        allowance, apart = training.limits.allowance, bool(pool.slots)
        opened = partial(open_data, settings.data, settings.exam, settings.rows)
        before = opened if allowance else None
        return pool.submit_with(check_code, work, allowance=allowance, before=before, apart=apart)

    def _end(self, trainer: str) -> None:
        """Keep what a check found, and tell it; nothing where it could not be made.

        Code that was edited meanwhile is no reason to end the study: the workers have the old one.
        """
        record, check = self._coming.pop(trainer)
        try:
            found = check.result()
        except (WorkerLost, LimitPassed, StudyChangedError):
            return
        if found is None:
            return
        repeats: dict[str, float] = {}
        warnings: list[str] = []
        if isinstance(found, CodeCheck):
            metric = self.training.goals.objectives[0].metric
            warnings += _of_pauses(trainer, record.number, found.pauses)
            warnings += _of_rehearsal(trainer, metric, found.rehearsal)
        else:
            repeats[trainer] = largest_deviation(self._expected[trainer], found)
        self._keep({trainer: warnings}, repeats)
        for warning in warnings:
            self.tell(CodeDoubt(warning))


def _rows(member: MemberRecord) -> Rows:
    """Epoch and metrics of a member's curves, as far as they go by now."""
    return [
        (epoch, {name: values[place] for name, values in member.history.items()})
        for place, epoch in enumerate(member.epochs)
    ]


def _of_pauses(trainer: str, trial: int, found: PauseCheck | None) -> Iterator[str]:
    if found is None or found.deviation is None:
        return
    got = f"got {found.deviation} (trial {trial}, {count_of(found.epochs, 'epoch')} trained again)"
    if not found.repeats:
        yield f"{repeat_rule(trainer)}, {got}: {REPEAT_HINT}, or no result is reproducible"
        return
    hint = pause_hint(trainer, takes_state=takes_state(trainer))
    yield f"{pause_rule(trainer)}, {got}, so that results depend on when trials pause: {hint}"


def _of_rehearsal(trainer: str, metric: str, found: Rehearsal | None) -> Iterator[str]:
    if found is None:
        return
    if found.error:
        rule = final_test_rule(trainer, takes_final=takes_final(trainer))
        yield (
            f"{rule}, got {found.error}: correct it before the search ends, or the winner will "
            "not be tested"
        )
    elif metric not in found.metrics:
        yield (
            f"{trainer} must give {metric} in the final test too, got "
            f"{', '.join(found.metrics) or 'nothing'}: return the same metrics there"
        )
    elif found.saw_test:
        yield f"the test score will be optimistic: {trainer} {SAW_TEST}"


def code_warnings(folder: RunFolder) -> list[str]:
    """What is wrong with the user's own code in a run, each in a line."""
    return [warning for warnings in _read(folder).values() for warning in warnings]


def program_repeats(folder: RunFolder) -> dict[str, float]:
    """By how much each program differed that was run twice: the largest difference of a metric,
    relative where that is above 1; 0: not in the last digit."""
    kept = folder.read_sealed(folder.files.code_checks, CHECKS)
    return dict(kept.get(REPEATS, {})) if kept else {}


def repeat_texts(folder: RunFolder, *, exact: bool | None = None) -> list[str]:
    """What is known of whether programs repeat, a line each.

    Args:
        exact: of those alone that do, or that do not; None: of all.
    """
    return [
        f"{trainer} repeats to the last digit (one trial was run twice)"
        if deviation == 0
        else f"{trainer} is not reproducible: a metric differed by {deviation:.2g} when one trial "
        "was run twice"
        for trainer, deviation in program_repeats(folder).items()
        if exact is None or exact == (deviation == 0)
    ]


def _read(folder: RunFolder) -> dict[str, list[str]]:
    """What is wrong with each trainer that was checked."""
    kept = folder.read_sealed(folder.files.code_checks, CHECKS)
    return dict(kept[CHECKS]) if kept else {}
