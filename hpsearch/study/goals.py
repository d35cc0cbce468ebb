"""What a record scores: its objectives, and by how much it misses its constraints."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hpsearch.metrics import test_name
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.objectives import EPOCHS, Constraint, Objective

FAR_OFF = 1e9  # the violation of a metric that is no finite number


class MissingMetric(Exception):
    """A trainer does not report what a study is scored by.

    Attributes:
        metric: its name.
    """

    def __init__(self, metric: str) -> None:
        super().__init__(f"the trainer must report {metric!r}")
        self.metric = metric


@dataclass(frozen=True)
class Measured:
    """What a record scores at one length.

    Attributes:
        score: the objective; of several the first.
        values: of several objectives all, by name.
        violations: the share of its limit by which each constraint is missed, by name; at most 0
            where it is kept.
    """

    score: float
    values: dict[str, float] = field(default_factory=dict)
    violations: dict[str, float] = field(default_factory=dict)

    def keep(self, record: TrialRecord, epochs: int) -> None:
        """Write it into the record, as of the end of a stage."""
        record.scores[epochs] = self.score
        self.keep_beside(record, epochs)

    def keep_beside(self, record: TrialRecord, epochs: int) -> None:
        """Write what stands beside the score into the record."""
        if self.values:
            record.values[epochs] = self.values
        if self.violations:
            record.violations[epochs] = self.violations


@dataclass(frozen=True)
class Goals:
    """The objectives and constraints of a study, and the scores that it wants beside them.

    Attributes:
        beside: metrics by the key that names each.
    """

    objectives: Sequence[Objective]
    constraints: Sequence[Constraint]
    beside: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, file: StudyFile) -> Goals:
        """As a study file says."""
        beside = {k: name for k, name in file.scored.items() if k.startswith("evaluation.")}
        return cls(tuple(file.goals), tuple(file.constraints), beside)

    @property
    def metrics(self) -> tuple[str, ...]:
        """All that the trainer must report for them."""
        names = [name for goal in self.objectives for name in (goal.metric, goal.count)]
        names += [limit.metric for limit in self.constraints]
        return tuple(name for name in dict.fromkeys(names) if name != EPOCHS)

    def measured(self, record: TrialRecord, epochs: int) -> Measured:
        """From the curves up to this epoch, as means over members.

        On the test set, which is looked at once after the last epoch, that is the first
        objective's metric alone.

        Raises:
            MissingMetric: the trainer does not report a metric.
        """
        for name in self.beside.values():
            for member in record.members:
                _history(member, test_name(name) if record.is_test else name)
        first = self.objectives[0]
        if record.is_test:
            name = test_name(first.metric)
            return Measured(_mean([_last(m, name, epochs) for m in record.members]))
        after = record.began_after(epochs)
        values = {
            goal.name: _mean([_score(goal, member, epochs, after) for member in record.members])
            for goal in self.objectives
        }
        violations = {
            goal.target: _mean(
                [_shortfall(goal, member, epochs, after) for member in record.members]
            )
            for goal in self.objectives
            if goal.level is not None
        }
        violations |= {
            limit.name: _violation(
                limit, _mean([_last(m, limit.metric, epochs) for m in record.members])
            )
            for limit in self.constraints
        }
        several = values if len(self.objectives) > 1 else {}
        return Measured(values[first.name], several, violations)

    def of_members(self, record: TrialRecord, epochs: int) -> dict[str, list[float]]:
        """What each member scores at this length by its own curves, by objective."""
        after = record.began_after(epochs)
        return {
            goal.name: [_score(goal, member, epochs, after) for member in record.members]
            for goal in self.objectives
        }

    def of_some(
        self, record: TrialRecord, members: Sequence[MemberRecord], epochs: int
    ) -> list[float]:
        """What some members of a record score at this length by their own curves, by the first
        objective."""
        after, goal = record.began_after(epochs), self.objectives[0]
        return [_score(goal, member, epochs, after) for member in members]

    def key_of(self, metric: str) -> str:
        """Where the study file names a metric."""
        several = len(self.objectives) > 1
        for place, goal in enumerate(self.objectives):
            table = f"objectives.{place}" if several else "objective"
            if metric in (goal.metric, test_name(goal.metric)):
                return f"{table}.metric"
            if metric == goal.count:
                return f"{table}.count"
        for key, name in self.beside.items():
            if metric in (name, test_name(name)):
                return key
        metrics = [limit.metric for limit in self.constraints]
        return f"constraints.{metrics.index(metric)}.metric"


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _history(member: MemberRecord, metric: str) -> list[float]:
    if metric not in member.history:
        raise MissingMetric(metric)
    return member.history[metric]


def _curve(member: MemberRecord, metric: str, epochs: int, after: int = 0) -> list[float]:
    """Of the training that began after this epoch."""
    return _history(member, metric)[_places(member, epochs, after)]


def _places(member: MemberRecord, epochs: int, after: int) -> slice:
    return slice(bisect_right(member.epochs, after), member.epochs.index(epochs) + 1)


def _last(member: MemberRecord, metric: str, epochs: int) -> float:
    return _curve(member, metric, epochs)[-1]


def _score(goal: Objective, member: MemberRecord, epochs: int, after: int) -> float:
    """The objective of one member after this many epochs: the last's, or the best one's if asked
    for; or what it took to reach a level, and where it was not reached what was spent.

    Args:
        after: the epoch that its training began after.
    """
    curve = _curve(member, goal.metric, epochs, after)
    if goal.level is None:
        best = max if goal.direction == "maximize" else min
        return best(curve) if goal.best_epoch else curve[-1]
    spent = (
        [float(epoch - after) for epoch in member.epochs[_places(member, epochs, after)]]
        if goal.count == EPOCHS
        else _curve(member, goal.count, epochs, after)
    )
    there = (place for place, value in enumerate(curve) if _reached(goal, value))
    return spent[next(there, len(curve) - 1)]


def _reached(goal: Objective, value: float) -> bool:
    if goal.rises_to is not None:
        return value >= goal.rises_to
    assert goal.falls_to is not None
    return value <= goal.falls_to


def _shortfall(goal: Objective, member: MemberRecord, epochs: int, after: int) -> float:
    """The share of a level that the best epoch so far is away from it; 0 where it was reached."""
    assert goal.level is not None
    curve = [v for v in _curve(member, goal.metric, epochs, after) if math.isfinite(v)]
    if not curve:
        return FAR_OFF
    missing = goal.level - max(curve) if goal.rises_to is not None else min(curve) - goal.level
    return max(0.0, missing / (abs(goal.level) or 1.0))


def _violation(limit: Constraint, value: float) -> float:
    if not math.isfinite(value):
        return FAR_OFF
    bound = limit.at_least if limit.at_most is None else limit.at_most
    assert bound is not None
    over = value - bound if limit.at_most is not None else bound - value
    return over / (abs(bound) or 1.0)
