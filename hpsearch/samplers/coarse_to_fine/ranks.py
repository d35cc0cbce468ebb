"""Ranks of scores."""

from __future__ import annotations

import math

import numpy as np

from hpsearch.samplers.unit import Floats


def mean_ranks(values: Floats) -> Floats:
    """Ranks from 1, (n,); equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's, by mean ranks of ties; 0 where one of them does not vary."""
    ranks = [mean_ranks(values) for values in (one, other)]
    first, second = (values - values.mean() for values in ranks)
    scale = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / scale if scale else 0.0
