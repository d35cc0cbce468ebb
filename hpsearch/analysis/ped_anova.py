"""PED-ANOVA for many resamples of one set of trials at once.

How important a parameter is for being among the best: the Pearson divergence of its density among
the best trials from that among all,

    v = q^2  sum over x of  p_all(x) (p_best(x) / p_all(x) - 1)^2,     q = n_best / n_all

on a grid of its range. Of a parameter that only a share of the trials has, both densities are
those of that share, and

    v = q^2  a^2 / b  sum over x of ...,     a, b: the share of the best, and of all, that have it

so that what a worse choice brings with it counts for little. Densities are Parzen estimates with
Scott's bandwidth and the whole range as a prior. It agrees with Optuna's
`PedAnovaImportanceEvaluator`, which needs a study and a list of trials for each resample; here one
is a row of counts (benchmarks/bench_importance.py).

Source: Watanabe, Bansal and Hutter, "PED-ANOVA: Efficiently quantifying hyperparameter importance
in arbitrary subspaces" (IJCAI 2023), eq. 16, with the factors of "Conditional PED-ANOVA" (KDD
2026), theorem 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

BEST = 0.1  # share of the trials that count as the best
MOST_CELLS = 50  # of the grid of a range
PRIOR = 1.0  # trials that the prior counts as
NARROWEST = 0.5 / 1.64  # bandwidth in cells: 90 % of a kernel in its own
TINY = 1e-12  # added to densities


def importance(
    distribution: BaseDistribution,
    values: Sequence[Any],
    losses: Floats,
    counts: Floats,
    *,
    having: Sequence[int] | None = None,
) -> Floats:
    """The importance of a parameter in each of R resamples of N trials, (R,).

    Args:
        values: of the parameter in each trial that has it.
        losses: (N,) of each trial, lower is better.
        counts: (R, N) how often each trial is in a resample; 0 for a resample without any.
        having: the places of the trials that have the parameter; None: all have it.
    """
    cells, n_cells = _cells(distribution, values)
    rows = slice(None) if having is None else having
    best = counts * _is_best(losses, counts)
    n_all, n_best = counts.sum(axis=1), best.sum(axis=1)
    all_here, best_here = counts[:, rows], best[:, rows]
    of_cell = (cells[:, None] == np.arange(n_cells)).astype(np.float64)  # (N, C)
    density = _of_choices if isinstance(distribution, CategoricalDistribution) else _of_range
    p_all, p_best = density(all_here @ of_cell) + TINY, density(best_here @ of_cell) + TINY
    divergence = (p_all * (p_best / p_all - 1) ** 2).sum(axis=1)
    # q^2 a^2 / b, where a is a share of n_best and b one of n_all
    factor = best_here.sum(axis=1) ** 2 / np.maximum(n_all * all_here.sum(axis=1), 1)
    found: Floats = np.where(n_best > 0, factor * divergence, 0.0)
    return found


def _is_best(losses: Floats, counts: Floats) -> NDArray[np.bool_]:
    """(R, N) whether a trial is among a resample's best; equals of the last of them are, too."""
    order = np.argsort(losses, kind="stable")
    so_far = np.cumsum(counts[:, order], axis=1)
    wanted = np.maximum(1, np.ceil(BEST * so_far[:, -1]))
    last = np.minimum((so_far < wanted[:, None]).sum(axis=1), len(losses) - 1)
    found: NDArray[np.bool_] = losses <= losses[order][last][:, None]
    return found


def _cells(distribution: BaseDistribution, values: Sequence[Any]) -> tuple[Counts, int]:
    """The cell of each value on the grid of a range, or the number of its choice; how many."""
    if isinstance(distribution, CategoricalDistribution):
        indices = [int(distribution.to_internal_repr(value)) for value in values]
        return np.array(indices, np.int64), len(distribution.choices)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high, n = distribution.low, distribution.high, MOST_CELLS
    places = np.asarray(values, np.float64)
    if isinstance(distribution, IntDistribution) and distribution.log:
        n = min(math.ceil(math.log2(high - low + 1)) + 1, n)
    elif distribution.step is not None:
        n = min(round((high - low) / distribution.step) + 1, n)
    if distribution.log:
        low, high, places = math.log(low), math.log(high), np.log(places)
    cells = np.ceil((places - low) / ((high - low) / (n - 1)) - 0.5).astype(np.int64)
    return np.clip(cells, 0, n - 1), n


def _of_choices(counts: Floats) -> Floats:
    """Densities of choices, (R, C) -> (R, C)."""
    n_choices = counts.shape[1]
    n_kernels = (counts > 0).sum(axis=1, keepdims=True) + 1
    spread = PRIOR / n_kernels  # of each kernel to every choice
    weights = counts / (counts.sum(axis=1, keepdims=True) + PRIOR)
    prior = PRIOR / (counts.sum(axis=1, keepdims=True) + PRIOR)
    observed = weights.sum(axis=1, keepdims=True)
    found: Floats = (weights + spread * observed) / (1 + n_choices * spread) + prior / n_choices
    return found


def _of_range(counts: Floats) -> Floats:
    """Densities on the cells of a range, (R, C) -> (R, C)."""
    n_cells = counts.shape[1]
    total = counts.sum(axis=1)
    weights = counts / (total + PRIOR)[:, None]
    found = _smoothed(weights, _bandwidths(counts, total))
    found += (PRIOR / (total + PRIOR))[:, None] * _prior(n_cells)
    return found


def _bandwidths(counts: Floats, total: Floats) -> Floats:
    """Scott's rule in units of cells, (R,)."""
    cells, n = np.arange(counts.shape[1]), np.maximum(total, 1)
    mean = counts @ cells / n
    squares = (counts * (cells - mean[:, None]) ** 2).sum(axis=1)
    deviation = np.sqrt(squares / np.maximum(1, total - 1))
    so_far = np.cumsum(counts, axis=1)
    # The first cells with a quarter of the trials, and with more than three.
    first = (so_far < np.maximum(1, total // 4)[:, None]).sum(axis=1)
    third = (so_far <= (total * 3 // 4)[:, None]).sum(axis=1)
    between = np.minimum(third, len(cells) - 1) - np.minimum(first, len(cells) - 1)
    widths = 1.059 * np.minimum(between / 1.34, deviation) * n**-0.2
    found: Floats = np.maximum(widths, NARROWEST)
    return found


def _smoothed(weights: Floats, widths: Floats) -> Floats:
    """The sum of a kernel around each cell with these weights, (R, C) -> (R, C).

    A kernel is a normal distribution cut off at the ends of the grid.
    """
    from scipy.special import ndtr  # scipy.stats takes half a second to load

    n_cells = weights.shape[1]
    cells = np.arange(n_cells)
    # From a kernel's middle to the upper edge of a cell there are but 2 C different ways.
    below = ndtr((np.arange(-n_cells, n_cells) + 0.5) / widths[:, None])
    whole = below[:, 2 * n_cells - 1 - cells] - below[:, n_cells - 1 - cells]
    ways = sliding_window_view(np.diff(below, axis=1), n_cells, axis=1)  # [r, cell, -kernel]
    found: Floats = np.einsum("rck,rk->rc", ways, (weights / whole)[:, ::-1])
    return found


def _prior(n_cells: int) -> Floats:
    """The mass in each cell of one kernel in the middle, as wide as the grid, (C,)."""
    from scipy.special import ndtr

    below = ndtr((np.arange(n_cells + 1) - n_cells / 2) / n_cells)
    found: Floats = np.diff(below) / (below[-1] - below[0])
    return found
