"""Weight decay: two penalties that are loss terms, and one that is none. All of it is said here.

lambda is the member's `weight_decay`, W every weight of every layer; biases (and whatever else a
layer leaves out of `Layer.weight_views`) are never decayed.

    l2         loss + lambda/2 sum W^2     its gradient lambda W goes through the optimizer
    l1         loss + lambda sum |W|       its gradient lambda sign(W) goes through the optimizer
    decoupled  W <- W - lr lambda W        beside the optimizer, before its step; lr is the
                                           learning rate of that step, the policy's factor included

For SGD, l2 and decoupled are the same; an optimizer with a memory, or with a step size for each
coordinate, mixes an l2 gradient into it and does not see a decoupled one. Reported losses are the
data's alone, without the terms.

Source: the lecture "training techniques", chapter 6, which prints the l2 term as a norm with a
square root: a slip, its own gradient is that of the term above. Decoupled: Loshchilov & Hutter
2019, in the form of PyTorch's AdamW (their own text leaves the base learning rate out of it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hpsearch.hyperparameters import hyperparameter
from hpsearch.nn.base import Array
from hpsearch.nn.networks import Network
from hpsearch.optimizers import Optimizer

KINDS = ("l2", "l1", "decoupled")


@dataclass(frozen=True)
class WeightDecay:
    """One member's weight decay."""

    weight_decay: float = hyperparameter(
        0.0, low=0, why="none by default; the lambda of the textbooks"
    )
    weight_decay_kind: str = hyperparameter(
        "l2",
        choices=KINDS,
        why="the textbook's; weight_decay means the rate of the chosen kind, so the kind can be "
        "searched",
    )

    def scales(self, optimizer: type[Optimizer]) -> bool:
        """Whether weights without a gradient of the data all shrink by one common factor.

        Without decay they stay; decoupled decay multiplies them; the l2 gradient is a multiple of
        them, which an optimizer that treats all directions alike leaves one. The l1 gradient is
        not, and other optimizers shrink each weight at its own pace.
        """
        if self.weight_decay == 0 or self.weight_decay_kind == "decoupled":
            return True
        return self.weight_decay_kind == "l2" and optimizer.rotation_invariant


class PopulationDecay:
    """The weight decay of all members of a network, P of them, each of its own kind."""

    def __init__(self, members: Sequence[WeightDecay], network: Network) -> None:
        self._network = network
        self._l2, self._l1, self._decoupled = (self._column(members, kind) for kind in KINDS)

    def _column(self, members: Sequence[WeightDecay], kind: str) -> Array | None:
        """lambda of the members of this kind, 0 for the others, (P, 1); None if 0 for all."""
        rates = [[m.weight_decay if m.weight_decay_kind == kind else 0.0] for m in members]
        return np.array(rates, self._network.w.dtype) if np.any(rates) else None

    def add_gradients(self) -> None:
        """Add the gradients of the loss terms to the network's."""
        if self._l2 is not None:
            self._network.add_weight_penalty(self._l2)
        if self._l1 is not None:
            self._network.add_absolute_penalty(self._l1)

    def shrink(self, learning_rates: Array) -> None:
        """The decoupled decay of one step with these learning rates, (P, 1)."""
        if self._decoupled is not None:
            self._network.shrink_weights(1 - learning_rates * self._decoupled)
