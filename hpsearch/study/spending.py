"""Spending a budget: asked before every batch of trials, whether it may begin.

But for the wall clock, an answer is a function of the study file and of the results of all earlier
batches, so that it is the same after a restart and in a replay. What the clock decided is stored.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hpsearch.analysis.ranking import feasible_score
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.study_file import StudyFile


@dataclass(frozen=True)
class Batch:
    """Trials that would begin together.

    Attributes:
        stage, index: its place in the search.
        trials: how many.
        promoted: whether they go on from the stage before, or are new.
        begun: whether some were trained in it already, before a restart.
    """

    stage: int
    index: int
    trials: int
    promoted: bool
    begun: bool


class Spending:
    """What an arm has spent of its budget, in the order of its batches.

    Args:
        folder: of the run; the clock's time and decision are kept in it.
    """

    def __init__(self, file: StudyFile, arm: ArmPlace, folder: RunFolder) -> None:
        self._budget, self._folder, self._path = file.budget, folder, folder.files.clock(arm.index)
        self._members = file.n_members
        self._lengths = [stage.epochs for stage in file.stages]
        self._sign = 1 if file.objective.direction == "maximize" else -1
        self.epochs = 0
        stored = folder.read_sealed(self._path) or {}
        self._before, self._cut = stored.get("seconds", 0.0), stored.get("cut")
        self._since = time.monotonic()
        known = stored.get("start_up", 0.0) if self._before else None  # after a first batch
        self._start_up: float | None = known

    @property
    def seconds(self) -> float:
        """Of the search, over all starts."""
        return float(self._before) + time.monotonic() - self._since

    def ends(self, batch: Batch, earlier: Sequence[TrialRecord]) -> str:
        """What keeps this batch from beginning: a key of [budget], "" for nothing.

        Args:
            earlier: the stage's trials before it, in the order they began, those promoted first.
        """
        scores = [feasible_score(r, self._lengths[batch.stage]) for r in earlier]
        if batch.stage == len(self._lengths) - 1 and self._on_target(scores):
            return "target"
        if not batch.promoted and self._flat(scores, batch.stage, earlier):
            return "plateau"
        if self.affordable(batch) < batch.trials:
            return "epochs"
        return "seconds" if self._late(batch) else ""

    def affordable(self, batch: Batch) -> int:
        """How many of a batch's trials the epochs that are left suffice for."""
        if self._budget.epochs is None:
            return batch.trials
        left = self._budget.epochs - self.epochs
        return min(batch.trials, left // self._cost(batch.stage, batch.promoted))

    def settle(self, batch: Batch, records: Iterable[TrialRecord]) -> None:
        """Take what a batch took, all of whose trials are there: less where one ended early."""
        until = self._lengths[batch.stage]
        before = self._lengths[batch.stage - 1] if batch.promoted else 0
        settled = list(records)
        for record in settled:
            if until not in record.scores and record.outcome.cut:
                self.epochs += sum(max(0, min(m.epoch, until) - before) for m in record.members)
            else:  # how far a failed one came depends on how it was sliced
                self.epochs += self._cost(batch.stage, batch.promoted)
        if self._start_up is None:
            self._start_up = _start_up(self.seconds, settled)
        self.keep()

    def keep(self) -> None:
        """Write the clock's time down, for the next start."""
        if self._budget.seconds is not None:
            said = {"seconds": self.seconds, "cut": self._cut, "start_up": self._start_up or 0.0}
            self._folder.write_sealed(self._path, said)

    def _cost(self, stage: int, promoted: bool) -> int:
        """Epochs of all members of one trial."""
        before = self._lengths[stage - 1] if promoted else 0
        return self._members * (self._lengths[stage] - before)

    def _on_target(self, scores: Iterable[float | None]) -> bool:
        target = self._budget.target
        return target is not None and any(
            self._sign * score >= self._sign * target for score in scores if score is not None
        )

    def _flat(
        self, scores: Sequence[float | None], stage: int, earlier: Sequence[TrialRecord]
    ) -> bool:
        """Whether the last new trials of a stage brought nothing."""
        if self._budget.plateau is None:
            return False
        best, idle = -math.inf, 0
        for score, record in zip(scores, earlier, strict=True):
            idle += record.stage == stage  # the promoted only set what is to be beaten
            value = -math.inf if score is None else self._sign * score
            if value > best + self._budget.plateau_improvement:
                idle = 0
            best = max(best, value)
        return idle >= self._budget.plateau

    def _late(self, batch: Batch) -> bool:
        """Whether the clock ends the search before this batch; decided once for a limit."""
        limit, place = self._budget.seconds, [batch.stage, batch.index]
        if limit is None:
            return False
        if self._cut is not None and self._cut["limit"] == limit:
            return bool(self._cut["before"] == place)
        if batch.begun or not self.epochs:
            return False
        took = self.seconds
        pace = (took - (self._start_up or 0.0)) / self.epochs
        if took + pace * self._cost(batch.stage, batch.promoted) * batch.trials <= limit:
            return False
        self._cut = {"limit": limit, "before": place}
        self.keep()
        return True


def _start_up(took: float, records: Sequence[TrialRecord]) -> float:
    """Seconds of a search's first batch that later ones do not take: processes that start, what
    they import, data that is opened.

    Args:
        took: by the clock, from the search's start to the batch's end.
    """
    busy = sum(record.wall_seconds for record in records)
    if not busy:
        return 0.0
    trained = busy - sum(record.opening_seconds for record in records)
    at_once = max(1.0, busy / took) if took else 1.0
    return max(0.0, took - trained / at_once)


def carry_clock(recorded: RunFolder, again: RunFolder, arm: ArmPlace, file: StudyFile) -> None:
    """Have a replay end where the clock ended the search, and nowhere else."""
    stored = recorded.read_sealed(recorded.files.clock(arm.index)) or {}
    cut = stored.get("cut")
    if cut is None or cut["limit"] != file.budget.seconds:
        cut = {"limit": file.budget.seconds, "before": None}
    again.write_sealed(again.files.clock(arm.index), {"seconds": 0.0, "cut": cut})
