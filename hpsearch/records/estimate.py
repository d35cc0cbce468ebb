"""A mean over repeats, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hpsearch.counts import count_of
from hpsearch.metrics import range_of

PLAIN = "t interval"
CORRECTED = "corrected resampled t interval"
ROWS = "t interval with the bootstrap error of the test rows"
FEW = ", too few to say much"
UNPAIRED = "interval of the difference of two independent means"


@dataclass(frozen=True)
class Estimate:
    """A mean over repeats with its 95 % interval; low and high are None where it has none.

    Attributes:
        values: one a repeat.
        over: what the repeats differ in: "seeds", "fresh splits" or "refits".
        method: the kind of interval.
        rows: test rows whose luck is part of the interval; 0: of none.
        half: half the width of the interval before it was cut to the metric's range; None: it was
            not cut.
    """

    mean: float
    low: float | None
    high: float | None
    values: list[float]
    over: str = "seeds"
    method: str = PLAIN
    rows: int = 0
    half: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.mean:.4f}"
        if self.is_constant:
            return f"{self.mean:.4f} (the same on all {len(self.values)} {self.over})"
        interval = f"95 % interval {self.low:.4f} … {self.high:.4f}"
        return f"{self.mean:.4f} ({interval}, {self.of_what}{FEW * self.is_of_few})"

    @property
    def is_constant(self) -> bool:
        """Whether nothing random is in it, so that there is no interval to speak of."""
        return self.method in (PLAIN, CORRECTED) and min(self.values) == max(self.values)

    @property
    def is_of_few(self) -> bool:
        """Whether it is over two repeats: its interval is 13 times as wide as they are apart."""
        return self.method == PLAIN and len(self.values) == 2 and not self.is_constant

    @property
    def distance(self) -> float | None:
        """Half the width of its interval, as if it had not been cut; None where it has none."""
        return self.mean - self.low if self.half is None and self.low is not None else self.half

    @property
    def of_what(self) -> str:
        """What it is a mean over, in words."""
        rows = f" and {count_of(self.rows, 'test row')}" if self.rows else ""
        return f"{count_of(len(self.values), self.over.removesuffix('s'), self.over)}{rows}"

    @property
    def signed(self) -> str:
        """As a difference: "+0.0310 (0.0120 … 0.0500)"."""
        if self.low is None or self.high is None or self.is_constant:
            return f"{self.mean:+.4f}"
        return f"{self.mean:+.4f} ({self.low:+.4f} … {self.high:+.4f})"

    @property
    def sign(self) -> int:
        """1 or -1 where all of the interval is above or below 0, else 0."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)

    def within_range(self, metric: str) -> Estimate:
        """This estimate of a metric, its interval cut to what the metric can be.

        As it is where the metric is not known, or has values that the known one can't have.
        """
        bottom, top = range_of(metric)
        if self.low is None or self.high is None or (self.low >= bottom and self.high <= top):
            return self
        if any(not bottom <= value <= top for value in (self.mean, *self.values)):
            return self
        low, high = max(self.low, bottom), min(self.high, top)
        return replace(self, low=low, high=high, half=self.distance)

    @classmethod
    def optional(cls, said: Mapping[str, Any] | None, metric: str = "") -> Estimate | None:
        """The inverse of `asdict`, of one that may be missing.

        Args:
            metric: what it is of; "": of a difference. Intervals were not cut once.
        """
        return None if said is None else cls(**said).within_range(metric)


def estimates_of(said: Mapping[str, Any]) -> dict[str, Estimate]:
    """The inverse of `asdict` for estimates by the metric that they are of."""
    return {metric: Estimate(**one).within_range(metric) for metric, one in said.items()}
