"""Losses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.nn.base import Array


class SoftmaxCrossEntropy:
    """L = -1/B sum_i log softmax(z_i)[t_i], the mean over a mini-batch, in nats."""

    def __init__(self) -> None:
        self._rows = np.arange(0)  # of the last mini-batch's shape

    def value_and_gradient(
        self, logits: Array, labels: NDArray[np.integer[Any]]
    ) -> tuple[Array, Array]:
        """Loss (P,) and d loss / d logits (P, B, K), written over `logits`.

        Args:
            logits: (P, B, K), overwritten.
            labels: (P, B), whole numbers in [0, K).
        """
        z = logits
        flat = z.reshape(-1, z.shape[2])  # (P B, K), a view
        if len(self._rows) != len(flat):
            self._rows = np.arange(len(flat))
        correct = (self._rows, labels.reshape(-1))
        z -= z.max(axis=2, keepdims=True)
        picked = flat[correct].reshape(labels.shape)
        np.exp(z, out=z)
        total = z.sum(axis=2, keepdims=True)
        loss: Array = (np.log(total[..., 0]) - picked).mean(axis=1)
        z /= total
        flat[correct] -= 1
        z *= z.dtype.type(1 / z.shape[1])
        return loss, z

    def column_losses(self, logits: Array, labels: NDArray[np.integer[Any]]) -> Array:
        """The loss of each image, (P, N), from logits in columns, (P, K, N)."""
        top = logits.max(axis=1, keepdims=True)
        total = np.exp(logits - top).sum(axis=1)
        picked = logits[:, labels, np.arange(len(labels))]
        losses: Array = np.log(total) + top[:, 0] - picked
        return losses
