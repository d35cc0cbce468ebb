"""Optimizers, simplest first: a few vector lines on the flat parameters, knowing no layers.

An optimizer is a frozen dataclass of hyperparameters, one instance a member. To update a group of
members at once their hyperparameters are stacked into columns (p, 1) by `Columns`; the arithmetic
is then the same for one member and for many. State is explicit: a dict of arrays like the weights.
Weight decay is a loss term and lies in the gradient already (Network.add_weight_penalty).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hpsearch.hyperparameters import hyperparameter, hyperparameters
from hpsearch.nn.base import Array

Slots = dict[str, Array]
Columns = Mapping[str, Array]


class Optimizer(ABC):
    """The contract: `slots` names the state, `update` is the equation."""

    slots: ClassVar[tuple[str, ...]] = ()  # state arrays, shaped like the weights, 0 at the start
    rotation_invariant: ClassVar[bool] = False  # a rotated problem is solved by rotated steps

    @staticmethod
    @abstractmethod
    def update(w: Array, g: Array, slots: Slots, columns: Columns, step: int) -> None:
        """Move the weights of p members by one step, in place.

        Args:
            w: (p, n) weights, updated.
            g: (p, n) gradients, used up as scratch space.
            slots: the state arrays, each (p, n), updated.
            columns: every hyperparameter as a column (p, 1).
            step: number of this update, from 1.
        """


@dataclass(frozen=True)
class SGD(Optimizer):
    """W <- W - lr g."""

    learning_rate: float = hyperparameter(0.01, above=0, why="the textbook's")
    rotation_invariant: ClassVar[bool] = True

    @staticmethod
    def update(w: Array, g: Array, slots: Slots, columns: Columns, step: int) -> None:
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
    def update(w: Array, g: Array, slots: Slots, columns: Columns, step: int) -> None:
        v = slots["velocity"]
        g *= columns["learning_rate"]
        v *= columns["momentum"]
        v -= g
        w += v


@dataclass(frozen=True)
class Adam(Optimizer):
    """Running means m of g and v of g^2, corrected for their start at 0:

        W <- W - lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)

    Source: Kingma & Ba 2015, the form before section 2.1's end, whose eps is added to the
    uncorrected sqrt(v) (PyTorch adds it to the corrected one).
    """

    learning_rate: float = hyperparameter(0.001, above=0, why="Kingma & Ba")
    beta1: float = hyperparameter(0.9, low=0, below=1, why="Kingma & Ba")
    beta2: float = hyperparameter(0.999, low=0, below=1, why="Kingma & Ba")
    epsilon: float = hyperparameter(1e-7, above=0, why="the textbook's; representable in float32")
    slots: ClassVar[tuple[str, ...]] = ("mean", "square")

    @staticmethod
    def update(w: Array, g: Array, slots: Slots, columns: Columns, step: int) -> None:
        m, v = slots["mean"], slots["square"]
        b1, b2 = columns["beta1"], columns["beta2"]
        m += (1 - b1) * (g - m)
        np.square(g, out=g)
        v += (1 - b2) * (g - v)
        np.sqrt(v, out=g)
        g += columns["epsilon"]
        np.divide(m, g, out=g)
        g *= columns["learning_rate"] * np.sqrt(1 - b2**step) / (1 - b1**step)
        w -= g


# By the name a study file's `trainer` uses.
OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "momentum": Momentum, "adam": Adam}


def stack(members: Sequence[Optimizer], dtype: np.dtype[np.floating]) -> dict[str, Array]:
    """The hyperparameters of members of one optimizer class as columns (p, 1) of `dtype`."""
    names = hyperparameters(type(members[0]))
    return {
        name: np.array([[getattr(member, name)] for member in members], dtype) for name in names
    }
