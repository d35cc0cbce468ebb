"""Activation functions. They overwrite their input: the layer before must not need its output."""

from __future__ import annotations

import numpy as np

from hpsearch.nn.base import Array, Buffers, Layer


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


class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)), in place; dy/dx = y (1 - y)."""

    def __init__(self) -> None:
        self._buffers = Buffers()

    def forward(self, x: Array) -> Array:
        self.y = self.columns(0, x)
        return self.y

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        slope = self._buffers.get("slope", self.y.shape, self.y)
        np.subtract(1, self.y, out=slope)
        slope *= self.y
        d *= slope
        return d

    def columns(self, row: int, x: Array) -> Array:
        np.negative(x, out=x)
        with np.errstate(over="ignore"):  # exp(-x) = inf gives the 0 that it should
            np.exp(x, out=x)
        x += 1
        return np.reciprocal(x, out=x)


class Tanh(Layer):
    """y = tanh(x), in place; dy/dx = 1 - y^2."""

    def __init__(self) -> None:
        self._buffers = Buffers()

    def forward(self, x: Array) -> Array:
        self.y = np.tanh(x, out=x)
        return self.y

    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        slope = self._buffers.get("slope", self.y.shape, self.y)
        np.square(self.y, out=slope)
        np.subtract(1, slope, out=slope)
        d *= slope
        return d

    def columns(self, row: int, x: Array) -> Array:
        return np.tanh(x, out=x)


# By the name a study file's `activation` uses.
ACTIVATIONS: dict[str, type[Layer]] = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}
