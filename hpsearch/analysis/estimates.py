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

The difference of two means whose repeats are no pairs has an interval made of theirs: with a and b
the distances from the means to their ends, sqrt(a^2 + b^2) on each side. It takes the two for
independent; where both are of the same rows it is too wide rather than too narrow. Zou and Donner,
"Construction of confidence limits about effect measures" (Statistics in Medicine 27, 2008).

An interval of a score ends where the score's range does, an accuracy's at 1: `within_range`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hpsearch.records.estimate import CORRECTED, ROWS, UNPAIRED, Estimate

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


def unpaired(first: Estimate, second: Estimate) -> Estimate:
    """The first mean less the second, of repeats that are no pairs; `values` stay empty."""
    mean = first.mean - second.mean
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Estimate(mean, None, None, [], "repeats", UNPAIRED)
    below = math.hypot(first.mean - first.low, second.high - second.mean)
    above = math.hypot(first.high - first.mean, second.mean - second.low)
    return Estimate(mean, mean - below, mean + above, [], "repeats", UNPAIRED)


def ratio_in(known: Estimate, of_splits: Sequence[float]) -> float | None:
    """The ratio that `over_splits` made an estimate with, read back from its interval.

    So differences have the right interval where the data is not at hand.

    Args:
        of_splits: as for `over_splits`.

    Returns:
        None where it can't be read: there is no such interval, or all splits score the same.
    """
    spread = float(np.std(of_splits, ddof=1)) if len(of_splits) > 1 else 0.0
    if known.method != CORRECTED or known.distance is None or not spread:
        return None
    n = len(of_splits)
    return float((known.distance / (_t(n - 1) * spread)) ** 2 - 1 / n)


def p_value(one: Estimate, n_scores: int) -> float | None:
    """The two-sided p-value that a mean is 0: the level whose interval ends at 0.

    Args:
        n_scores: what the interval's degrees of freedom are one less than: of fresh splits the
            scores of all of them, else the repeats.

    Returns:
        None without an interval.
    """
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    half, size = one.distance, abs(one.mean)
    if half is None or (n_scores < 2 and one.method != ROWS):
        return None
    if half == 0:
        return 1.0 if size == 0 else 0.0
    if one.method != ROWS:
        return float(2 * stdtr(n_scores - 1, -size * _t(n_scores - 1) / half))
    plain = estimate(one.values).distance
    of_refits = 0.0 if plain is None else plain / _t(n_scores - 1)
    of_rows = math.sqrt(max(half**2 - (plain or 0.0) ** 2, 0.0)) / NORMAL
    if of_refits == 0:
        return float(2 * ndtr(-size / of_rows))
    low, high = 0.0, 1.0  # bisection: the interval is the wider the smaller the p-value is
    for _ in range(60):
        middle = (low + high) / 2
        t, normal = stdtrit(n_scores - 1, middle / 2), ndtri(middle / 2)
        inside = math.hypot(t * of_refits, normal * of_rows) > size
        low, high = (middle, high) if inside else (low, middle)
    return (low + high) / 2


def _t(degrees: int) -> float:
    """The 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit  # scipy.stats takes half a second to load

    return float(stdtrit(degrees, 0.975))
