"""Numbers that networks predict: learned with mean 0 and deviation 1, told in their own units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpsearch.nn.base import Array


@dataclass(frozen=True)
class TargetScale:
    """z = (t - mean) / deviation of a number t, by the rows that one network is trained on.

    An output is then about 1 in size whatever the unit, and no row that the network is scored on
    has a part in it.
    """

    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(
        cls, numbers: NDArray[np.float64], weights: NDArray[np.float64] | None = None
    ) -> TargetScale:
        """Of the numbers of its training rows, (n_train,); equal ones are only shifted.

        Args:
            weights: (n_train,), of which one is above 0; None: all alike.
        """
        differ = len(numbers) > 0 and bool(np.ptp(numbers) > 0)
        if weights is None:
            return cls(float(numbers.mean()), float(numbers.std()) if differ else 1.0)
        mean = np.average(numbers, weights=weights)
        deviation = float(np.sqrt(np.average(np.square(numbers - mean), weights=weights)))
        return cls(float(mean), deviation if deviation > 0 else 1.0)

    def in_units(self, outputs: Array) -> NDArray[np.float64]:
        """Outputs z as numbers t."""
        told: NDArray[np.float64] = outputs.astype(np.float64)
        told *= self.deviation
        told += self.mean
        return told


AS_THEY_ARE = TargetScale()


class Targets:
    """The numbers of all rows, (N,), as each of P networks learns them.

    Args:
        numbers: (N,), in their units.
        trained: the rows that each network is trained on.
        weights: how much each of these counts; None: all alike.
    """

    def __init__(
        self,
        numbers: NDArray[np.float64],
        trained: Sequence[NDArray[np.intp]],
        weights: Sequence[NDArray[np.float64] | None],
    ) -> None:
        self._numbers = numbers
        self.scales = [
            TargetScale.of(numbers[rows], own) for rows, own in zip(trained, weights, strict=True)
        ]
        self._means = np.array([[scale.mean] for scale in self.scales])
        self._deviations = np.array([[scale.deviation] for scale in self.scales])

    def standardised(self, rows: NDArray[np.intp], dtype: np.dtype[np.floating]) -> Array:
        """z of one mini-batch a network, (P, B)."""
        targets = self._numbers.take(rows)
        targets -= self._means
        targets /= self._deviations
        return targets.astype(dtype)
