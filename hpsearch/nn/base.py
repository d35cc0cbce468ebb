"""The contract of a layer."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


class Layer(ABC):
    """One layer of all P members of a population at once.

    A network owns the parameters and gradients of all its layers as two flat arrays (P, n) and
    lends each layer its columns through `bind`. Results are buffers of the layer: valid until its
    next call. The rows of members never mix, so a row's bits don't depend on its neighbours.
    """

    n_params: int = 0  # columns this layer needs of the flat arrays
    n_statistics: int = 0  # and of the flat array of statistics, which no optimizer moves

    def bind(self, weights: Array, gradients: Array) -> None:  # noqa: B027
        """Keep views into the layer's columns, both (P, n_params). Layers without any: nothing."""

    def bind_statistics(self, statistics: Array) -> None:  # noqa: B027
        """Keep a view into the layer's columns, (P, n_statistics), and set them for the start."""

    def weight_views(self) -> list[tuple[Array, Array]]:
        """(weights, gradients) of the arrays that a weight penalty applies to; biases are none."""
        return []

    def initialize(self, row: int, draw: Any) -> None:  # noqa: B027
        """Set member `row`'s parameters; `draw(shape, fan_in, fan_out)` gives a weight array."""

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """Training pass, (P, B, inputs) -> (P, B, outputs); keeps what `backward` needs.

        Layers of images take and give (P, C, H, W, B), the mini-batch last.

        Raises:
            ValueError: the mini-batch is empty.
        """

    @abstractmethod
    def backward(self, d: Array, *, need_input: bool) -> Array | None:
        """d loss / d output (P, B, outputs) -> d loss / d input, filling the gradient views.

        Args:
            d: may be overwritten.
            need_input: False for the first layer, whose input gradient nobody uses; then None.
        """

    @abstractmethod
    def columns(self, row: int, x: Array) -> Array:
        """Inference of one member with images as columns, (inputs, N) -> (outputs, N)."""


def refuse_empty(x: Array, axis: int) -> None:
    """Raise ValueError for a mini-batch without images."""
    if x.shape[axis] == 0:
        raise ValueError("a mini-batch must have at least 1 image, got 0")


class Buffers:
    """Scratch arrays by name, each of one dtype.

    All shapes of a name share one piece of memory, as large as the largest: the short mini-batch
    at the end of a pass takes a part of that of the others. Who asks for a name gives up what was
    got by it in another shape.
    """

    def __init__(self) -> None:
        self._memory: dict[str, Array] = {}
        self._views: dict[tuple[str, tuple[int, ...]], Array] = {}

    def get(self, name: str, shape: tuple[int, ...], like: Array) -> Array:
        """An uninitialised array of this shape and `like`'s dtype."""
        view = self._views.get((name, shape))
        if view is None:
            view = self._views[name, shape] = self._part(name, shape, like.dtype)
        return view

    def _part(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        size, memory = math.prod(shape), self._memory.get(name)
        if memory is None or memory.size < size:
            self._views = {key: view for key, view in self._views.items() if key[0] != name}
            memory = self._memory[name] = np.empty(size, dtype)
        assert memory.dtype == dtype, f"{name} has been {memory.dtype} before"
        return memory[:size].reshape(shape)
