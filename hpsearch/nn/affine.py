"""Affine layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpsearch.nn.base import Array, Buffers, Layer, refuse_empty


class Affine(Layer):
    """y = x W + b, with W (P, n_in, n_out) and b (P, 1, n_out).

    The last mini-batch's x and d = dL/dy are kept: the gradient x^T d is theirs.

    Raises:
        ValueError: n_in or n_out below 1, or an empty mini-batch.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        if n_in < 1 or n_out < 1:
            raise ValueError(
                f"an affine layer must have at least 1 input and output, got {n_in} x {n_out}"
            )
        self.n_in, self.n_out = n_in, n_out
        self.n_params = n_in * n_out + n_out
        self._buffers = Buffers()
        self._ones = np.ones((1, 0))  # as many as the last mini-batch has images

    def bind(self, weights: Array, gradients: Array) -> None:
        self.w, self.b = self._split(weights)
        self.dw, self.db = self._split(gradients)
        # The bias lies behind the weights: it is one more row of them.
        n = self.n_in + 1
        self._w_and_b = weights[:, : n * self.n_out].reshape(-1, n, self.n_out)
        self.train_inputs(self.n_in)

    def train_inputs(self, n_live: int) -> None:
        """Give `forward` only the first inputs from now on; the others are zero in training."""
        self._live_w, self._live_dw = self.w[:, :n_live], self.dw[:, :n_live]
        self._dead_dw = self.dw[:, n_live:] if n_live < self.n_in else None

    def _split(self, flat: Array) -> tuple[Array, Array]:
        n = self.n_in * self.n_out
        return flat[:, :n].reshape(-1, self.n_in, self.n_out), flat[:, n:].reshape(
            -1, 1, self.n_out
        )

    def weight_views(self) -> list[tuple[Array, Array]]:
        return [(self.w, self.dw)]

    def initialize(self, row: int, draw: Any) -> None:
        self.w[row] = draw((self.n_in, self.n_out), self.n_in, self.n_out)
        self.b[row] = 0

    def forward(self, x: Array) -> Array:
        refuse_empty(x, axis=1)
        self.x = x
        y = self._buffers.get("y", (*x.shape[:2], self.n_out), self.w)
        np.matmul(x, self._live_w, out=y)
        y += self.b
        return y

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        self.d = d
        xt, dw = self.x.swapaxes(1, 2), self._live_dw
        if self._dead_dw is not None:
            self._dead_dw[...] = 0
        if d.shape[1] == 1:  # an outer product: no sum over images, so no GEMM
            np.multiply(xt, d, out=dw)
            self.db[...] = d
        else:
            np.matmul(xt, d, out=dw)
            # A product with ones: member by member as the weights', and faster than a sum.
            if self._ones.shape[1] != d.shape[1]:
                self._ones = np.ones((1, d.shape[1]), d.dtype)
            np.matmul(self._ones, d, out=self.db)
        if not need_input:
            return None
        dx = self._buffers.get("dx", self.x.shape, self.w)
        np.matmul(d, self.w.swapaxes(1, 2), out=dx)
        return dx

    def columns(self, row: int, x: Array) -> Array:
        y = self._buffers.get("columns", (self.n_out, x.shape[1]), self.w)
        if len(x) > self.n_in:  # the last row are ones, the bias's input
            return np.matmul(self._w_and_b[row].T, x, out=y)
        np.matmul(self.w[row].T, x, out=y)
        y += self.b[row].T
        return y
