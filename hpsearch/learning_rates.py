"""Learning-rate policies: the factor f(t) by which training step t's learning rate is multiplied.

t counts mini-batches (iterations) from 0, as in Caffe, whose formulas and constants these are
where they have its names: a policy found in a Caffe solver can be copied. T is the full training
length of the study in iterations, whatever length is trained now, so that a pause changes nothing.

Positions (of a step, a milestone, a centre) are shares of T, not numbers of iterations as in
Caffe: trials of one study differ in batch size, and half of the training is half for all of them.

    constant    1
    inv         (1 + gamma t)^(-power)
    step        gamma^floor(t / S)                    S = round(share T), at least 1
    multistep   gamma^(number of milestones <= t)     a milestone is round(share T)
    exp         gamma^t
    poly        (1 - t/T)^power
    sigmoid     1 / (1 + exp(-gamma (t - C)))         C = round(share T); gamma < 0 falls
    cosine      (1 + cos(pi t/T)) / 2

Source: Caffe, SGDSolver::GetLearningRate (Jia et al. 2014), all but the last; cosine: Loshchilov &
Hutter 2017, eq. 5, one period down to 0.

A policy is a frozen dataclass of hyperparameters, with one instance per member; those of members
with the same policy are stacked into columns (p, 1). Their names begin with the policy's name, so
that each has its own range in a study. A new policy is a class, its test, and a line in the
catalogue.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpsearch.hyperparameters import hyperparameter, hyperparameters, numbers
from hpsearch.nn.base import Array

Factors = NDArray[np.float64]  # (p, 1)
Columns = Mapping[str, NDArray[np.float64]]


class LearningRatePolicy(ABC):
    """The contract: `factor` is the equation."""

    @staticmethod
    @abstractmethod
    def factor(columns: Columns, t: int, horizon: int) -> Factors:
        """f(t) of p members, (p, 1).

        Args:
            columns: every hyperparameter as a column (p, 1); a list of numbers as (p, m), the
                shorter ones padded with inf.
            t: the iteration, from 0.
            horizon: T, in iterations.
        """


@dataclass(frozen=True)
class Constant(LearningRatePolicy):
    """f = 1."""

    @staticmethod
    def factor(columns: Columns, t: int, horizon: int) -> Factors:
        return np.ones((1, 1))


@dataclass(frozen=True)
class Inv(LearningRatePolicy):
    """f = (1 + gamma t)^(-power)."""

    inv_gamma: float = hyperparameter(1e-4, low=0, unit="per iteration", why="Caffe's LeNet")
    inv_power: float = hyperparameter(0.75, low=0, why="Caffe's LeNet")

    @staticmethod
    def factor(columns: Columns, t: int, horizon: int) -> Factors:
        factor: Factors = (1 + columns["inv_gamma"] * t) ** -columns["inv_power"]
        return factor


@dataclass(frozen=True)
class Step(LearningRatePolicy):
    """f = gamma^floor(t / S)."""

    step_gamma: float = hyperparameter(0.1, above=0, high=1, why="the usual factor")
    step_size: float = hyperparameter(
        0.3, above=0, high=1, unit="fraction of the training", why="drops three times"
    )

    @staticmethod
    def factor(columns: Columns, t: int, horizon: int) -> Factors:
        size = np.maximum(_iterations(columns["step_size"], horizon), 1)
        factor: Factors = columns["step_gamma"] ** (t // size)
        return factor


@dataclass(frozen=True)
class MultiStep(LearningRatePolicy):
    """f = gamma^(number of milestones <= t)."""

    multistep_gamma: float = hyperparameter(0.1, above=0, high=1, why="the usual factor")
    # A text, because a searched value is one number or one text in Optuna and MLflow.
    multistep_milestones: str = hyperparameter(
        "0.5, 0.75",
        each={"above": 0, "below": 1},
        unit="fractions of the training",
        why="the two usual ones, e.g. He et al. 2016 on CIFAR-10",
    )

    @staticmethod
    def factor(columns: Columns, t: int, horizon: int) -> Factors:
        passed = _iterations(columns["multistep_milestones"], horizon) <= t
        factor: Factors = columns["multistep_gamma"] ** passed.sum(axis=1, keepdims=True)
        return factor


@dataclass(frozen=True)
class Exp(LearningRatePolicy):
    """f = gamma^t."""

    exp_gamma: float = hyperparameter(
        0.999, above=0, high=1, unit="per iteration", why="reaches a tenth after 2300 iterations"
    )

    @staticmethod
    def factor(columns: Columns, t: int, horizon: int) -> Factors:
        return columns["exp_gamma"] ** t


@dataclass(frozen=True)
class Poly(LearningRatePolicy):
    """f = (1 - t/T)^power."""

    poly_power: float = hyperparameter(1.0, low=0, why="linear decay to 0")

    @staticmethod
    def factor(columns: Columns, t: int, horizon: int) -> Factors:
        return np.power(1 - t / horizon, columns["poly_power"])


@dataclass(frozen=True)
class Sigmoid(LearningRatePolicy):
    """f = 1 / (1 + exp(-gamma (t - C)))."""

    sigmoid_gamma: float = hyperparameter(
        -0.01, unit="per iteration", why="from nine tenths to one tenth in 440 iterations"
    )
    sigmoid_centre: float = hyperparameter(
        0.5, low=0, high=1, unit="fraction of the training", why="halfway"
    )

    @staticmethod
    def factor(columns: Columns, t: int, horizon: int) -> Factors:
        centre = _iterations(columns["sigmoid_centre"], horizon)
        return 1 / (1 + np.exp(-columns["sigmoid_gamma"] * (t - centre)))


@dataclass(frozen=True)
class Cosine(LearningRatePolicy):
    """f = (1 + cos(pi t/T)) / 2."""

    @staticmethod
    def factor(columns: Columns, t: int, horizon: int) -> Factors:
        return np.full((1, 1), (1 + np.cos(np.pi * t / horizon)) / 2)


# By the name a study file's `learning_rate_policy` uses.
POLICIES: dict[str, type[LearningRatePolicy]] = {
    "constant": Constant,
    "inv": Inv,
    "step": Step,
    "multistep": MultiStep,
    "exp": Exp,
    "poly": Poly,
    "sigmoid": Sigmoid,
    "cosine": Cosine,
}


class LearningRates:
    """The learning rates of a population's members as they train.

    Args:
        base: each member's learning rate, (P, 1), in the dtype of training.
        policies: each member's policy.
        horizon: T, the full training length in iterations.

    Attributes:
        now: (P, 1), the rates of the last `move_to`; always the same array.
    """

    def __init__(self, base: Array, policies: Sequence[LearningRatePolicy], horizon: int) -> None:
        self.now = base.copy()
        self._base, self._horizon = base.astype(np.float64), horizon
        self._groups = []
        for policy in sorted({type(p) for p in policies} - {Constant}, key=lambda c: c.__name__):
            rows = [r for r, p in enumerate(policies) if type(p) is policy]
            self._groups.append((policy, rows, _stack([policies[r] for r in rows])))

    def move_to(self, t: int) -> None:
        """Set `now` to the rates of iteration t, from 0; costs nothing for constant ones."""
        for policy, rows, columns in self._groups:
            self.now[rows] = self._base[rows] * policy.factor(columns, t, self._horizon)

    def rate(self, row: int) -> float | None:
        """The rate of the last `move_to` of the member in this row; None for a constant one."""
        if not any(row in rows for _, rows, _ in self._groups):
            return None
        return float(self.now[row, 0])


def _iterations(shares: NDArray[np.float64], horizon: int) -> Factors:
    """Shares of the training as whole numbers of iterations; inf stays inf."""
    return np.rint(shares * horizon)


def _stack(members: Sequence[LearningRatePolicy]) -> dict[str, NDArray[np.float64]]:
    """The hyperparameters of members of one policy as columns."""
    columns = {}
    for name in hyperparameters(type(members[0])):
        rows = [numbers(getattr(member, name)) for member in members]
        longest = max(map(len, rows))
        columns[name] = np.array([[*row, *[np.inf] * (longest - len(row))] for row in rows])
    return columns
