"""The literal rule: a box around the best trials, halved again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.samplers.coarse_to_fine.pool import rank_weights
from hpsearch.samplers.unit import Numeric, from_unit, to_units

MOST = 0.5  # of the full range, a narrowing step

Box = tuple[float, float] | list[Any]


def box_of(distribution: BaseDistribution, values: Sequence[Any], steps: int, floor: float) -> Box:
    """The box that holds these values of the best trials, as (low, high) in unit space.

    After s narrowing steps it is at most 2^-s wide, around the values' mean by rank; never
    narrower than `floor`. Of choices: those that are left.
    """
    if isinstance(distribution, CategoricalDistribution):
        return [choice for choice in distribution.choices if choice in values]
    assert isinstance(distribution, Numeric)
    places = to_units(distribution, values)
    width, center = float(np.ptp(places)), float(places.min() + places.max()) / 2
    if width > MOST**steps:
        width, center = MOST**steps, float(rank_weights(len(places)) @ places)
    width = max(width, floor)
    low = float(np.clip(center - width / 2, 0.0, 1.0 - width))
    return low, low + width


def in_box(distribution: BaseDistribution, box: Box, unit: float) -> Any:
    """The value at a place of the box."""
    if isinstance(box, list):
        return box[min(len(box) - 1, int(unit * len(box)))]
    assert isinstance(distribution, Numeric)
    return from_unit(distribution, box[0] + unit * (box[1] - box[0]))
