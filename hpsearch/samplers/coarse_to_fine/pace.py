"""How fast a search narrows, and the random streams that its draws come from."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

MIN_ELITES, MAX_ELITES = 3, 10


@dataclass(frozen=True)
class Pace:
    """The numbers of CoarseToFineSampler that say when and how far it narrows."""

    n_startup: int
    narrow_every: int
    shrink: float
    bandwidth: float
    floor: float
    top: float

    def __post_init__(self) -> None:
        for name, least in (("n_startup", 0), ("narrow_every", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(
                    f"{name} must be a whole number of at least {least}, got {value!r}"
                )
        for name in ("shrink", "bandwidth", "floor", "top"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {value!r}")

    def steps(self, n_seen: int) -> int:
        """Narrowing steps done after so many trials."""
        if n_seen < self.n_startup:
            return 0
        return 1 + (n_seen - self.n_startup) // self.narrow_every

    def width(self, n_seen: int) -> float:
        """Deviation of draws around an elite, in unit space."""
        return max(self.floor, self.bandwidth * self.shrink ** self.steps(n_seen))

    def mutation(self, n_seen: int) -> float:
        """Probability that a category is drawn anew."""
        return max(0.1, 0.4 * self.shrink ** self.steps(n_seen))

    def n_elites(self, n_seen: int) -> int:
        """How many of so many trials are elites."""
        return int(np.clip(math.ceil(self.top * n_seen), MIN_ELITES, MAX_ELITES))


@dataclass(frozen=True)
class Streams:
    """Random numbers that are functions of a seed and of what they are for."""

    seed: Any

    def generator(self, *of: int | str) -> np.random.Generator:
        """The stream of, say, a trial's number and a parameter's name."""
        said = (zlib.crc32(x.encode()) if isinstance(x, str) else x for x in of)
        return np.random.default_rng(np.random.SeedSequence((self.seed, *said)))

    def hypercube_place(self, number: int, name: str, n: int) -> float:
        """Place of one of the first n trials in unit space: each of n cells is used once."""
        cells = self.generator(name).permutation(n)
        return float(cells[number] + self.generator(number, name).random()) / n
