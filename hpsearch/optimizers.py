"""Optimizers, simplest first: a few vector lines on the flat parameters, knowing no layers.

An optimizer is a frozen dataclass of hyperparameters, with one instance per member. To update a
group of members at once, `stack` turns their hyperparameters into columns (p, 1); the arithmetic
is then the same for one member and for many. State is explicit: a dict of arrays like the weights.
Optimizers don't handle weight decay (trainers.weight_decay) or the change of the learning rate
during training (learning_rates).

Formulas and defaults are those of the lecture "training techniques" (chapter 6). Its mistakes are
corrected; each docstring names them. A running mean  m <- b m + (1 - b) x  is kept as the sum
M = m / (1 - b),  M <- b M + x:  a pass over the weights less, and the factor goes into a column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hpsearch.hyperparameters import hyperparameter, hyperparameters
from hpsearch.nn.base import Array

# Largest decay of a running mean: 1 - b must stay above 0 in float32.
LONGEST_MEMORY = 0.999999

Slots = dict[str, Array]
Columns = Mapping[str, Array]


class Optimizer(ABC):
    """The contract: `slots` names the state, `update` is the equation."""

    slots: ClassVar[tuple[str, ...]] = ()  # state arrays, shaped like the weights, 0 at the start
    rotation_invariant: ClassVar[bool] = False  # a rotated problem is solved by rotated steps

    @staticmethod
    @abstractmethod
    def update(
        w: Array, g: Array, slots: Slots, columns: Columns, *, step: int, scratch: Array
    ) -> None:
        """Move the weights of p members by one step, in place.

        Args:
            w: (p, n) weights, updated.
            g: (p, n) gradients, used up as scratch space.
            slots: the state arrays, each (p, n), updated.
            columns: every hyperparameter as a column (p, 1).
            step: number of this update, from 1.
            scratch: (p, n) with any content, overwritten: a new array in each step would cost more
                than the arithmetic in it.
        """


@dataclass(frozen=True)
class SGD(Optimizer):
    """W <- W - lr g."""

    learning_rate: float = hyperparameter(0.01, above=0, why="the textbook's")
    rotation_invariant: ClassVar[bool] = True

    @staticmethod
    def update(
        w: Array, g: Array, slots: Slots, columns: Columns, *, step: int, scratch: Array
    ) -> None:
        g *= columns["learning_rate"]
        w -= g


@dataclass(frozen=True)
class Momentum(Optimizer):
    """v <- a v - lr g;  W <- W + v.   Source: Polyak 1964, in the lecture's sign."""

    learning_rate: float = hyperparameter(0.01, above=0, why="the textbook's")
    momentum: float = hyperparameter(0.9, low=0, below=1, why="remembers about 10 steps")
    slots: ClassVar[tuple[str, ...]] = ("velocity",)
    rotation_invariant: ClassVar[bool] = True

    @staticmethod
    def update(
        w: Array, g: Array, slots: Slots, columns: Columns, *, step: int, scratch: Array
    ) -> None:
        v = slots["velocity"]
        g *= columns["learning_rate"]
        v *= columns["momentum"]
        v -= g
        w += v


@dataclass(frozen=True)
class Nesterov(Momentum):
    """Momentum whose gradient is taken where the velocity leads, in terms of the weights there:

        W <- W + a^2 v - (1 + a) lr g;   v <- a v - lr g,   both with the old v

    The slides' listing changes v first and then uses it in a^2 v: another, slower method. With
    the new v the same step is W <- W + a v - lr g, which is computed here.

    Source: Nesterov 1983; Bengio et al. 2013, eq. 7.
    """

    @staticmethod
    def update(
        w: Array, g: Array, slots: Slots, columns: Columns, *, step: int, scratch: Array
    ) -> None:
        v = slots["velocity"]
        g *= columns["learning_rate"]
        v *= columns["momentum"]
        v -= g
        w -= g
        np.multiply(columns["momentum"], v, out=g)
        w += g


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """h <- h + g^2;  W <- W - lr g / (sqrt(h) + eps).

    Source: Duchi, Hazan & Singer 2011, the diagonal form. The slides' formula has eps inside the
    root and their code outside; this is the code's.
    """

    learning_rate: float = hyperparameter(0.01, above=0, why="the textbook's")
    epsilon: float = hyperparameter(1e-7, above=0, why="the textbook's; representable in float32")
    slots: ClassVar[tuple[str, ...]] = ("square_sum",)

    @staticmethod
    def update(
        w: Array, g: Array, slots: Slots, columns: Columns, *, step: int, scratch: Array
    ) -> None:
        h = slots["square_sum"]
        np.square(g, out=scratch)
        h += scratch
        np.sqrt(h, out=scratch)
        scratch += columns["epsilon"]
        g /= scratch
        g *= columns["learning_rate"]
        w -= g


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """h <- r h + (1 - r) g^2;  W <- W - lr g / (sqrt(h) + eps).

    Source: Tieleman & Hinton 2012, lecture 6.5. The slides' formula has eps inside the root and
    their code outside; this is the code's.
    """

    learning_rate: float = hyperparameter(0.01, above=0, why="the textbook's")
    decay_rate: float = hyperparameter(0.95, low=0, high=LONGEST_MEMORY, why="the textbook's")
    epsilon: float = hyperparameter(1e-7, above=0, why="the textbook's; representable in float32")
    slots: ClassVar[tuple[str, ...]] = ("square_sum",)

    @staticmethod
    def update(
        w: Array, g: Array, slots: Slots, columns: Columns, *, step: int, scratch: Array
    ) -> None:
        h, r = slots["square_sum"], columns["decay_rate"]  # h / (1 - r)
        root = np.sqrt(1 - r)
        np.square(g, out=scratch)
        h *= r
        h += scratch
        np.sqrt(h, out=scratch)
        scratch += columns["epsilon"] / root
        g /= scratch
        g *= columns["learning_rate"] / root
        w -= g


