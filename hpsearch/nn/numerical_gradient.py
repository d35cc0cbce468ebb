"""Numerical gradients at the price of a few backpropagations, for networks of affine layers.

The central difference of every weight w, one after the other,

    (L(w + h) - L(w - h)) / 2h,

costs two losses of the whole network each (gradient_check.numerical_gradient does that). But
moving W[i, j] of a layer a = u W + b by h moves unit j of image b by h u_bi alone, and the bias
b_j is a weight whose input is 1. Only what follows from that unit has to be computed again, and
nothing at all where u_bi is 0 (a pixel without ink, a dead unit) or where the activation does not
pass the move on (a ReLU that is off and stays off; one that crosses its kink does so exactly).
What is left is the same quotient, up to the rounding that the plain loops have too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpsearch.nn.activations import ACTIVATIONS
from hpsearch.nn.affine import Affine
from hpsearch.nn.base import Array, Layer
from hpsearch.nn.dropout import Dropout
from hpsearch.nn.losses import ClassLoss, Labels, SoftmaxCrossEntropy
from hpsearch.nn.networks.base import Network

Indices = NDArray[np.intp]


class NumericalGradient:
    """Fills a network's gradients of members with central differences, in float64 for any dtype.

    Args:
        network: affine layers with ReLU, sigmoid or tanh between them.

    Raises:
        ValueError: the network has other layers, or a member with dropout.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._affines, self._activations = _affine_layers(network)

    def fill(
        self, row: int, x: Array, labels: Labels, *, step: float, log_offset: float = 0.0
    ) -> None:
        """Leave member `row`'s numerical gradient of the mean loss in the network's `g`.

        Args:
            x: (B, D) inputs.
            labels: (B,) classes.
            step: h. In float64 1e-5 is the most exact: truncation goes with h^2, rounding 1e-16/h.
            log_offset: e of softmax cross-entropy as -log(y + e), y the probability of the true
                class: textbooks have it against log 0. Other losses have no logarithm.
        """
        self._network.g[row] = 0
        passed = _Pass(self._layers(row), self._network, labels, log_offset)
        passed.forward(x)
        factor = 1 / (2 * step * len(x))
        for number, affine in enumerate(self._affines):
            gradient = passed.differences(number, step)  # (n_out, n_in + 1)
            gradient *= factor
            affine.dw[row] = gradient[:, :-1].T
            affine.db[row, 0] = gradient[:, -1]

    def _layers(self, row: int) -> list[_AffineLayer]:
        return [
            _AffineLayer(
                affine.w[row].T.astype(np.float64), affine.b[row].T.astype(np.float64), activation
            )
            for affine, activation in zip(self._affines, [*self._activations, None], strict=True)
        ]


def _affine_layers(network: Network) -> tuple[list[Affine], list[Layer]]:
    """The affine layers, and the activations between them."""
    drops = any(generator is not None for generator in network.mask_generators)
    layers = [layer for layer in network.layers if drops or not isinstance(layer, Dropout)]
    affines = [layer for layer in layers[::2] if isinstance(layer, Affine)]
    between = [layer for layer in layers[1::2] if isinstance(layer, tuple(ACTIVATIONS.values()))]
    if len(affines) + len(between) < len(layers) or len(affines) != len(between) + 1:
        names = ", ".join(type(layer).__name__ for layer in layers)
        raise ValueError(
            "numerical gradients must be of affine layers with activations between them, "
            f"got {names}"
        )
    return affines, between


@dataclass(frozen=True)
class _AffineLayer:
    """One member's layer on images as columns: a = W^T u + b, and the activation behind it.

    Attributes:
        w: W^T, (n_out, n_in).
        b: (n_out, 1).
    """

    w: Array
    b: Array
    activation: Layer | None

    def activated(self, a: Array) -> Array:
        """The activation, in place."""
        return a if self.activation is None else self.activation.columns(0, a)


