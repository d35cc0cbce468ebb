"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpsearch.nn.base import Array, Buffers, Layer, refuse_empty

EPSILON = 1e-5  # added to a variance, as usual elsewhere; the paper and the slides name none


class BatchNorm(Layer):
    """Every unit's input at mean beta and standard deviation gamma over the mini-batch:

        x^ = (x - mean) / sqrt(var + eps),    y = gamma x^ + beta

    with mean and (biased) var of the member's own mini-batch while training. At inference they
    are running ones, running <- m running + (1 - m) batch after every training step, with the
    unbiased variance B / (B - 1) var. A mini-batch of 1 image has y = beta and no variance to
    learn from: it leaves the running ones alone.

    gamma and beta, (P, 1, n), start at 1 and 0 and are learned; no weight penalty applies to
    them. Running mean and variance start at 0 and 1 and are statistics, not parameters.

    Attributes:
        momentum: m of every member, (P, 1, 1).

    Source: Ioffe & Szegedy 2015, algorithms 1 and 2, with running means for theirs over several
    batches.

    Raises:
        ValueError: n below 1, or an empty mini-batch.
    """

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ValueError(f"batch normalisation must have at least 1 unit, got {n}")
        self.n_units = n
        self.n_params = self.n_statistics = 2 * n
        self._buffers = Buffers()

    def bind(self, weights: Array, gradients: Array) -> None:
        self.gamma, self.beta = self._halves(weights)
        self.dgamma, self.dbeta = self._halves(gradients)
        self.momentum = np.full((len(weights), 1, 1), 0.9, weights.dtype)

    def bind_statistics(self, statistics: Array) -> None:
        self.mean, self.variance = self._halves(statistics)
        self.mean[...], self.variance[...] = 0, 1

    def _halves(self, flat: Array) -> tuple[Array, Array]:
        return flat[:, None, : self.n_units], flat[:, None, self.n_units :]

    def initialize(self, row: int, draw: Any) -> None:
        self.gamma[row], self.beta[row] = 1, 0

    def forward(self, x: Array) -> Array:
        refuse_empty(x, axis=1)
        # A product with 1/B ... 1/B is a mean, 3 times faster than a sum over rows.
        self._mean_row = np.full((1, 1, x.shape[1]), 1 / x.shape[1], x.dtype)
        self._centered = self._buffers.get("centered", x.shape, x)
        y = self._buffers.get("y", x.shape, x)
        mean = self._mean_row @ x  # (P, 1, n)
        np.subtract(x, mean, out=self._centered)
        variance = self._mean_row @ np.square(self._centered, out=y)
        self._inverse = 1 / np.sqrt(variance + x.dtype.type(EPSILON))
        np.multiply(self._centered, self.gamma * self._inverse, out=y)
        y += self.beta
        self._run(mean, variance, x.shape[1])
        return y

    def _run(self, mean: Array, variance: Array, n_images: int) -> None:
        if n_images == 1:
            return
        share = 1 - self.momentum
        self.mean += share * (mean - self.mean)
        self.variance += share * (variance * (n_images / (n_images - 1)) - self.variance)

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        # dx = gamma / sqrt(var + eps) (d - mean(d) - x^ mean(d x^)), means over the mini-batch
        n_images = d.shape[1]
        product = self._buffers.get("product", d.shape, d)
        mean_d = self._mean_row @ d  # (P, 1, n)
        mean_dx = self._mean_row @ np.multiply(d, self._centered, out=product)
        mean_dx *= self._inverse
        np.multiply(mean_d, n_images, out=self.dbeta)
        np.multiply(mean_dx, n_images, out=self.dgamma)
        if not need_input:
            return None
        self._centered *= self._inverse * mean_dx
        d -= mean_d
        d -= self._centered
        d *= self.gamma * self._inverse
        return d

    def columns(self, row: int, x: Array) -> Array:
        gamma, beta = self.gamma[row, 0, :, None], self.beta[row, 0, :, None]
        mean, variance = self.mean[row, 0, :, None], self.variance[row, 0, :, None]
        factor = gamma / np.sqrt(variance + x.dtype.type(EPSILON))
        x *= factor
        x += beta - mean * factor
        return x
