"""The proposal search's hyperparameters, and the decisions of an iteration as masks over members.

The printed document lost a part of its formulas, so every detail that it leaves open is a choice
here. The defaults are the plainest reading; a study can search the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.hyperparameters import ParamValue, hyperparameter, hyperparameters, numbers
from hpsearch.nn.base import Array

Mask = NDArray[np.bool_]

# Equation (1) by name: from an iteration's loss L, the one before it L' and the threshold t.
MOMENTUM_RULES: dict[str, Callable[[Array, Array, Array], Any]] = {
    "loss-above": lambda loss, previous, t: loss > t,
    "loss-below": lambda loss, previous, t: loss < t,
    "change-above": lambda loss, previous, t: abs(loss - previous) > t,
    "change-below": lambda loss, previous, t: abs(loss - previous) < t,
    "rise-above": lambda loss, previous, t: loss - previous > t,
    "ratio-above": lambda loss, previous, t: loss / previous > t,
    "always": lambda loss, previous, t: True,
    "never": lambda loss, previous, t: False,
}


@dataclass(frozen=True)
class ProposalSettings:
    """What the proposal search takes; its docstring has the symbols."""

    learning_rate: float = hyperparameter(
        0.01,
        above=0,
        why="the smaller one of the paper; used in the plain step and as the base "
        "of the multiples",
    )
    proposed_rates: str = hyperparameter(
        "0.5, 1, 2",
        each={"above": 0},
        why="half, equal to and twice the base rate; not given in the paper",
    )
    rates_are: str = hyperparameter(
        "multiples",
        choices=("multiples", "absolute"),
        why="one set then serves every base rate and policy; absolute rates follow neither",
    )
    candidate_loss: str = hyperparameter(
        "mini-batch",
        choices=("mini-batch", "training-set"),
        why="the cheapest; the training set gives the same loss in all iterations",
    )
    previous_loss: str = hyperparameter(
        "chosen",
        choices=("chosen", "same-batch", "previous-start", "after-momentum"),
        why="as in the paper: the loss of the previous iteration",
    )
    direction_rule: str = hyperparameter(
        "constraint",
        choices=("constraint", "least-loss", "descent"),
        why="the paper's steps 1 and 2",
    )
    momentum_rule: str = hyperparameter(
        "loss-above",
        choices=tuple(MOMENTUM_RULES),
        why="the simplest reading of equation (1), which the paper does not specify",
    )
    momentum_threshold: float = hyperparameter(0.37, low=0, unit="nats", why="the paper's")
    momentum_step: str = hyperparameter(
        "extra", choices=("extra", "instead"), why="after the chosen step, or instead of it"
    )
    momentum: float = hyperparameter(0.9, low=0, below=1, why="the textbook's alpha")
    momentum_rate: str = hyperparameter(
        "chosen", choices=("chosen", "base"), why="the rate that was just found to work"
    )
    momentum_gradient: str = hyperparameter(
        "same", choices=("same", "again"), why="again costs another forward and backward pass"
    )
    velocity_moves: str = hyperparameter(
        "applied",
        choices=("applied", "always"),
        why="the velocity includes only steps that used it",
    )
    velocity_reset: bool = hyperparameter(
        False, choices=(False, True), why="the paper does not mention a reset"
    )
    momentum_during_handover: bool = hyperparameter(
        False, choices=(False, True), why="the paper continues with the ordinary method there"
    )
    handover_rule: str = hyperparameter(
        "current-loss",
        choices=("current-loss", "previous-loss", "latched", "off"),
        why="tested in every iteration; latched: stays on once it applies",
    )
    handover_loss: float = hyperparameter(0.3, low=0, unit="nats", why="the paper's")

    @property
    def n_rates(self) -> int:
        """|S|, how many learning rates are tried in each direction."""
        return len(numbers(self.proposed_rates))

    @property
    def n_directions(self) -> int:
        """2, or 1 where there is no ascent."""
        return 1 if self.direction_rule == "descent" else 2

    @property
    def needs_start(self) -> bool:
        """Whether L0 is ever asked for."""
        return self.handover_rule != "off" or self.previous_loss in (
            "same-batch",
            "previous-start",
        )

    @property
    def on_training_set(self) -> bool:
        """Whether losses are those of the whole training set."""
        return self.candidate_loss == "training-set"


class Rules:
    """The decisions of P members, each by its own settings; all losses are (P,).

    Args:
        members: the settings, one a row.
        dtype: of training.
    """

    def __init__(self, members: Sequence[ProposalSettings], dtype: np.dtype[Any]) -> None:
        self._masks = {
            (name, choice): np.array([getattr(m, name) == choice for m in members])
            for name, described in hyperparameters(ProposalSettings).items()
            for choice in described.choices
        }
        # Only the forms of equation (1) that some member chose.
        self._momentum_rules = [
            (MOMENTUM_RULES[choice], mask)
            for choice in dict.fromkeys(m.momentum_rule for m in members)
            for mask in [self.which("momentum_rule", choice)]
        ]
        self.handover_loss = np.array([m.handover_loss for m in members], dtype)
        self.momentum_threshold = np.array([m.momentum_threshold for m in members], dtype)
        self.momentum = np.array([m.momentum for m in members], dtype)

    def which(self, name: str, choice: ParamValue) -> Mask:
        """The members with this choice, (P,)."""
        return self._masks[name, choice]

    def handed_over(self, start: Array, previous: Array, latched: Mask) -> Mask:
        """Who takes an ordinary step; `latched` is updated."""
        low = start <= self.handover_loss
        latched |= low & self.which("handover_rule", "latched")
        by_current = low & self.which("handover_rule", "current-loss")
        by_previous = (previous <= self.handover_loss) & self.which(
            "handover_rule", "previous-loss"
        )
        return by_current | by_previous | latched

    def ascends(self, down: Array, up: Array, previous: Array) -> Mask:
        """Who takes the best ascent (loss `up`) and not the best descent (loss `down`)."""
        constraint = (up < previous) & ~(down < previous)
        return (self.which("direction_rule", "constraint") & constraint) | (
            self.which("direction_rule", "least-loss") & (up < down)
        )

    def applies_momentum(self, loss: Array, previous: Array, handed_over: Mask) -> Mask:
        """Equation (1)."""
        holds = np.zeros(len(loss), bool)
        for rule, mask in self._momentum_rules:
            holds |= mask & rule(loss, previous, self.momentum_threshold)
        return holds & (~handed_over | self.which("momentum_during_handover", True))


@dataclass(frozen=True)
class CandidateGroup:
    """Rows whose candidates make arrays of one shape: no row's bits depend on another's shape.

    Attributes:
        rates: S, (p, |S|), of each member its own.
        absolute: whether they are rates, or multiples of one, (p, 1).
        directions: which of a member's candidates are descent, and ascent where there is any.
    """

    rows: slice
    rates: Array
    absolute: Mask
    directions: tuple[slice, ...]
    on_training_set: bool

    def steps(self, base: Array) -> Array:
        """s of all candidates, (p, C), at base learning rates (p, 1)."""
        rates = np.where(self.absolute, self.rates, self.rates * base)
        return np.concatenate([rates, -rates], axis=1) if len(self.directions) == 2 else rates


def shape(settings: ProposalSettings) -> tuple[bool, int, int]:
    """What members must have alike for their candidates to be one array."""
    return settings.on_training_set, settings.n_directions, settings.n_rates


def candidate_groups(
    settings: Sequence[ProposalSettings], dtype: np.dtype[Any]
) -> Iterator[CandidateGroup]:
    """The groups of rows that are sorted by `shape`."""
    first = 0
    for (on_training_set, n_directions, n), members in groupby(settings, key=shape):
        group = list(members)
        yield CandidateGroup(
            slice(first, first + len(group)),
            np.array([numbers(m.proposed_rates) for m in group], dtype),
            np.array([[m.rates_are == "absolute"] for m in group]),
            tuple(slice(k * n, (k + 1) * n) for k in range(n_directions)),
            on_training_set,
        )
        first += len(group)