class _Pass:
    """One member's mini-batch on its way through the network, in columns."""

    def __init__(
        self,
        layers: Sequence[_AffineLayer],
        network: Network,
        labels: Labels,
        log_offset: float,
    ) -> None:
        assert isinstance(network.loss, ClassLoss)
        self._layers, self._loss, self._labels = layers, network.loss, labels
        self._log_offset = log_offset if isinstance(network.loss, SoftmaxCrossEntropy) else 0.0
        self._inputs: list[Array] = []  # of every layer with a row of ones, (n_in + 1, B)
        self._outputs: list[Array] = []  # of every layer before its activation, (n_out, B)

    def forward(self, x: Array) -> None:
        """Take a mini-batch (B, D) through all layers."""
        u: Array = x.T.astype(np.float64)
        for layer in self._layers:
            self._inputs.append(np.concatenate([u, np.ones((1, u.shape[1]))]))
            self._outputs.append(layer.w @ u + layer.b)
            u = layer.activated(self._outputs[-1].copy())
        self._top = self._outputs[-1].max(axis=0)

    def differences(self, number: int, step: float) -> Array:
        """L(w + h) - L(w - h) summed over the images, (n_out, n_in + 1), for a layer's [W; b]."""
        u = self._inputs[number]
        inputs, images = np.nonzero(u)  # sorted by input
        first = np.flatnonzero(np.diff(inputs, prepend=-1))  # of each input that has any
        moves = step * u[inputs, images]
        found = np.zeros((len(self._layers[number].w), len(u)))
        hidden = number + 1 < len(self._layers)
        moved = (
            self._hidden_units(number, images, moves) if hidden else self._logits(images, moves)
        )
        for units, differences in moved:
            found[units, inputs[first]] = np.add.reduceat(differences, first, axis=1)
        return found

    def _logits(self, images: Indices, moves: Array) -> Iterator[tuple[slice, Array]]:
        """For every logit, (c, m): the difference when it moves by +-moves, (m,), on `images`."""
        logits = self._outputs[-1]
        n, m = len(logits), len(moves)
        every = np.arange(n)
        for units in _portions(n, m * n):
            own = every[units]
            moved = np.repeat(logits[:, None, images], len(own), axis=1)  # (K, c, m)
            moved[own, np.arange(len(own))] += moves
            above = self._losses(moved.reshape(n, -1), np.tile(images, len(own)))
            moved[own, np.arange(len(own))] -= 2 * moves
            below = self._losses(moved.reshape(n, -1), np.tile(images, len(own)))
            yield units, (above - below).reshape(len(own), m)

    def _hidden_units(
        self, number: int, images: Indices, moves: Array
    ) -> Iterator[tuple[slice, Array]]:
        """The same for the units of a hidden layer, moved before their activation."""
        layer, a = self._layers[number], self._outputs[number]
        n, m = len(a), len(moves)
        for units in _portions(n, m * len(self._layers[number + 1].w)):
            here = np.take(a[units], images, axis=1)
            before = layer.activated(here.copy())
            above = layer.activated(here + moves) - before
            below = layer.activated(here - moves) - before
            felt = np.flatnonzero((above != 0) | (below != 0))
            unit, pair = np.divmod(felt, m)
            unit += units.start
            differences = np.zeros(here.shape)
            if felt.size:
                differences.flat[felt] = self._loss_after(
                    number + 1, images[pair], unit, above.flat[felt]
                ) - self._loss_after(number + 1, images[pair], unit, below.flat[felt])
            yield units, differences

    def _loss_after(self, number: int, images: Indices, units: Indices, moves: Array) -> Array:
        """Losses (r,) of `images` when each one's input `units` of a layer moves by `moves`."""
        a = np.take(self._layers[number].w, units, axis=1)
        a *= moves
        a += np.take(self._outputs[number], images, axis=1)
        for before, layer in zip(self._layers[number:], self._layers[number + 1 :], strict=False):
            a = layer.w @ before.activated(a)
            a += layer.b
        return self._losses(a, images)

    def _losses(self, logits: Array, images: Indices) -> Array:
        """Losses (r,) of `images` with these logits, (K, r)."""
        picked = logits[self._labels[images], np.arange(len(images))]
        # The largest logits before the move keep exp from overflowing as well.
        top = self._top[images]
        losses: Array = self._loss.column_losses(logits[None], picked[None], top[None])[0]
        if not self._log_offset:
            return losses
        np.negative(losses, out=losses)
        np.exp(losses, out=losses)
        losses += self._log_offset
        np.log(losses, out=losses)
        np.negative(losses, out=losses)
        return losses


CACHED = 1 << 16  # numbers of an array; larger ones were slower, smaller ones too


def _portions(n: int, size: int) -> Iterator[slice]:
    """Slices of n units, each of which needs arrays of `size` numbers."""
    count = max(1, CACHED // max(1, size))
    for start in range(0, n, count):
        yield slice(start, min(n, start + count))
