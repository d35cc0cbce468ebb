"""Training in the span of the training images: fewer inputs, the same network.

With n training images of D > n pixels, every gradient of a first affine layer is a sum of training
images times something, so it lies in their span. Let Q (D, n) be an orthonormal basis of it:

    W(t) = Q A(t) + r(t) R,    Q^T R = 0

A (n, H) is trained on the images x Q. R = W(0) - Q Q^T W(0) never gets a gradient but the weight
penalty's, which is lambda r R: so r is one more number that the optimizer moves from 1 with
gradient lambda r. This holds for every optimizer that treats all directions alike (SGD, Momentum;
not Adam, which divides by a size for each coordinate). An image of the span has no R part; any
other image x is scored with A^T (Q^T x) + r R^T x, where R^T x is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hpsearch.nn.base import Array
from hpsearch.trainers.base import EVALUATION_CHUNK, Indices, TrainingData

WORTHWHILE = 0.8  # of the inputs: with more training images than that, the rotation gains nothing


@lru_cache(maxsize=4)
def learned_rows(data: TrainingData) -> Indices:
    """Rows that any split trains on."""
    return np.unique(np.concatenate([split.train for split in data.splits]))


def worthwhile(data: TrainingData) -> bool:
    """Whether the training images span much less than the input space."""
    return len(learned_rows(data)) <= WORTHWHILE * data.n_inputs


@dataclass(frozen=True)
class Span:
    """The span of all training rows of all splits: one basis, so that members can share it.

    Attributes:
        basis: Q, (D, n).
        data: the same examples with inputs x Q, (N, n).
        learned: rows whose images lie in the span.
    """

    basis: Array
    data: TrainingData
    learned: Indices

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, data: TrainingData, dtype: np.dtype[np.floating]) -> Span:
        """The span of a data set's training rows, found in float64; made once a data set."""
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
        )
        return cls(basis.astype(dtype), rotated, learned)

    def split(self, weights: Array, data: TrainingData) -> tuple[Array, Array]:
        """First-layer weights W(0), (D, H), as A(0), (n, H), and R^T x of all images, (H, N)."""
        inside: Array = self.basis.T @ weights
        outside = weights - self.basis @ inside
        fixed = np.concatenate([outside.T @ x for x in data.columns(weights.dtype)], axis=1)
        fixed[:, self.learned] = 0
        return inside, fixed
