"""Networks: the flat arrays that layers share, and the contract of an architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hpsearch.hyperparameters import hyperparameter
from hpsearch.nn import initializers
from hpsearch.nn.base import Array, Layer
from hpsearch.nn.losses import LOSSES, Labels, Loss, SoftmaxCrossEntropy, loss_named

LARGE = 4000  # weights of a member's layer; with fewer, a call a member costs more than it saves


@dataclass(frozen=True)
class Added:
    """What a fixed part adds to the first layer's output of some images.

    Attributes:
        places: of M of the images.
        values: (H, M).
    """

    places: slice | NDArray[np.intp]
    values: Array


class Network:
    """P networks of one shape; member p is row p of the flat arrays.

    Args:
        layers: from the input on.
        n_members: P.
        loss: of its outputs.
        with_scale: one more parameter a member, the factor of a fixed part of the first layer's
            output; only the weight penalty moves it.

    Attributes:
        w: (P, n) parameters, a row per member; layers hold views into it.
        g: (P, n) gradients of the last `gradient` or `loss_and_gradient`.
        statistics: (P, m) numbers that layers learn beside the parameters: no optimizer moves
            them, inference needs them. m may be 0.
        mask_generators: each member's own, that dropout draws from; None where there is none.
        scale: the view (P, 1) of the factor, or None.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        n_members: int,
        dtype: DTypeLike = np.float32,
        *,
        loss: type[Loss] = SoftmaxCrossEntropy,
        with_scale: bool = False,
    ) -> None:
        n = sum(layer.n_params for layer in layers) + with_scale
        self.layers = list(layers)
        self.w: Array = np.zeros((n_members, n), dtype)
        self.g: Array = np.zeros_like(self.w)
        m = sum(layer.n_statistics for layer in layers)
        self.statistics: Array = np.zeros((n_members, m), dtype)
        self.mask_generators: list[np.random.Generator | None] = [None] * n_members
        self.loss = loss()
        self.scale = self.w[:, -1:] if with_scale else None
        self._penalties: list[tuple[Array, Array, Array]] = []
        self._scratch: Array = np.empty((0, 0), dtype)
        start = first = 0
        for layer in layers:
            stop, last = start + layer.n_params, first + layer.n_statistics
            layer.bind(self.w[:, start:stop], self.g[:, start:stop])
            layer.bind_statistics(self.statistics[:, first:last])
            start, first = stop, last
        # Backpropagation ends at the first layer with parameters.
        self._lowest = next((i for i, layer in enumerate(layers) if layer.n_params), 0)

    def initialize(self, row: int, draw: initializers.Draw) -> None:
        """Draw member `row`'s initial weights, layer by layer from the input on."""
        for layer in self.layers:
            layer.initialize(row, draw)

    def loss_and_gradient(self, x: Array, labels: Labels, *, first: Array | None = None) -> Array:
        """Mean loss of each member, (P,), on its own mini-batch; its gradient is left in `g`.

        Args:
            x: (P, B, D) inputs.
            labels: (P, B) classes, or numbers to predict.
            first: (P, B, H), where to keep the first layer's output; None: nowhere.
        """
        loss, d = self.loss.value_and_gradient(self._forward(x, first), labels)
        self._backward(d)
        return loss

    def mean_loss(self, x: Array, labels: Labels) -> Array:
        """As `loss_and_gradient`, without the gradient."""
        loss: Array = self.loss.losses(self._forward(x), labels).mean(axis=1)
        return loss

    def gradient(self, x: Array, labels: Labels, weights: Array | None = None) -> None:
        """As `loss_and_gradient`, without the loss: what a training step needs.

        Args:
            weights: (P, B) of each image in the mean 1/B sum_i w_i L_i; None: 1.
        """
        d = self.loss.gradient(self._forward(x), labels)
        if weights is not None:
            d *= weights[..., None]
        self._backward(d)

    def _forward(self, x: Array, first: Array | None = None) -> Array:
        for number, layer in enumerate(self.layers):
            x = layer.forward(x)
            if number == 0 and first is not None:
                first[...] = x  # activations overwrite it
        return x

    def _backward(self, d: Array) -> None:
        if self.scale is not None:
            self.g[:, -1] = 0
        for layer in reversed(self.layers[self._lowest :]):
            back = layer.backward(d, need_input=layer is not self.layers[self._lowest])
            if back is not None:
                d = back

    def add_weight_penalty(self, weight_decay: Array) -> None:
        """Add lambda W, the gradient of the L2 loss term lambda/2 sum W^2; biases are left out.

        Args:
            weight_decay: lambda of every member, (P, 1).
        """
        for weights, gradients, scratch in self._penalised():
            if weights[0].size < LARGE:
                gradients += np.multiply(_beside(weights, weight_decay), weights, out=scratch)
                continue
            for w, g, rate in zip(weights, gradients, weight_decay[:, 0], strict=True):
                g += np.multiply(rate, w, out=scratch[0])  # which stays in the cache
        if self.scale is not None:
            self.g[:, -1:] += weight_decay * self.scale

    def add_absolute_penalty(self, weight_decay: Array) -> None:
        """Add lambda sign(W), the gradient of the L1 loss term lambda sum |W|; 0 at W = 0.

        Args:
            weight_decay: lambda of every member, (P, 1); 0 for all where there is a scale, as the
                fixed part's weights would not shrink by one factor.
        """
        assert self.scale is None or not weight_decay.any()
        for weights, gradients, scratch in self._penalised():
            np.sign(weights, out=scratch)
            scratch *= _beside(weights, weight_decay)
            gradients += scratch

    def shrink_weights(self, factor: Array) -> None:
        """W <- factor W with each member's factor, (P, 1); biases are left out."""
        for weights, _, _ in self._penalised():
            weights *= _beside(weights, factor)
        if self.scale is not None:
            self.scale *= factor

    def _penalised(self) -> list[tuple[Array, Array, Array]]:
        """(weights, gradients, scratch) of the arrays that weight decay applies to."""
        if not self._penalties:
            views = [pair for layer in self.layers for pair in layer.weight_views()]
            self._penalties = [(w, g, np.empty(w.shape, w.dtype)) for w, g in views]
        return self._penalties

    def logits(self, row: int, x: Array, fixed: Added | None = None) -> Array:
        """Member `row`'s logits (K, N) of images in columns (D, N); valid until the next call.

        A first layer that is affine also takes (D + 1, N), with ones in the last row.

        Args:
            fixed: added `scale` times to the first layer's output.
        """
        for number, layer in enumerate(self.layers):
            x = layer.columns(row, x)
            if number == 0 and fixed is not None:
                assert self.scale is not None
                values = fixed.values
                if self.scale[row] != 1:  # it moves where there is weight decay
                    values = np.multiply(values, self.scale[row], out=self._moved(values))
                x[:, fixed.places] += values
        return x

    def _moved(self, fixed: Array) -> Array:
        """A scratch array, as making one anew costs more than filling it."""
        if self._scratch.shape != fixed.shape:
            self._scratch = np.empty(fixed.shape, fixed.dtype)
        return self._scratch


