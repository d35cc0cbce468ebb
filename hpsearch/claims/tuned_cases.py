"""The compared cases of a study, as their searches ended: what checks ask of tuned winners."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.errors import unknown
from hpsearch.records.estimate import Estimate
from hpsearch.records.result import ArmResult


@dataclass(frozen=True)
class TunedDifference:
    """How two tuned winners differ in a metric, repeat by repeat.

    Attributes:
        estimate: the metric of the first minus that of the second, with its 95 % interval.
        sign: 1 if higher is better, else -1.
        p: the two-sided p-value that the difference is 0, by the same distribution as the
            interval; None where there is no interval.
    """

    estimate: Estimate
    sign: int
    p: float | None

    @property
    def judgement(self) -> int:
        """1 if the first is better, -1 if it is worse, 0 if the interval contains 0."""
        return self.sign * self.estimate.sign

    @property
    def text(self) -> str:
        """ "+0.0180 (95 % t interval -0.0155 … +0.0515, paired over 5 refits)"."""
        one = self.estimate
        if one.low is None or one.high is None:
            return f"{one.mean:+.4f}, from a single repeat, which has no interval"
        if one.is_constant:
            return f"{one.mean:+.4f}, the same in all {one.of_what}"
        ends = f"{one.low:+.4f} … {one.high:+.4f}"
        return f"{one.mean:+.4f} (95 % {one.method} {ends}, paired over {one.of_what})"


class TunedCases(ABC):
    """The winners of the compared cases; each was confirmed and, if there is a test, refitted.

    Attributes:
        cases: each with its compared values, its winner's trial and scores.
    """

    cases: Sequence[ArmResult]

    @abstractmethod
    def difference(self, first: ArmResult, second: ArmResult, metric: str) -> TunedDifference:
        """How the winner of one case differs from that of another.

        Args:
            metric: an objective, on validation data, or a metric of the test set.

        Raises:
            ValueError: the metric is none of these, or the repeats of the two are no pairs.
        """

    @property
    def compared(self) -> Sequence[str]:
        """The names of the compared hyperparameters."""
        return list(self.cases[0].values)

    def case(self, values: Mapping[str, Any]) -> ArmResult:
        """The case with these compared values.

        Raises:
            ValueError: there is none or more than one, or it has no winner.
        """
        found = self.cases[case_place(values, [case.values for case in self.cases])]
        if found.best_number is None:
            raise ValueError(f"{found.name} has no winner: {found.failure}")
        return found


def case_place(values: Mapping[str, Any], cases: Sequence[Mapping[str, Any]]) -> int:
    """The place of the only case with these values.

    Args:
        cases: the compared values of each.

    Raises:
        ValueError: there is none, or more than one.
    """
    compared = [*cases[0]] if cases else []
    if not compared:
        raise ValueError("the study must compare cases, compare = [...], and compares none")
    for name in values:
        if name not in compared:
            raise ValueError(f"{name!r} must be compared: {unknown(name, compared)}")
    found = [place for place, case in enumerate(cases) if values.items() <= case.items()]
    if not found:
        known = "; ".join(map(_name, cases))
        raise ValueError(f"must be one of the cases {known}, got {_name(values)}")
    if len(found) > 1:
        left = [name for name in compared if name not in values]
        raise ValueError(f"must be one case, got {len(found)}: name {' and '.join(left)} in where")
    return found[0]


def _name(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
