"""Numeric distributions as the unit interval, logarithmic where they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Numeric = FloatDistribution | IntDistribution
SIGNIFICANT_DIGITS = 6  # of suggested floats: a rounding error of another CPU can't move a draw
TENS = np.array([float(f"1e{n}") for n in range(300)])


def round_float(value: float) -> float:
    """`value` to SIGNIFICANT_DIGITS."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def to_digits(values: Floats, digits: int) -> Floats:
    """Many values to so many significant digits: equal ones where their texts are."""
    size = np.abs(values)
    plain = (size > 1e-280) & (size < 1e280)  # the others, inf and NaN stay what they are
    place = np.floor(np.log10(size, where=plain, out=np.zeros_like(size))).astype(int)
    up, down = (TENS[np.maximum(n, 0)] for n in (digits - 1 - place, place - digits + 1))
    return np.where(plain, np.rint(values * up / down) / up * down, values)


def anywhere(distribution: BaseDistribution, unit: float) -> Any:
    """The value at a place of the full range."""
    if isinstance(distribution, CategoricalDistribution):
        n = len(distribution.choices)
        return distribution.choices[min(n - 1, int(unit * n))]
    assert isinstance(distribution, Numeric)
    return from_unit(distribution, unit)


def to_unit(distribution: Numeric, value: float) -> float:
    """Where `value` lies between low (0) and high (1); whole numbers own a cell each."""
    return float(to_units(distribution, value))


def from_unit(distribution: Numeric, unit: float) -> float | int:
    """The valid value nearest to this place; floats with 6 significant digits."""
    value = float(_values(distribution, unit))
    if isinstance(distribution, IntDistribution):
        return round(value)
    if distribution.step is None:
        value = min(distribution.high, max(distribution.low, round_float(value)))
    return value


def from_units(distribution: Numeric, units: Floats) -> Floats:
    """`from_unit` of many."""
    values = np.asarray(_values(distribution, units), float)
    if isinstance(distribution, IntDistribution):
        values = np.rint(values)
    elif distribution.step is None:
        rounded = to_digits(values, SIGNIFICANT_DIGITS)
        values = np.clip(rounded, distribution.low, distribution.high)
    return values


def to_units(distribution: Numeric, values: ArrayLike) -> Floats:
    """`to_unit` of many, in their shape."""
    low, high = _bounds(distribution)
    x = np.asarray(values, float)
    if high <= low:
        return np.full(x.shape, 0.5)
    if distribution.log:
        low, high, x = np.log(low), np.log(high), np.log(x)
    return np.asarray((x - low) / (high - low))


def snap(distribution: Numeric, units: Floats) -> Floats:
    """The places of the valid values nearest to these; a float's digits are left as they are."""
    if isinstance(distribution, FloatDistribution) and distribution.step is None:
        return np.clip(units, 0.0, 1.0)
    return to_units(distribution, _values(distribution, units))


def _values(distribution: Numeric, units: ArrayLike) -> Any:
    low, high = _bounds(distribution)
    units = np.clip(units, 0.0, 1.0)
    if distribution.log:
        value = np.exp(np.log(low) + units * (np.log(high) - np.log(low)))
    else:
        value = low + units * (high - low)
    if distribution.step is not None:
        steps = np.rint((value - distribution.low) / distribution.step)
        most = np.floor((distribution.high - distribution.low) / distribution.step + 1e-9)
        value = distribution.low + distribution.step * np.clip(steps, 0, most)
    return np.clip(value, distribution.low, distribution.high)


def _bounds(distribution: Numeric) -> tuple[float, float]:
    if isinstance(distribution, IntDistribution):
        half = 0.5 * distribution.step
        return distribution.low - half, distribution.high + half
    return distribution.low, distribution.high
