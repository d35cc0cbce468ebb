"""Spending a budget: asked before every batch of trials, whether it may begin.

But for the wall clock, an answer is a function of the study file and of the results of all earlier
batches, so that it is the same after a restart and in a replay. What the clock decided is stored.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.analysis.ranking import feasible_score
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.confirmation.extent import Costs, Extent
from hpsearch.study.plan import time_shares
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.budget import Budget


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

    The clock's `total_seconds` is shared among the stages as their epochs are, so that the last is
    reached: a stage draws no more when its share is used, and those promoted go on.

    Args:
        folder: of the run; the clock's time and decision are kept in it.
        ahead: what confirmation and test would take by the clock if the search ended now, while
            so many workers train at once.

    Attributes:
        stage_only: whether what `ends` said last ends the drawing of a stage, not the search.
    """

    def __init__(
        self,
        file: StudyFile,
        arm: ArmPlace,
        folder: RunFolder,
        ahead: Callable[[float], Costs] = lambda at_once: Costs([], 0.0, 0.0),
    ) -> None:
        self._file, self._alone, self._ahead = file, arm.n_arms == 1, ahead
        self._busy: dict[int, float] = {}  # seconds of training, by trial
        self._budget, self._folder, self._path = file.budget, folder, folder.files.clock(arm.index)
        self._members = file.n_members
        self._starts, self._lengths = file.starts, file.lengths
        self._sign = 1 if file.objective.direction == "maximize" else -1
        self.epochs = 0
        stored = folder.read_sealed(self._path) or {}
        self._before, self._cut = stored.get("seconds", 0.0), stored.get("cut")
        self._since = time.monotonic()
        known = stored.get("start_up", 0.0) if self._before else None  # after a first batch
        self._start_up: float | None = known
        self._extent = stored.get("extent")
        self._stage_ends = [*stored.get("stage_ends", [])]
        self._shares = time_shares(file)
        self.stage_only = False

    @property
    def seconds(self) -> float:
        """Of the search, over all starts."""
        return float(self._before) + time.monotonic() - self._since

    @property
    def seconds_left(self) -> float | None:
        """That the budget leaves; None where it does not count them."""
        limits = (self._budget.seconds, self._budget.total_seconds)
        known = [limit for limit in limits if limit is not None]
        return max(0.0, min(known) - self.seconds) if known else None

    def ends(self, batch: Batch, earlier: Sequence[TrialRecord]) -> str:
        """What keeps this batch from beginning: a key of [budget], "" for nothing.

        Args:
            earlier: the stage's trials before it, in the order they began, those promoted first.
        """
        self.stage_only = [batch.stage, batch.index] in self._stage_ends
        if self.stage_only:  # whatever the limits are now: later stages build on it
            return "total_seconds"
        scores = [feasible_score(r, self._lengths[batch.stage]) for r in earlier]
        if batch.stage == len(self._lengths) - 1 and self._on_target(scores):
            return "target"
        if not batch.promoted and self._flat(scores, batch.stage, earlier):
            self.stage_only = True
            return "plateau"
        if self.affordable(batch) < batch.trials:
            return "epochs"
        return self._late(batch)

    def affordable(self, batch: Batch) -> int:
        """How many of a batch's trials the epochs that are left suffice for."""
        if self._budget.epochs is None:
            return batch.trials
        left = self._budget.epochs - self.epochs
        return min(batch.trials, left // self._cost(batch.stage, batch.promoted))

    def settle(self, batch: Batch, records: Iterable[TrialRecord]) -> None:
        """Take what a batch took, all of whose trials are there: less where one ended early."""
        until = self._lengths[batch.stage]
        before = self._before_stage(batch.stage, batch.promoted)
        settled = list(records)
        self._busy |= {record.number: record.wall_seconds for record in settled}
        for record in settled:
            if until not in record.scores and record.outcome.cut:
                self.epochs += sum(max(0, min(m.epoch, until) - before) for m in record.members)
            else:  # how far a failed one came depends on how it was sliced
                self.epochs += self._cost(batch.stage, batch.promoted)
        if self._start_up is None:
            self._start_up = _start_up(self.seconds, settled)
        self.keep()

    def extent(self, ranked: int, *, beside: bool) -> Extent:
        """How much is confirmed and tested; decided once for what the search took.

        Arms that are compared keep what the file says, so that they are compared in pairs.

        Args:
            ranked: trials that may be confirmed.
            beside: whether the defaults are run, too.
        """
        full, budget = Extent.of(self._file), self._budget
        if not (budget.bounds_work and self._alone):
            if self._extent is not None:  # of a budget that is gone
                self._extent = None
                self.keep()
            return full
        after = [self.epochs, budget.total_seconds]
        if self._extent is None or self._extent["after"] != after:
            limit, costs = float(self.epochs), Costs.in_epochs(self._file, ranked, beside=beside)
            if budget.total_seconds is not None:
                limit, costs = budget.total_seconds - self.seconds, self._ahead(self._at_once)
            chosen = costs.within(limit, full, Extent.kept(self._file))
            self._extent = {"after": after, "numbers": chosen}
            self.keep()
        return Extent(*self._extent["numbers"])

    def keep(self) -> None:
        """Write down what the clock says and decided, for the next start."""
        budget = self._budget
        by_clock = budget.seconds is not None or budget.total_seconds is not None
        if by_clock or self._extent is not None or self._path.exists():
            said = {"seconds": self.seconds, "cut": self._cut, "start_up": self._start_up or 0.0}
            more = {"extent": self._extent, "stage_ends": self._stage_ends}
            self._folder.write_sealed(self._path, {**said, **more})

    @property
    def _at_once(self) -> float:
        """How many workers trained at a time, a mean."""
        took = self.seconds - (self._start_up or 0.0)
        return max(1.0, sum(self._busy.values()) / took) if took > 0 else 1.0

    def _cost(self, stage: int, promoted: bool) -> int:
        """Epochs of all members of one trial."""
        before = self._before_stage(stage, promoted)
        return self._members * (self._lengths[stage] - before)

    def _before_stage(self, stage: int, promoted: bool) -> int:
        """The epoch after which a trial begins in a stage."""
        return self._lengths[stage - 1] if promoted else self._starts[stage]

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

    def _late(self, batch: Batch) -> str:
        """Which limit of the clock ends the search before this batch, "" for none; decided once
        for these limits."""
        limits, place = _limits(self._budget), [batch.stage, batch.index]
        if not any(limits.values()):
            return ""
        if self._cut is not None and _is_for(self._cut, limits):
            return self._cut.get("key", "seconds") if self._cut["before"] == place else ""
        if batch.begun or not self.epochs:
            return ""
        took = self.seconds
        pace = (took - (self._start_up or 0.0)) / self.epochs
        until = took + pace * self._cost(batch.stage, batch.promoted) * batch.trials
        if self._budget.seconds is not None and until > self._budget.seconds:
            return self._end_before(place, "seconds")
        end = self._end_of_search()
        if until > end and (batch.promoted or batch.stage == len(self._lengths) - 1):
            return self._end_before(place, "total_seconds")
        start = self._start_up or 0.0
        if batch.promoted or until <= start + (end - start) * self._shares[batch.stage]:
            return ""
        self.stage_only = True
        self._stage_ends.append(place)
        self.keep()
        return "total_seconds"

    def _end_before(self, place: list[int], key: str) -> str:
        self._cut = {**_limits(self._budget), "before": place, "key": key}
        self.keep()
        return key

    def _end_of_search(self) -> float:
        """When total_seconds needs the rest for what follows, in seconds from the start."""
        limit = self._budget.total_seconds
        if limit is None:
            return math.inf
        rest = self._ahead(self._at_once).of(Extent.of(self._file))
        return limit - min(rest, limit / 2)


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


def kept_extent(folder: RunFolder, arm: ArmPlace, file: StudyFile) -> Extent:
    """How much of a finished search was confirmed and tested."""
    stored = (folder.read_sealed(folder.files.clock(arm.index)) or {}).get("extent")
    return Extent(*stored["numbers"]) if stored else Extent.of(file)


def _limits(budget: Budget) -> dict[str, float | None]:
    """Of the clock, by key."""
    return {"seconds": budget.seconds, "total_seconds": budget.total_seconds}


def _is_for(cut: Mapping[str, Any], limits: Mapping[str, float | None]) -> bool:
    """Whether a decision was made under these limits; older runs had the seconds
    as "limit"."""
    return {"seconds": cut.get("limit"), "total_seconds": None} | {
        key: cut[key] for key in limits if key in cut
    } == limits


def carry_clock(recorded: RunFolder, again: RunFolder, arm: ArmPlace, file: StudyFile) -> None:
    """Have a replay end its search where the clock did, and confirm as much."""
    stored = recorded.read_sealed(recorded.files.clock(arm.index)) or {}
    cut, limits = stored.get("cut"), _limits(file.budget)
    if cut is None or not _is_for(cut, limits):
        cut = {**limits, "before": None}
    kept: dict[str, Any] = {key: stored[key] for key in ("extent", "stage_ends") if key in stored}
    again.write_sealed(again.files.clock(arm.index), {"seconds": 0.0, "cut": cut, **kept})