@dataclass(frozen=True)
class AdaDelta(Optimizer):
    """Steps whose length follows that of the last steps, relative to the gradients:

        h <- r h + (1 - r) g^2;   d = sqrt(s + eps) / sqrt(h + eps) g
        s <- r s + (1 - r) d^2;   W <- W - lr d

    Source: Zeiler 2012, algorithm 1, where lr is 1. The slides' listing updates s one call late.
    """

    learning_rate: float = hyperparameter(1.0, above=0, why="Zeiler: none needed")
    decay_rate: float = hyperparameter(0.95, low=0, high=LONGEST_MEMORY, why="Zeiler")
    epsilon: float = hyperparameter(1e-7, above=0, why="the textbook's; representable in float32")
    slots: ClassVar[tuple[str, ...]] = ("square_sum", "step_sum")

    @staticmethod
    def update(
        w: Array, g: Array, slots: Slots, columns: Columns, *, step: int, scratch: Array
    ) -> None:
        h, s, r = slots["square_sum"], slots["step_sum"], columns["decay_rate"]  # both / (1 - r)
        epsilon = columns["epsilon"] / (1 - r)
        np.square(g, out=scratch)
        h *= r
        h += scratch
        np.add(h, epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        g /= scratch
        np.add(s, epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        g *= scratch
        np.square(g, out=scratch)
        s *= r
        s += scratch
        g *= columns["learning_rate"]
        w -= g


@dataclass(frozen=True)
class Adam(Optimizer):
    """Running means m of g and v of g^2, corrected for their start at 0:

        m <- b1 m + (1 - b1) g;   v <- b2 v + (1 - b2) g^2
        W <- W - lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)

    Source: Kingma & Ba 2015, the form before section 2.1's end, whose eps is added to the
    uncorrected sqrt(v) (PyTorch adds it to the corrected one).
    """

    learning_rate: float = hyperparameter(0.001, above=0, why="Kingma & Ba")
    beta1: float = hyperparameter(0.9, low=0, high=LONGEST_MEMORY, why="Kingma & Ba")
    beta2: float = hyperparameter(0.999, low=0, high=LONGEST_MEMORY, why="Kingma & Ba")
    epsilon: float = hyperparameter(1e-7, above=0, why="the textbook's; representable in float32")
    slots: ClassVar[tuple[str, ...]] = ("sum", "square_sum")

    @staticmethod
    def update(
        w: Array, g: Array, slots: Slots, columns: Columns, *, step: int, scratch: Array
    ) -> None:
        m, v = slots["sum"], slots["square_sum"]  # m / (1 - b1), v / (1 - b2)
        b1, b2 = columns["beta1"], columns["beta2"]
        root = np.sqrt(1 - b2)
        m *= b1
        m += g
        v *= b2
        np.square(g, out=g)
        v += g
        np.sqrt(v, out=g)
        g += columns["epsilon"] / root
        np.divide(m, g, out=g)
        g *= columns["learning_rate"] * (1 - b1) / (1 - b1**step) * np.sqrt(1 - b2**step) / root
        w -= g


# By the name a study file's `trainer` uses.
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "adadelta": AdaDelta,
    "adam": Adam,
}


def stack(members: Sequence[Optimizer], dtype: np.dtype[np.floating]) -> dict[str, Array]:
    """The hyperparameters of members of one optimizer class as columns (p, 1) of `dtype`."""
    names = hyperparameters(type(members[0]))
    return {
        name: np.array([[getattr(member, name)] for member in members], dtype) for name in names
    }
