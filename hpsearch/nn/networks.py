"""Networks: which layers, and the flat arrays they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hpsearch.hyperparameters import hyperparameter
from hpsearch.nn import initializers
from hpsearch.nn.activations import ReLU
from hpsearch.nn.affine import Affine
from hpsearch.nn.base import Array, Layer
from hpsearch.nn.losses import SoftmaxCrossEntropy

Labels = NDArray[np.integer[Any]]


class Network:
    """P networks of one shape; member p is row p of the flat arrays.

    Attributes:
        w: (P, n) parameters, a row per member; layers hold views into it.
        g: (P, n) gradients of the last `loss_and_gradient`.
    """

    def __init__(self, layers: list[Layer], n_members: int, dtype: DTypeLike = np.float32) -> None:
        n = sum(layer.n_params for layer in layers)
        self.layers = layers
        self.w: Array = np.zeros((n_members, n), dtype)
        self.g: Array = np.zeros_like(self.w)
        self.loss = SoftmaxCrossEntropy()
        start = 0
        for layer in layers:
            stop = start + layer.n_params
            layer.bind(self.w[:, start:stop], self.g[:, start:stop])
            start = stop

    def initialize(self, row: int, draw: initializers.Draw) -> None:
        """Draw member `row`'s initial weights, layer by layer from the input on."""
        for layer in self.layers:
            layer.initialize(row, draw)

    def loss_and_gradient(self, x: Array, labels: Labels) -> Array:
        """Mean loss of each member, (P,), on its own mini-batch; its gradient is left in `g`.

        Args:
            x: (P, B, D) inputs.
            labels: (P, B) classes.
        """
        for layer in self.layers:
            x = layer.forward(x)
        loss, d = self.loss.value_and_gradient(x, labels)
        for layer in reversed(self.layers):
            back = layer.backward(d, need_input=layer is not self.layers[0])
            if back is not None:
                d = back
        return loss

    def add_weight_penalty(self, weight_decay: Array) -> None:
        """Add lambda W, the gradient of the L2 loss term lambda/2 sum W^2; biases are left out.

        Args:
            weight_decay: lambda of every member, (P, 1).
        """
        factor = weight_decay[:, :, None]
        for layer in self.layers:
            for weights, gradients in layer.weight_views():
                gradients += factor * weights

    def logits(self, row: int, x: Array) -> Array:
        """Member `row`'s logits (K, N) of images in columns (D, N); valid until the next call."""
        for layer in self.layers:
            x = layer.columns(row, x)
        return x


@dataclass(frozen=True)
class TwoLayerNet:
    """D inputs, one hidden layer of ReLU units, K classes with softmax cross-entropy."""

    hidden: int = hyperparameter(
        50, low=1, unit="units", why="the few-shot papers' middle width", shared=True
    )
    initial_weights: str = hyperparameter(
        "he", choices=("he", "normal"), why="keeps the spread of activations under ReLU"
    )
    weight_std: float = hyperparameter(
        0.01, above=0, why="the textbook's; used where initial_weights is normal"
    )

    def build(self, n_inputs: int, n_classes: int, n_members: int, dtype: DTypeLike) -> Network:
        """Uninitialised networks of this shape for a population."""
        layers: list[Layer] = [
            Affine(n_inputs, self.hidden),
            ReLU(),
            Affine(self.hidden, n_classes),
        ]
        return Network(layers, n_members, dtype)

    def initialize(self, network: Network, row: int, rng: np.random.Generator) -> None:
        """Draw member `row`'s initial weights from its own generator."""
        dtype = network.w.dtype
        if self.initial_weights == "normal":
            draw = initializers.normal(rng, dtype, self.weight_std)
        else:
            draw = initializers.he(rng, dtype)
        network.initialize(row, draw)


# By the name a study file's [network] uses.
NETWORKS: dict[str, type[TwoLayerNet]] = {"two-layer": TwoLayerNet}
