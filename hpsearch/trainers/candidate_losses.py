"""The losses of many steps along one gradient, without a forward pass for each.

A network of affine layers with activations between them has weights W and the gradient G of a
mini-batch X. Pre-activations of the first layer are linear in the step s:

    X (W1 - s G1) + (b1 - s g1) = A - s A',    A = X W1 + b1,    A' = X G1 + g1

so that the products with the inputs, by far the largest, are made once for all steps. With
G1 = X^T dz, dz = dL/dA, the slope of any images Y is

    A' = (Y X^T + 1) dz

which needs D products for each pair of images and no more for each hidden unit. A layer behind
it, Z (W - s G) + (b - s g) = (Z W + b) - s (Z G + g), has inputs Z of each step's own.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hpsearch.nn import ACTIVATIONS, Affine, Network
from hpsearch.nn.base import Array, Buffers
from hpsearch.nn.losses import ClassLoss, Labels

Images = tuple[Array, Labels]  # (p, N, D) and (p, N)


class CandidateLosses:
    """Losses of a population's network at W - s g, where g is its last gradient.

    Args:
        network: affine layers and activations.

    Attributes:
        first: the layer of W1, with X and dz of its last mini-batch.
    """

    def __init__(self, network: Network) -> None:
        assert isinstance(network.loss, ClassLoss)
        self._loss = network.loss
        affine = [layer for layer in network.layers if isinstance(layer, Affine)]
        self.first, self._behind = affine[0], affine[1:]
        # Instances of their own: they keep what backpropagation needs of their last input.
        known = tuple(ACTIVATIONS.values())
        self._between = [type(each)() for each in network.layers if isinstance(each, known)]
        self._buffers = Buffers()

    def slopes(self, x: Array, rows: slice) -> Array:
        """A' of images x, (p, N, D), of the members in these rows: (p, N, H)."""
        products = np.matmul(x, self.first.x[rows].swapaxes(1, 2))
        products += 1
        slopes: Array = np.matmul(products, self.first.d[rows])
        return slopes

    def of(self, start: Array, slope: Array, labels: Labels, steps: Array, rows: slice) -> Array:
        """Mean loss over N images of each member at each of its C steps, (p, C).

        Args:
            start: A, (p, N, H).
            slope: A', (p, N, H).
            labels: (p, N).
            steps: s, (p, C).
            rows: of the p members in the population.
        """
        (p, n_steps), n = steps.shape, labels.shape[1]
        along = steps[:, :, None, None]
        a = self._buffers.get(f"first {rows}", (p, n_steps, *start.shape[1:]), start)
        np.multiply(slope[:, None], along, out=a)
        np.subtract(start[:, None], a, out=a)
        *hidden, last = zip(self._between, self._behind, strict=True)
        for activation, layer in hidden:
            # The images of all steps behind one another are one product a member.
            z = activation.forward(a.reshape(p, n_steps * n, -1))
            moved = np.matmul(z, layer.dw[rows])
            moved += layer.db[rows]
            a = np.matmul(z, layer.w[rows])
            a += layer.b[rows]
            a = a.reshape(p, n_steps, n, -1)
            a -= np.multiply(moved.reshape(a.shape), along)
        activation, layer = last
        z = activation.forward(a.reshape(p, n_steps * n, -1))
        outputs = self._output_columns(layer, z, steps, rows)
        every = np.broadcast_to(labels[:, None], (p, n_steps, n)).reshape(p, -1)
        picked = outputs[np.arange(p)[:, None], every, np.arange(n_steps * n)]
        losses = self._loss.column_losses(outputs, picked, outputs.max(axis=1))
        means: Array = losses.reshape(p, n_steps, n).mean(axis=2)
        return means

    def _output_columns(self, layer: Affine, z: Array, steps: Array, rows: slice) -> Array:
        """The network's outputs at all steps, images as columns, (p, K, C N)."""
        p, n_images, k = len(z), z.shape[1], layer.n_out
        # Z W and Z G in one product: each alone is too narrow to be fast.
        both = self._buffers.get(f"both {rows}", (p, layer.n_in, 2 * k), z)
        both[:, :, :k], both[:, :, k:] = layer.w[rows], layer.dw[rows]
        columns = self._buffers.get(f"columns {rows}", (p, 2 * k, n_images), z)
        np.matmul(both.swapaxes(1, 2), z.swapaxes(1, 2), out=columns)
        outputs, moved = columns[:, :k], columns[:, k:]
        moved += layer.db[rows].swapaxes(1, 2)
        moved *= np.repeat(steps, n_images // steps.shape[1], axis=1)[:, None]
        outputs += layer.b[rows].swapaxes(1, 2)
        outputs -= moved
        return outputs

    def over(self, portions: Iterable[Images], steps: Array, rows: slice) -> Array:
        """As `of`, over the images of all portions, whose A is computed here."""
        total, n_images = np.zeros_like(steps), 0
        for x, labels in portions:
            start = np.matmul(x, self.first.w[rows])
            start += self.first.b[rows]
            means = self.of(start, self.slopes(x, rows), labels, steps, rows)
            total += means * labels.shape[1]
            n_images += labels.shape[1]
        total /= n_images
        return total
