"""Means over repeats, and how far they can be trusted: 95 % intervals.

    independent repeats   mean ± t(n - 1) s sqrt(1 / n)
    fresh splits          mean ± t(J - 1) s sqrt(1 / J + n_validation / n_training)

The second is over the J scores of all splits. Splits of the same rows overlap, and the plain t
interval would take them for J independent sets of rows; Nadeau and Bengio, "Inference for the
generalization error" (Machine Learning 52, 2003), correct the variance of random splits, Bouckaert
and Frank (PAKDD 2004) use the same for repeated k-fold.

A test score is a mean over refits, all of them scored on the same rows. Their luck is in no
difference between refits and is added: sqrt((t s)^2 / n + (1.96 e)^2), e the standard error over
rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hpsearch.records.estimate import CORRECTED, ROWS, Estimate

NORMAL = 1.959964  # the 97.5 % quantile


def estimate(values: Sequence[float], over: str = "seeds") -> Estimate:
    """The mean of one score a repeat, with its t interval; none for a single score.

    Args:
        over: what the repeats differ in, in words.
    """
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return Estimate(mean, None, None, list(values), over)
    half = _t(n - 1) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, list(values), over)


def over_splits(
    values: Sequence[float], of_splits: Sequence[float], ratio: float, over: str
) -> Estimate:
    """The mean of one score a repeat on fresh splits, with the corrected resampled t interval.

    Args:
        of_splits: the scores of all splits of all repeats, at least 2.
        ratio: validation rows by training rows.
    """
    mean, n = float(np.mean(values)), len(of_splits)
    spread = float(np.std(of_splits, ddof=1))
    half = _t(n - 1) * spread * math.sqrt(1 / n + ratio)
    return Estimate(mean, mean - half, mean + half, list(values), over, CORRECTED)


def with_rows(refits: Sequence[float], error: float, n_rows: int) -> Estimate:
    """The mean of one test score a refit, with an interval of refits and test rows together.

    Args:
        error: the standard error over test rows.
        n_rows: how many there are.
    """
    plain = estimate(refits, "refits")
    of_refits = 0.0 if plain.low is None else plain.mean - plain.low
    half = math.hypot(of_refits, NORMAL * error)
    mean = plain.mean
    return Estimate(mean, mean - half, mean + half, list(refits), "refits", ROWS, n_rows)


def _t(degrees: int) -> float:
    """The 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit  # scipy.stats takes half a second to load

    return float(stdtrit(degrees, 0.975))
