"""The few-shot papers' network."""

from __future__ import annotations

from dataclasses import dataclass

from hpsearch.hyperparameters import hyperparameter
from hpsearch.nn.activations import ReLU
from hpsearch.nn.affine import Affine
from hpsearch.nn.base import Layer
from hpsearch.nn.networks.base import Architecture


@dataclass(frozen=True)
class TwoLayerNet(Architecture):
    """D inputs, one hidden layer of ReLU units, K outputs."""

    hidden: int = hyperparameter(
        50, low=1, unit="units", why="the few-shot papers' middle width", shared=True
    )

    def layers(self, n_inputs: int, n_classes: int) -> list[Layer]:
        return [Affine(n_inputs, self.hidden), ReLU(), Affine(self.hidden, n_classes)]
