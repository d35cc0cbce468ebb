"""Losses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.nn.base import Array


class SoftmaxCrossEntropy:
    """L = -1/B sum_i log softmax(z_i)[t_i], the mean over a mini-batch, in nats."""

    def value_and_gradient(
        self, logits: Array, labels: NDArray[np.integer[Any]]
    ) -> tuple[Array, Array]:
        """Loss (P,) and d loss / d logits (P, B, K), written over `logits`.

        Args:
            logits: (P, B, K), overwritten.
            labels: (P, B), whole numbers in [0, K).
        """
        picked = labels[..., None]
        z = logits
        z -= z.max(axis=2, keepdims=True)
        correct = np.take_along_axis(z, picked, axis=2)  # (P, B, 1)
        np.exp(z, out=z)
        total = z.sum(axis=2, keepdims=True)
        loss: Array = (np.log(total) - correct)[..., 0].mean(axis=1)
        z /= total
        np.put_along_axis(z, picked, np.take_along_axis(z, picked, axis=2) - 1, axis=2)
        z *= z.dtype.type(1 / z.shape[1])
        return loss, z

    def column_losses(self, logits: Array, labels: NDArray[np.integer[Any]]) -> Array:
        """The loss of each image, (N,), from logits in columns, (K, N)."""
        top = logits.max(axis=0)
        total = np.exp(logits - top).sum(axis=0)
        picked = logits[labels, np.arange(len(labels))]
        losses: Array = np.log(total) + top - picked
        return losses
