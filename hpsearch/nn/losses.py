"""Losses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.nn.base import Array, Buffers

Labels = NDArray[Any]  # classes, or numbers to predict


class Loss(ABC):
    """The contract: from a network's K outputs an image and what is true of it to a number."""

    softmax: ClassVar[bool] = False  # its outputs become probabilities by a softmax

    @abstractmethod
    def gradient(self, outputs: Array, labels: Labels) -> Array:
        """d L / d outputs of the mean loss over the mini-batch, (P, B, K), over `outputs`.

        Args:
            outputs: (P, B, K), overwritten.
            labels: (P, B), classes in [0, K), or the numbers to predict where K is 1.
        """

    @abstractmethod
    def losses(self, outputs: Array, labels: Labels) -> Array:
        """The loss of each image, (P, B), from outputs (P, B, K) and labels (P, B)."""

    def value_and_gradient(self, outputs: Array, labels: Labels) -> tuple[Array, Array]:
        """Mean loss over the mini-batch, (P,), and its `gradient`, over `outputs`."""
        value: Array = self.losses(outputs, labels).mean(axis=1)
        return value, self.gradient(outputs, labels)


class ClassLoss(Loss):
    """The contract of a loss of classes: labels are whole numbers in [0, K)."""

    def __init__(self) -> None:
        self._starts = np.arange(0)  # of the last mini-batch's rows in all its outputs

    @abstractmethod
    def column_losses(self, outputs: Array, picked: Array, top: Array) -> Array:
        """The loss of each image, (P, N), from outputs in columns, (P, K, N).

        Args:
            picked: the output of each image's true class, (P, N).
            top: the largest output of each image, (P, N).
        """

    def _subtract_one_hot(self, outputs: Array, labels: Labels) -> None:
        """Take 1 from the output of each image's true class, in place."""
        flat = outputs.reshape(-1)  # a view
        flat[self._true(outputs, labels)] -= 1

    def _true(self, outputs: Array, labels: Labels) -> NDArray[np.intp]:
        """Where the outputs of the true classes are among all outputs in a row, (P B,)."""
        if len(self._starts) != labels.size or self._starts[-1] != outputs.size - outputs.shape[2]:
            self._starts = np.arange(0, outputs.size, outputs.shape[2])
        return self._starts + labels.reshape(-1)


def scored_columns(outputs: Array, labels: Labels, loss: ClassLoss) -> tuple[Array, Array]:
    """Whether each image's class has the largest output, and its loss, both (P, N).

    Among equal outputs the first counts, as for argmax, which is ten times as slow across rows
    and so is only asked where there are equals (or no numbers).

    Args:
        outputs: (P, K, N), images as columns.
        labels: (N,), whole numbers in [0, K).
    """
    top = outputs.max(axis=1)
    picked = outputs[:, labels, np.arange(len(labels))]
    # Every column of numbers has one largest at least, so that many in all is one in each.
    if np.isfinite(top).all() and np.count_nonzero(outputs == top[:, None]) == top.size:
        hits = picked == top
    else:
        hits = outputs.argmax(axis=1) == labels
    return hits, loss.column_losses(outputs, picked, top)


class SoftmaxCrossEntropy(ClassLoss):
    """L = -1/B sum_i log softmax(z_i)[t_i], in nats; the outputs z are logits."""

    softmax: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._buffers = Buffers()

    def gradient(self, outputs: Array, labels: Labels) -> Array:
        self._softmax(outputs)
        self._subtract_one_hot(outputs, labels)
        outputs *= outputs.dtype.type(1 / outputs.shape[1])
        return outputs

    def value_and_gradient(self, outputs: Array, labels: Labels) -> tuple[Array, Array]:
        picked = outputs.reshape(-1)[self._true(outputs, labels)]
        top, total = self._softmax(outputs)
        losses = (np.log(total) + (top - picked)).reshape(labels.shape)
        self._subtract_one_hot(outputs, labels)
        outputs *= outputs.dtype.type(1 / outputs.shape[1])
        return losses.mean(axis=1), outputs

    def _softmax(self, outputs: Array) -> tuple[Array, Array]:
        """Probabilities, over `outputs`; returns each image's top and sum exp(z - top), (P B,).

        The classes are made rows first: maxima and sums along whole rows take a third of the time
        that those across ten numbers each take. A single image gets a neighbour, as NumPy would
        add one column in another order than several.
        """
        flat = outputs.reshape(-1, outputs.shape[2])  # a view
        n = len(flat)
        z = self._buffers.get("classes", (flat.shape[1], max(n, 2)), outputs)
        z[:, n:] = 0
        z[:, :n] = flat.T
        top = z.max(axis=0)
        z -= top
        np.exp(z, out=z)
        total = z.sum(axis=0)
        z /= total
        flat[...] = z[:, :n].T
        return top[:n], total[:n]

    def losses(self, outputs: Array, labels: Labels) -> Array:
        z = outputs - outputs.max(axis=2, keepdims=True)
        picked = np.take_along_axis(z, labels[..., None], axis=2)[..., 0]
        losses: Array = np.log(np.exp(z).sum(axis=2)) - picked
        return losses

    def column_losses(self, outputs: Array, picked: Array, top: Array) -> Array:
        z = outputs - top[:, None]
        losses: Array = np.log(np.exp(z, out=z).sum(axis=1)) + (top - picked)
        return losses


class MeanSquaredError(ClassLoss):
    """L = 1/(2B) sum_i |z_i - e(t_i)|^2, with e(t) the one-hot vector of class t.

    The textbook's 1/2 sum_k (z_k - e_k)^2 an image, without a softmax before it, so that the
    gradient is the plain difference (z - e) / B.
    """

    def gradient(self, outputs: Array, labels: Labels) -> Array:
        self._subtract_one_hot(outputs, labels)
        outputs *= outputs.dtype.type(1 / outputs.shape[1])
        return outputs

    def losses(self, outputs: Array, labels: Labels) -> Array:
        difference = outputs.copy()
        self._subtract_one_hot(difference, labels)
        losses: Array = np.square(difference, out=difference).sum(axis=2) / 2
        return losses

    def column_losses(self, outputs: Array, picked: Array, top: Array) -> Array:
        # |z - e|^2 = |z|^2 - 2 z_t + 1
        losses: Array = (np.square(outputs).sum(axis=1) + 1) / 2 - picked
        return losses


class SquaredError(Loss):
    """L = 1/(2B) sum_i (z_i - t_i)^2 of numbers t to predict, with one output z an image."""

    def gradient(self, outputs: Array, labels: Labels) -> Array:
        outputs -= labels[..., None]
        outputs *= outputs.dtype.type(1 / outputs.shape[1])
        return outputs

    def losses(self, outputs: Array, labels: Labels) -> Array:
        losses: Array = np.square(outputs[..., 0] - labels) / 2
        return losses


# By the name a study file's `loss` uses, for classes.
LOSSES: dict[str, type[ClassLoss]] = {
    "softmax-cross-entropy": SoftmaxCrossEntropy,
    "mean-squared-error": MeanSquaredError,
}
# The one of them that is a loss of numbers too, as SquaredError.
LOSS_OF_NUMBERS = "mean-squared-error"


def loss_named(name: str, n_classes: int) -> type[Loss]:
    """What a key of LOSSES means for data with so many classes; 0 where numbers are predicted,
    which have one loss, whatever is named."""
    return LOSSES[name] if n_classes else SquaredError
