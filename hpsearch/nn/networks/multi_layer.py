"""The lecture's networks: hidden layers in a row, with batch normalisation and dropout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hpsearch.hyperparameters import hyperparameter
from hpsearch.nn.activations import ACTIVATIONS
from hpsearch.nn.affine import Affine
from hpsearch.nn.base import Layer
from hpsearch.nn.batch_norm import BatchNorm
from hpsearch.nn.dropout import Dropout
from hpsearch.nn.networks.base import Architecture, Network


@dataclass(frozen=True)
class MultiLayerNet(Architecture):
    """D inputs, hidden layers (affine, batch norm if asked for, activation, dropout), K outputs.

    Hidden layer l = 0, 1, ... has round(hidden * width_ratio^l) units, at least 1: numbers that
    a search can move, with all layers alike at ratio 1.
    """

    hidden: int = hyperparameter(
        100, low=1, unit="units", why="the lecture's, in the first hidden layer", shared=True
    )
    hidden_layers: int = hyperparameter(
        5, low=1, high=100, unit="layers", why="the lecture's, for batch norm", shared=True
    )
    width_ratio: float = hyperparameter(
        1.0,
        above=0,
        high=1,
        why="the lecture's; the width of a hidden layer relative to the previous one",
        shared=True,
    )
    activation: str = hyperparameter(
        "relu", choices=tuple(ACTIVATIONS), why="trains deep networks best", shared=True
    )
    batch_norm: bool = hyperparameter(
        False, choices=(False, True), why="off in the plain network", shared=True
    )
    batch_norm_momentum: float = hyperparameter(
        0.9, low=0, below=1, why="running statistics remember about 10 mini-batches"
    )
    dropout: float = hyperparameter(
        0.0, low=0, below=1, unit="fraction of units", why="off in the plain network"
    )

    def widths(self) -> list[int]:
        """Units of every hidden layer."""
        return [
            max(1, round(self.hidden * self.width_ratio**layer))
            for layer in range(self.hidden_layers)
        ]

    def layers(self, n_inputs: int, n_classes: int) -> list[Layer]:
        made: list[Layer] = []
        for width in self.widths():
            made.append(Affine(n_inputs, width))
            if self.batch_norm:
                made.append(BatchNorm(width))
            made += [ACTIVATIONS[self.activation](), Dropout()]
            n_inputs = width
        return [*made, Affine(n_inputs, n_classes)]

    def set_member(self, network: Network, row: int, rng: np.random.Generator) -> None:
        network.mask_generators[row] = rng if self.dropout else None
        for layer in network.layers:
            if isinstance(layer, Dropout):
                layer.set_member(row, self.dropout, rng)
            elif isinstance(layer, BatchNorm):
                layer.momentum[row] = self.batch_norm_momentum
