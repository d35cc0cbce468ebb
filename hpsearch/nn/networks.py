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

    Args:
        layers: from the input on.
        n_members: P.
        with_scale: one more parameter a member, the factor of a fixed part of the first layer's
            output; only the weight penalty moves it.

    Attributes:
        w: (P, n) parameters, a row per member; layers hold views into it.
        g: (P, n) gradients of the last `loss_and_gradient`.
        scale: the view (P, 1) of the factor, or None.
    """

    def __init__(
        self,
        layers: list[Layer],
        n_members: int,
        dtype: DTypeLike = np.float32,
        *,
        with_scale: bool = False,
    ) -> None:
        n = sum(layer.n_params for layer in layers) + with_scale
        self.layers = layers
        self.w: Array = np.zeros((n_members, n), dtype)
        self.g: Array = np.zeros_like(self.w)
        self.loss = SoftmaxCrossEntropy()
        self.scale = self.w[:, -1:] if with_scale else None
        self._penalties: list[Array] = []
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
        if self.scale is not None:
            self.g[:, -1] = 0
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
        views = [pair for layer in self.layers for pair in layer.weight_views()]
        if not self._penalties:
            self._penalties = [np.empty(weights.shape, weights.dtype) for weights, _ in views]
        for (weights, gradients), penalty in zip(views, self._penalties, strict=True):
            gradients += np.multiply(factor, weights, out=penalty)
        if self.scale is not None:
            self.g[:, -1:] += weight_decay * self.scale

    def logits(self, row: int, x: Array, fixed: Array | None = None) -> Array:
        """Member `row`'s logits (K, N) of images in columns (D, N); valid until the next call.

        Args:
            fixed: (H, N), added `scale` times to the first layer's output.
        """
        for number, layer in enumerate(self.layers):
            x = layer.columns(row, x)
            if number == 0 and fixed is not None:
                assert self.scale is not None
                x += self.scale[row] * fixed
        return x


@dataclass(frozen=True)
class TwoLayerNet:
    """D inputs, one hidden layer of ReLU units, K classes with softmax cross-entropy."""

    hidden: int = hyperparameter(
        50, low=1, unit="units", why="the few-shot papers' middle width", shared=True
    )
    initial_weights: str = hyperparameter(
        "he",
        choices=tuple(initializers.INITIAL_WEIGHTS),
        why="keeps the spread of activations under ReLU",
    )
    initial_distribution: str = hyperparameter(
        "normal", choices=initializers.DISTRIBUTIONS, why="the textbook's; same deviation for both"
    )
    weight_std: float = hyperparameter(
        0.01, above=0, why="the textbook's; used where initial_weights is normal"
    )

    def build(
        self,
        n_inputs: int,
        n_classes: int,
        n_members: int,
        dtype: DTypeLike,
        *,
        with_scale: bool = False,
    ) -> Network:
        """Uninitialised networks of this shape for a population."""
        layers: list[Layer] = [
            Affine(n_inputs, self.hidden),
            ReLU(),
            Affine(self.hidden, n_classes),
        ]
        return Network(layers, n_members, dtype, with_scale=with_scale)

    def initialize(self, network: Network, row: int, rng: np.random.Generator) -> None:
        """Draw member `row`'s initial weights from its own generator."""
        draw = initializers.drawing(
            rng,
            network.w.dtype,
            weights=self.initial_weights,
            distribution=self.initial_distribution,
            weight_std=self.weight_std,
        )
        network.initialize(row, draw)


# By the name a study file's [network] uses.
NETWORKS: dict[str, type[TwoLayerNet]] = {"two-layer": TwoLayerNet}
