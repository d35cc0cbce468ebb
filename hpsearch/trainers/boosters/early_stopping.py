"""When an ensemble stops to grow, by its own loss on rows that it does not learn from.

Each library records the loss that its trees are grown for after every one of them: log loss of
classes, squared error of numbers, or what a study names instead. The rule is one for all: of the
trees 1 to b with the lowest loss so far, the growth ends with tree b + rounds. A tree must be
better than all before it; an equal one is not. The ensemble predicts with its first b trees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARGUMENT = "early_stopping_rounds"
LEAST_STEP = 10  # trees grown between two looks at the losses; each step makes bins anew


@dataclass(frozen=True)
class Watched:
    """Rows that an ensemble is watched on while it grows.

    Attributes:
        x: inputs (N, D).
        y: (N,) as the ensemble is given them to learn from.
        weights: (N,) how much each row counts; None: all alike.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    weights: NDArray[np.float64] | None = None

    def of_classes(self, classes: NDArray[np.int64]) -> Watched | None:
        """The rows of these classes, which are sorted, by the place of each; None: there are none.

        Rows of a class that an ensemble does not know cost it the same with any number of trees.
        """
        known = np.isin(self.y, classes)
        weights = None if self.weights is None else self.weights[known]
        codes = np.searchsorted(classes, self.y[known])
        return Watched(self.x[known], codes, weights).weighing()

    def weighing(self) -> Watched | None:
        """The same; None where no row counts."""
        counts = len(self.y) > 0 if self.weights is None else bool(self.weights.any())
        return self if counts else None


@dataclass
class EarlyStopping:
    """The losses of an ensemble's trees so far.

    Attributes:
        rounds: trees without a better loss that end the growth.
        seen: trees so far.
        best: of them, those up to the lowest loss.
        loss: that.
    """

    rounds: int
    seen: int = 0
    best: int = 0
    loss: float = math.inf

    @property
    def ended(self) -> bool:
        """Whether no tree is to be added."""
        return self.seen - self.best >= self.rounds

    @property
    def step(self) -> int:
        """Trees to grow before `see` is told of their losses."""
        return max(self.rounds, LEAST_STEP)

    def see(self, losses: Sequence[float]) -> None:
        """Note the losses after trees that were added; those after the end do not count."""
        for loss in losses:
            if self.ended:
                return
            self.seen += 1
            if self.best == 0 or loss < self.loss:
                self.best, self.loss = self.seen, math.inf if math.isnan(loss) else loss
