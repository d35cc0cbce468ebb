"""Once a study: whether code of a user's own trains after a pause as if there had been none.

The first trial of each such trainer that is there is trained again for a few epochs, on its first
split: in one go, and with a pause after every epoch. No record of a trial knows of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from hpsearch.execution.base import WorkerLost
from hpsearch.execution.dispatch import STOP_CHECK_SECONDS
from hpsearch.execution.executors import ProcessExecutor
from hpsearch.execution.limits import LimitPassed
from hpsearch.execution.pauses import (
    REPEAT_HINT,
    PauseCheck,
    check_pauses,
    pause_hint,
    pause_rule,
    repeat_rule,
    takes_own_pauses,
)
from hpsearch.execution.population import Slice, open_data
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.events import Event, PausesChange
from hpsearch.study.training import Training
from hpsearch.trainers import EVERY_EPOCH, Member, takes_state

EPOCHS = 5  # trained in one go and once more with pauses, as far as
SECONDS = 10.0  # allow it at the trial's pace; two epochs are trained in any case
CHECKS = "checks"


@dataclass
class PauseChecks:
    """The checks of a study's trainers, each made beside the training of the other trials.

    Args:
        training: how trials are trained.
        tell: called with what is wrong.
    """

    training: Training
    tell: Callable[[Event], None]
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)
    _coming: dict[str, tuple[TrialRecord, Future[PauseCheck | None]]] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._known = _read(self.training.folder)

    def see(self, record: TrialRecord) -> None:
        """Begin the check of a trial's trainer if it is the first, and end those that are done."""
        trainer = str(record.params["trainer"])
        member = record.members[0]
        able = record.outcome.sound and member.epoch > 1 and takes_own_pauses(record.params)
        if able and trainer not in self._known and trainer not in self._tried:
            self._tried.add(trainer)
            self._coming[trainer] = (record, self._begin(record))
        for name in [n for n, (_, check) in self._coming.items() if check.done()]:
            self._end(name)

    def finish(self) -> None:
        """Wait for the checks under way, as long as the study is not to stop."""
        while self._coming and not self.training.stop():
            name, (_, check) = next(iter(self._coming.items()))
            try:
                check.exception(STOP_CHECK_SECONDS)
            except TimeoutError:
                continue
            self._end(name)

    def _begin(self, record: TrialRecord) -> Future[PauseCheck | None]:
        training, member = self.training, record.members[0]
        trained = sum(other.epoch for other in record.members)
        pace = max(record.wall_seconds / trained, 1e-9)
        epochs = max(2, min(EPOCHS, member.epoch, int(SECONDS / pace / 2)))
        settings = replace(
            training.settings,
            seconds=math.inf,
            schedule=EVERY_EPOCH,
            per_class=False,
            passes=False,
            resources=False,
        )
        work = Slice(settings, (Member(record.params, member.entropy, member.split),), epochs)
        executor, allowance = training.executor, training.limits.allowance
        if allowance is not None and isinstance(executor, ProcessExecutor):
            before = partial(open_data, settings.data, settings.exam)
            return executor.submit_within(allowance, before, check_pauses, work)
        return executor.submit(check_pauses, work)

    def _end(self, trainer: str) -> None:
        """Keep what a check found, and tell it; nothing where it could not be made."""
        record, check = self._coming.pop(trainer)
        try:
            found = check.result()
        except (WorkerLost, LimitPassed):
            return
        if found is None:
            return
        warning = _warning(trainer, record.number, found)
        said = {**asdict(found), "trial": record.number, "warning": warning}
        self._known = {**_read(self.training.folder), trainer: said}
        path = self.training.folder.files.pauses
        self.training.folder.write_sealed(path, {CHECKS: self._known})
        if warning:
            self.tell(PausesChange(trainer, warning))


def _warning(trainer: str, trial: int, found: PauseCheck) -> str:
    """What is wrong, in a line; "" for nothing."""
    if found.deviation is None:
        return ""
    got = f"got {found.deviation} (trial {trial}, {found.epochs} epochs trained again)"
    if not found.repeats:
        return f"{repeat_rule(trainer)}, {got}: {REPEAT_HINT}, or no result can be repeated"
    hint = pause_hint(trainer, takes_state=takes_state(trainer))
    return f"{pause_rule(trainer)}, {got}, so that results depend on when trials pause: {hint}"


def pause_warnings(folder: RunFolder) -> list[str]:
    """What the checks of a run found wrong, a line a trainer."""
    return [said["warning"] for said in _read(folder).values() if said["warning"]]


def _read(folder: RunFolder) -> dict[str, dict[str, Any]]:
    """By trainer; {} where nothing was checked."""
    kept = folder.read_sealed(folder.files.pauses, CHECKS)
    return dict(kept[CHECKS]) if kept else {}
