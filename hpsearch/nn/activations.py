"""Activation functions."""

from __future__ import annotations

import numpy as np

from hpsearch.nn.base import Array, Layer


class ReLU(Layer):
    """y = max(x, 0), in place; the gradient at 0 is 0."""

    def forward(self, x: Array) -> Array:
        self.y = np.maximum(x, 0, out=x)
        return self.y

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        d *= self.y > 0
        return d

    def columns(self, row: int, x: Array) -> Array:
        return np.maximum(x, 0, out=x)