def _beside(weights: Array, column: Array) -> Array:
    """A number a member, (P, 1), shaped to be broadcast over its weights."""
    return column.reshape(-1, *[1] * (weights.ndim - 1))


@dataclass(frozen=True)
class Architecture(ABC):
    """The contract of what a study file's [network] describes: a network's shape and its start.

    A frozen dataclass of hyperparameters, one instance a member. Members of a population have the
    shared ones in common, so any of them can `build` for all; each then starts its own row.
    """

    initial_weights: str = hyperparameter(
        "he",
        choices=tuple(initializers.INITIAL_WEIGHTS),
        why="preserves the spread of activations under ReLU",
    )
    initial_distribution: str = hyperparameter(
        "normal",
        choices=initializers.DISTRIBUTIONS,
        why="the textbook's; both have the same standard deviation",
    )
    weight_std: float = hyperparameter(
        0.01, above=0, why="the textbook's; used if initial_weights is normal"
    )
    loss: str = hyperparameter(
        "softmax-cross-entropy",
        choices=tuple(LOSSES),
        why="the usual loss for classes",
        shared=True,
    )
    first_is_affine: ClassVar[bool] = True  # only then inputs may be reduced (trainers.inputs)
    trains_alone: ClassVar[bool] = False  # one member's activations fill the cache
    images_scored_together: ClassVar[int] = 1000  # of which activations stay in the cache

    @abstractmethod
    def layers(self, n_inputs: int, n_classes: int) -> list[Layer]:
        """Unbound layers from D inputs to K outputs.

        Raises:
            ValueError: this architecture can't be made for so many inputs.
        """

    def build(
        self,
        n_inputs: int,
        n_classes: int,
        n_members: int,
        dtype: DTypeLike,
        *,
        with_scale: bool = False,
    ) -> Network:
        """Uninitialised networks of this shape for a population.

        Args:
            n_classes: K; 0 where numbers are predicted, by one output.
        """
        return Network(
            self.layers(n_inputs, n_classes or 1),
            n_members,
            dtype,
            loss=loss_named(self.loss, n_classes),
            with_scale=with_scale,
        )

    def set_member(self, network: Network, row: int, rng: np.random.Generator) -> None:  # noqa: B027
        """Hand member `row`'s own hyperparameters and generator to the layers that use them.

        Args:
            rng: what is drawn while training (dropout masks) comes from this generator alone.
        """

    def initialize(self, network: Network, row: int, rng: initializers.Stream) -> None:
        """Draw member `row`'s initial weights from its own generator."""
        draw = initializers.drawing(
            rng,
            network.w.dtype,
            weights=self.initial_weights,
            distribution=self.initial_distribution,
            weight_std=self.weight_std,
        )
        network.initialize(row, draw)
