"""Initial weights, by name and distribution. Biases start at 0 everywhere.

A name says how wide the weights of a layer are drawn, as a standard deviation; the distribution,
normal or uniform, is another choice. A uniform one over [-a, a] has the standard deviation
a / sqrt(3), so that, for instance, uniform He weights have a = sqrt(6 / fan_in).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hpsearch.nn.base import Array

Stream = np.random.Generator | np.random.RandomState  # both draw the same way
Draw = Callable[[tuple[int, ...], int, int], Array]  # (shape, fan_in, fan_out) -> weights
Deviation = Callable[[int, int, float], float]  # (fan_in, fan_out, weight_std) -> its width


def zeros(fan_in: int, fan_out: int, weight_std: float) -> float:
    """0: all units of a layer get the same gradient and stay alike. Here to be shown failing."""
    return 0.0


def normal(fan_in: int, fan_out: int, weight_std: float) -> float:
    """A standard deviation that does not depend on the layer's width."""
    return weight_std


def xavier(fan_in: int, fan_out: int, weight_std: float) -> float:
    """sqrt(2 / (fan_in + fan_out)), for sigmoid and tanh.

    Source: Glorot & Bengio 2010, eq. 12 (16 is its uniform form, a = sqrt(6 / (in + out))).
    """
    return math.sqrt(2 / (fan_in + fan_out))


def xavier_fan_in(fan_in: int, fan_out: int, weight_std: float) -> float:
    """sqrt(1 / fan_in), the lecture's and Caffe's reading of Xavier: activations only."""
    return math.sqrt(1 / fan_in)


def he(fan_in: int, fan_out: int, weight_std: float) -> float:
    """sqrt(2 / fan_in), for ReLU.

    Source: He et al. 2015, eq. 10. (The lecture slides print 2/sqrt(n): a slip.)
    """
    return math.sqrt(2 / fan_in)


# By the name a study file's `initial_weights` and `initial_distribution` use.
INITIAL_WEIGHTS: dict[str, Deviation] = {
    "zeros": zeros,
    "normal": normal,
    "xavier": xavier,
    "xavier-fan-in": xavier_fan_in,
    "he": he,
}
DISTRIBUTIONS = ("normal", "uniform")


def drawing(
    rng: Stream,
    dtype: np.dtype[np.floating],
    *,
    weights: str = "he",
    distribution: str = "normal",
    weight_std: float = 0.01,
) -> Draw:
    """What draws one member's weight arrays, layer by layer.

    Args:
        rng: the member's own generator.
        dtype: of the arrays. They are drawn in float64 for both dtypes, so that float32 and
            float64 runs start alike.
        weights: a key of INITIAL_WEIGHTS.
        distribution: one of DISTRIBUTIONS, of mean 0.
        weight_std: the standard deviation where `weights` is "normal".
    """
    deviation = INITIAL_WEIGHTS[weights]

    def draw(shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        std = deviation(fan_in, fan_out, weight_std)
        if std == 0:
            return np.zeros(shape, dtype)
        if distribution == "uniform":
            return (rng.uniform(-1, 1, shape) * (math.sqrt(3) * std)).astype(dtype)
        return (rng.standard_normal(shape) * std).astype(dtype)

    return draw
