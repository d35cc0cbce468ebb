"""Ranks of scores."""

from __future__ import annotations

import numpy as np

from hpsearch.samplers.unit import Floats


def mean_ranks(values: Floats) -> Floats:
    """Ranks from 1, (n,); equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])
