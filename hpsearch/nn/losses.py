"""Losses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.nn.base import Array

Labels = NDArray[np.integer[Any]]


class Loss(ABC):
    """The contract: from a network's K outputs an image and the true classes to a number."""

    def __init__(self) -> None:
        self._rows = np.arange(0)  # of the last mini-batch's shape

    @abstractmethod
    def value_and_gradient(self, outputs: Array, labels: Labels) -> tuple[Array, Array]:
        """Mean loss over the mini-batch, (P,), and d loss / d outputs (P, B, K), over `outputs`.

        Args:
            outputs: (P, B, K), overwritten.
            labels: (P, B), whole numbers in [0, K).
        """

    @abstractmethod
    def column_losses(self, outputs: Array, labels: Labels) -> Array:
        """The loss of each image, (P, N), from outputs in columns, (P, K, N)."""

    def _correct(self, labels: Labels) -> tuple[Labels, Labels]:
        """Where the outputs of the true classes are in (P B, K)."""
        if len(self._rows) != labels.size:
            self._rows = np.arange(labels.size)
        return self._rows, labels.reshape(-1)


class SoftmaxCrossEntropy(Loss):
    """L = -1/B sum_i log softmax(z_i)[t_i], in nats; the outputs z are logits."""

    def value_and_gradient(self, outputs: Array, labels: Labels) -> tuple[Array, Array]:
        z = outputs
        flat = z.reshape(-1, z.shape[2])  # (P B, K), a view
        correct = self._correct(labels)
        z -= z.max(axis=2, keepdims=True)
        picked = flat[correct].reshape(labels.shape)
        np.exp(z, out=z)
        total = z.sum(axis=2, keepdims=True)
        loss: Array = (np.log(total[..., 0]) - picked).mean(axis=1)
        z /= total
        flat[correct] -= 1
        z *= z.dtype.type(1 / z.shape[1])
        return loss, z

    def column_losses(self, outputs: Array, labels: Labels) -> Array:
        top = outputs.max(axis=1, keepdims=True)
        total = np.exp(outputs - top).sum(axis=1)
        picked = outputs[:, labels, np.arange(len(labels))]
        losses: Array = np.log(total) + top[:, 0] - picked
        return losses


class MeanSquaredError(Loss):
    """L = 1/(2B) sum_i |z_i - e(t_i)|^2, with e(t) the one-hot vector of class t.

    The textbook's 1/2 sum_k (z_k - e_k)^2 an image, without a softmax before it, so that the
    gradient is the plain difference (z - e) / B.
    """

    def value_and_gradient(self, outputs: Array, labels: Labels) -> tuple[Array, Array]:
        z = outputs
        z.reshape(-1, z.shape[2])[self._correct(labels)] -= 1
        loss: Array = np.square(z).sum(axis=2).mean(axis=1) / 2
        z *= z.dtype.type(1 / z.shape[1])
        return loss, z

    def column_losses(self, outputs: Array, labels: Labels) -> Array:
        difference = outputs.copy()
        difference[:, labels, np.arange(len(labels))] -= 1
        losses: Array = np.square(difference, out=difference).sum(axis=1) / 2
        return losses


# By the name a study file's `loss` uses.
LOSSES: dict[str, type[Loss]] = {
    "softmax-cross-entropy": SoftmaxCrossEntropy,
    "mean-squared-error": MeanSquaredError,
}
