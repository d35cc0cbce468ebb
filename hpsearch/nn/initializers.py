"""Initial weights. Biases start at 0 everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hpsearch.nn.base import Array

Draw = Callable[[tuple[int, ...], int, int], Array]


def he(rng: np.random.Generator, dtype: np.dtype[np.floating]) -> Draw:
    """Normal with standard deviation sqrt(2 / fan_in), for ReLU.

    Source: He et al. 2015, eq. 10. (The lecture slides print 2/sqrt(n): a slip.)
    """

    def draw(shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return _normal(rng, shape, math.sqrt(2 / fan_in), dtype)

    return draw


def normal(rng: np.random.Generator, dtype: np.dtype[np.floating], std: float) -> Draw:
    """Normal with a standard deviation that does not depend on the layer's width."""

    def draw(shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        return _normal(rng, shape, std, dtype)

    return draw


def _normal(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    std: float,
    dtype: np.dtype[np.floating],
) -> Array:
    # Drawn in float64 for both dtypes, so that float32 and float64 runs start alike.
    return (rng.standard_normal(shape) * std).astype(dtype)
