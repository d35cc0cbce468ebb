"""Training with analytic and numerical gradients in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from hpsearch.hyperparameters import ParamValue, build, hyperparameter
from hpsearch.nn.base import Array
from hpsearch.nn.numerical_gradient import NumericalGradient
from hpsearch.optimizers import SGD, Optimizer
from hpsearch.trainers.backprop import Backprop
from hpsearch.trainers.base import (
    CHAINS_OF_AFFINE_LAYERS,
    Indices,
    Member,
    NetworkLimits,
    TrainingData,
)
from hpsearch.trainers.settings import network_of

# By name: what is counted, from the epoch, the step in it and the step of the whole training.
ALTERNATIONS: dict[str, Callable[[int, int, int], int]] = {
    "checkerboard": lambda epoch, step, steps: epoch + step,
    "global": lambda epoch, step, steps: steps,
    "per-epoch": lambda epoch, step, steps: epoch,
}


@dataclass(frozen=True)
class Alternation:
    """When a member's gradient is a numerical one, and which."""

    alternation: str = hyperparameter(
        "checkerboard",
        choices=tuple(ALTERNATIONS),
        why="paper 001's: no step is numerical in every epoch",
    )
    period: int = hyperparameter(
        1, low=1, unit="steps or epochs of a kind in a row", why="paper 001's: every other step"
    )
    difference_step: float = hyperparameter(
        1e-4, above=0, why="paper 001's; h of the central difference"
    )
    log_offset: float = hyperparameter(
        1e-7,
        low=0,
        why="paper 001's; the e in the loss -log(y + e) that is differentiated; 0: none",
    )

    def numerical(self, epoch: int, step: int, steps: int) -> bool:
        """Whether this step's gradient is numerical.

        Args:
            epoch, step: of the training and of the epoch, both from 0.
            steps: of the whole training so far.
        """
        return ALTERNATIONS[self.alternation](epoch, step, steps) // self.period % 2 == 0


class AlternatingGradient(Backprop):
    """SGD on gradients that are by turns numerical and analytic.

    In epoch e and step s of it, both from 0, the gradient is the central difference
    (L(w + h) - L(w - h)) / 2h of every weight where (e + s) is even, and backpropagation's where
    it is odd: a checkerboard over epochs and steps. They differ by h^2, and where a move of h
    carries a ReLU over its kink. A weight penalty's gradient is analytic in both.

    Quotients are taken pixel by pixel: in a rotated span they would be others, so that inputs are
    reduced to the live ones at most.

    Source: paper 001; other rules of alternation, and numbers in a row, are ours.

    Raises:
        ValueError: the network has batch normalisation, dropout or convolutions.
    """

    components: ClassVar[tuple[type, ...]] = (Alternation, *Backprop.components)
    rotatable: ClassVar[bool] = False
    # Moving one weight moves all images of a normalised batch, and a mask is drawn for one
    # gradient alone.
    networks: ClassVar[NetworkLimits | None] = CHAINS_OF_AFFINE_LAYERS

    def __init__(self, members: Sequence[Member], data: TrainingData, *, n_epochs: int) -> None:
        for member in members:
            self.check_network(member.params)
        super().__init__(members, data, n_epochs=n_epochs)
        self._alternations = [build(Alternation, members[i].params) for i in self._order]
        self._numerical = NumericalGradient(self._network)
        whole = network_of(members[0].params).build(data.n_inputs, data.n_classes, 0, self._dtype)
        self._n_weights = whole.w.shape[1]
        self._numerical_steps = [
            sum(
                own.numerical(t // self._n_batches, t % self._n_batches, t)
                for t in range(self._step)
            )
            for own in self._alternations
        ]

    @classmethod
    def optimizer_of(cls, params: Mapping[str, ParamValue]) -> type[Optimizer]:
        return SGD

    def _update(self, x: Array, labels: Indices) -> None:
        now = (self._epoch, self._step % self._n_batches, self._step)
        numerical = [alternation.numerical(*now) for alternation in self._alternations]
        if not all(numerical):
            self._network.gradient(x, labels)
        for row, own in enumerate(self._alternations):
            if numerical[row]:
                self._numerical_steps[row] += 1
                self._numerical.fill(
                    row, x[row], labels[row], step=own.difference_step, log_offset=own.log_offset
                )
        self._move()

    def passes(self, row: int) -> tuple[int, int] | None:
        numerical = self._numerical_steps[self._order.index(row)]
        analytic = self._step - numerical
        # Two losses for the quotient of every weight, those of dead inputs included.
        return analytic + 2 * self._n_weights * numerical, analytic
