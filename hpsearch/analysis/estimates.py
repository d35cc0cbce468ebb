"""Means over fresh seeds, and how far they can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hpsearch.records.result import Estimate


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of one score a seed, with its 95 % t interval; none for a single score."""
    from scipy.special import stdtrit

    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return Estimate(mean, None, None, list(values))
    half = float(stdtrit(n - 1, 0.975)) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, list(values))
