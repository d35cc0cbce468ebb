"""Once a study: whether code of a user's own keeps the rules.

The first trial of each such trainer that is there is trained again for a few epochs, on its first
split: in one go, with a pause after every epoch, and a function for an epoch as the final test
will train it. No record of a trial knows of it, and no worker does either: it is done in a process
of its own, where trials are trained in such. Where workers have GPUs of their own, it has those of
one of them, which waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

from hpsearch.errors import StudyChangedError
from hpsearch.execution.base import WorkerLost
from hpsearch.execution.code_rules import (
    REPEAT_HINT,
    SAW_TEST,
    CodeCheck,
    PauseCheck,
    Rehearsal,
    check_code,
    final_test_rule,
    pause_hint,
    pause_rule,
    repeat_rule,
)
from hpsearch.execution.dispatch import STOP_CHECK_SECONDS
from hpsearch.execution.examples import open_data
from hpsearch.execution.executors import ProcessExecutor
from hpsearch.execution.limits import LimitPassed
from hpsearch.execution.slices import Slice
from hpsearch.own_code import is_own
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.events import CodeDoubt, Event
from hpsearch.study.training import Training
from hpsearch.studyfile.space import with_values
from hpsearch.trainers import EVERY_EPOCH, Member, takes_final, takes_state

EPOCHS = 5  # trained in one go and once more with pauses, as far as
SECONDS = 10.0  # allow it at the trial's pace; two epochs are trained in any case
CHECKS = "checks"


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
    _coming: dict[str, tuple[TrialRecord, Future[CodeCheck]]] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)
    _apart: ProcessExecutor | None = None

    def __post_init__(self) -> None:
        self._known = _read(self.training.folder)

    def see(self, record: TrialRecord) -> None:
        """Begin the check of a trial's trainer if it is the first, and end those that are done."""
        trainer = str(record.params["trainer"])
        member = record.members[0]
        able = record.outcome.sound and member.epoch > 0 and is_own(trainer)
        if able and trainer not in self._known and trainer not in self._tried:
            self._tried.add(trainer)
            self._coming[trainer] = (record, self._begin(record))
        for name in [n for n, (_, check) in self._coming.items() if check.done()]:
            self._end(name)
        if not self._coming:
            self.close()

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

    def _begin(self, record: TrialRecord) -> Future[CodeCheck]:
        training, member = self.training, record.members[0]
        trained = sum(other.epoch for other in record.members)
        pace = max(record.wall_seconds / trained, 1e-9)
        epochs = min(member.epoch, max(2, min(EPOCHS, int(SECONDS / pace / 2))))
        settings = replace(
            training.settings,
            seconds=math.inf,
            keep=False,
            schedule=EVERY_EPOCH,
            per_class=False,
            passes=False,
            resources=False,
        )
        given = with_values(record.params, training.named)
        work = Slice(settings, (Member(given, member.entropy, member.split),), epochs)
        if not isinstance(training.executor, ProcessExecutor):
            return training.executor.submit(check_code, work)
        pool = training.executor
        if not pool.slots:  # else it has the GPUs of a worker that waits
            pool = self._apart = self._apart or ProcessExecutor(1)
        allowance, apart = training.limits.allowance, bool(pool.slots)
        before = partial(open_data, settings.data, settings.exam) if allowance else None
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
        warnings = [
            *_of_pauses(trainer, record.number, found.pauses),
            *_of_rehearsal(trainer, self.training.goals.objectives[0].metric, found.rehearsal),
        ]
        self._known = {**_read(self.training.folder), trainer: warnings}
        path = self.training.folder.files.code_checks
        self.training.folder.write_sealed(path, {CHECKS: self._known})
        for warning in warnings:
            self.tell(CodeDoubt(warning))


def _of_pauses(trainer: str, trial: int, found: PauseCheck | None) -> Iterator[str]:
    if found is None or found.deviation is None:
        return
    got = f"got {found.deviation} (trial {trial}, {found.epochs} epochs trained again)"
    if not found.repeats:
        yield f"{repeat_rule(trainer)}, {got}: {REPEAT_HINT}, or no result can be repeated"
        return
    hint = pause_hint(trainer, takes_state=takes_state(trainer))
    yield f"{pause_rule(trainer)}, {got}, so that results depend on when trials pause: {hint}"


def _of_rehearsal(trainer: str, metric: str, found: Rehearsal | None) -> Iterator[str]:
    if found is None:
        return
    if found.error:
        rule = final_test_rule(trainer, takes_final=takes_final(trainer))
        yield (
            f"{rule}, got {found.error}: correct it before the search ends, or the winner is "
            "not tested"
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


def _read(folder: RunFolder) -> dict[str, list[str]]:
    """What is wrong with each trainer that was checked."""
    kept = folder.read_sealed(folder.files.code_checks, CHECKS)
    return dict(kept[CHECKS]) if kept else {}
