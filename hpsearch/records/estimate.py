"""A mean over repeats, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpsearch.counts import count_of

PLAIN = "t interval"
CORRECTED = "corrected resampled t interval"
ROWS = "t interval with the bootstrap error of the test rows"
UNPAIRED = "interval of the difference of two independent means"


@dataclass(frozen=True)
class Estimate:
    """A mean over repeats with its 95 % interval; low and high are None where it has none.

    Attributes:
        values: one a repeat.
        over: what the repeats differ in: "seeds", "fresh splits" or "refits".
        method: the kind of interval.
        rows: test rows whose luck is part of the interval; 0: of none.
    """

    mean: float
    low: float | None
    high: float | None
    values: list[float]
    over: str = "seeds"
    method: str = PLAIN
    rows: int = 0

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.mean:.4f}"
        if self.is_constant:
            return f"{self.mean:.4f} (the same on all {len(self.values)} {self.over})"
        interval = f"95 % interval {self.low:.4f} … {self.high:.4f}"
        return f"{self.mean:.4f} ({interval}, {self.of_what})"

    @property
    def is_constant(self) -> bool:
        """Whether nothing random is in it, so that there is no interval to speak of."""
        return self.method in (PLAIN, CORRECTED) and min(self.values) == max(self.values)

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

    @classmethod
    def optional(cls, said: Mapping[str, Any] | None) -> Estimate | None:
        """The inverse of `asdict`, of one that may be missing."""
        return None if said is None else cls(**said)
