"""Fewer inputs, the same training: exact, and invisible apart from the speed.

Let the columns of E (D, n), n < D, be orthonormal and let every training image x lie in their
span: x = E E^T x. A first affine layer W only meets them as x W, so its gradient lies in the span
too. Split it:

    W(t) = E A(t) + r(t) R,    R = W(0) - E E^T W(0)

A (n, H) is trained on the images x E. R never gets a gradient of the data: where weight decay
shrinks it by one factor (WeightDecay.scales), that factor is r, one more number that the optimizer
moves from 1 as if it were a weight. A training image has no R part; any other image x is scored
with A^T (E^T x) + r R^T x, where R^T x is computed once.

    Span        E is a basis of the training images: fewer images than inputs. The optimizer must
                treat all directions alike (SGD, Momentum, Nesterov); Adam divides by a size for
                each coordinate, and its steps are others in other coordinates.
    LiveInputs  E picks the inputs that are not zero in all training images, in place, so that any
                optimizer takes the same steps: a weight without gradients stays where it is.

An l1 penalty, and an l2 penalty under an optimizer with a step size for each coordinate, move the
weights outside too, each at its own pace: then they stay in the network.

    LiveFirst   orders the inputs so that the live ones come first. All weights stay; only the
                products of the training step leave out the dead inputs' rows, which are zero.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from hpsearch.nn.base import Array
from hpsearch.nn.networks import Added
from hpsearch.trainers.base import Indices, TrainingData

FEW = 0.25  # of the images; where more have a part outside, picking them costs more than zeros


def once_a_data_set(found: Callable[[TrainingData], Indices]) -> Callable[[TrainingData], Indices]:
    """Have a function of a data set answer from memory, for as long as the data set is there."""
    known: WeakKeyDictionary[TrainingData, Indices] = WeakKeyDictionary()

    @wraps(found)
    def answer(data: TrainingData) -> Indices:
        if data not in known:
            known[data] = found(data)
        return known[data]

    return answer


@once_a_data_set
def learned_rows(data: TrainingData) -> Indices:
    """Rows that any split trains on."""
    return np.unique(np.concatenate([split.train for split in data.splits]))


@dataclass(frozen=True)
class Reduction(ABC):
    """The contract: for all training rows of all splits, so that members can share it.

    Attributes:
        data: the same examples with inputs x E, (N, n), to train on.
        scored: the same examples as the network's inputs are, to score on.
        rest: the same examples with the inputs that R has rows for.
        learned: rows whose images lie in the span of E.
    """

    data: TrainingData
    scored: TrainingData
    rest: TrainingData
    learned: Indices
    scales: ClassVar[bool] = True  # the weights left out move by one factor, which is trained
    worthwhile_below: ClassVar[float]  # of the inputs; with more of them left it gains nothing

    @classmethod
    @abstractmethod
    def of(cls, data: TrainingData, dtype: np.dtype[np.floating]) -> Reduction:
        """The reduction of a data set; made once a data set."""

    @classmethod
    @abstractmethod
    def width(cls, data: TrainingData) -> int:
        """n, without making it."""

    @classmethod
    def worthwhile(cls, data: TrainingData) -> bool:
        """Whether much fewer inputs are left, and any."""
        return 0 < cls.width(data) <= cls.worthwhile_below * data.n_inputs

    @abstractmethod
    def parts(self, weights: Array) -> tuple[Array, Array]:
        """W(0), (D, H), as A(0), (n, H), and the rows of R that are not zero for every W(0)."""

    @abstractmethod
    def joined(self, inside: Array, initial: Array, factor: float) -> Array:
        """W(t) = E A(t) + r(t) R, (D, H).

        Args:
            inside: A(t), (n, H).
            initial: W(0), which R is found from.
            factor: r(t).
        """

    def split(self, weights: Array, data: TrainingData) -> tuple[Array, list[Added] | None]:
        """First-layer weights W(0), (D, H), as the network's, and what the others add.

        That is R^T x of all scored images, for each portion of `data.columns`, or None.
        """
        inside, outside = self.parts(weights)
        if not self.scales:
            return inside, None
        learned = self.learned
        if data.scored is not None:
            learned = np.intersect1d(learned, data.scored)
        added: list[Added] = []
        start, places = 0, data.places(learned)
        for x in self.rest.columns(weights.dtype):
            portion: Array = outside.T @ x
            stop = start + x.shape[1]
            portion[:, places[(start <= places) & (places < stop)] - start] = 0
            met = np.flatnonzero(portion.any(axis=0))
            few = len(met) < FEW * x.shape[1]
            added.append(Added(met, portion[:, met]) if few else Added(slice(None), portion))
            start = stop
        return inside, added
