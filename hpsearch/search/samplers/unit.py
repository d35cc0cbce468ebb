"""Numeric distributions as the unit interval, logarithmic where they are."""

from __future__ import annotations

import math

import numpy as np
from optuna.distributions import FloatDistribution, IntDistribution

from hpsearch.search.space import round_float

Numeric = FloatDistribution | IntDistribution


def to_unit(distribution: Numeric, value: float) -> float:
    """Where `value` lies between low (0) and high (1); whole numbers own a cell each."""
    low, high = _bounds(distribution)
    if high <= low:
        return 0.5
    if distribution.log:
        return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    return (value - low) / (high - low)


def from_unit(distribution: Numeric, unit: float) -> float | int:
    """The valid value nearest to this place; floats with 6 significant digits."""
    low, high = _bounds(distribution)
    unit = float(np.clip(unit, 0.0, 1.0))
    if distribution.log:
        value = math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    else:
        value = low + unit * (high - low)
    if distribution.step is not None:
        steps = round((value - distribution.low) / distribution.step)
        most = math.floor((distribution.high - distribution.low) / distribution.step + 1e-9)
        value = distribution.low + distribution.step * min(max(steps, 0), most)
    elif isinstance(distribution, FloatDistribution):
        value = round_float(value)
    value = min(distribution.high, max(distribution.low, value))
    return round(value) if isinstance(distribution, IntDistribution) else float(value)


def _bounds(distribution: Numeric) -> tuple[float, float]:
    if isinstance(distribution, IntDistribution):
        half = 0.5 * distribution.step
        return distribution.low - half, distribution.high + half
    return distribution.low, distribution.high
