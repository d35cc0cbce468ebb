"""Training in the span of the training images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from hpsearch.nn.base import Array
from hpsearch.trainers.base import EVALUATION_CHUNK, TrainingData
from hpsearch.trainers.inputs import Reduction, learned_rows


@dataclass(frozen=True)
class Span(Reduction):
    """E = Q, an orthonormal basis of the training images; for rotation-invariant optimizers.

    Attributes:
        basis: Q, (D, n).
    """

    basis: Array
    worthwhile_below: ClassVar[float] = 0.8

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, data: TrainingData, dtype: np.dtype[np.floating]) -> Span:
        # Found in float64 for both dtypes.
        learned = learned_rows(data)
        basis, _ = np.linalg.qr(data.floats(learned, np.float64).T)
        chunks = [
            data.floats(slice(start, start + EVALUATION_CHUNK), np.float64) @ basis
            for start in range(0, len(data.labels), EVALUATION_CHUNK)
        ]
        rotated = TrainingData(
            np.concatenate(chunks).astype(dtype),
            data.labels,
            n_classes=data.n_classes,
            splits=data.splits,
            scored=data.scored,
        )
        return cls(rotated, rotated, data, learned, basis.astype(dtype))

    @classmethod
    def width(cls, data: TrainingData) -> int:
        return len(learned_rows(data))

    def parts(self, weights: Array) -> tuple[Array, Array]:
        inside: Array = self.basis.T @ weights
        return inside, weights - self.basis @ inside

    def joined(self, inside: Array, initial: Array, factor: float) -> Array:
        _, outside = self.parts(initial)
        joined: Array = self.basis @ inside + np.asarray(factor, outside.dtype) * outside
        return joined
