"""Curves of one refit on the test rows: ROC, precision against recall, calibration.

ROC and precision are scikit-learn's; a calibration that takes weights is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 300  # of a curve; more can't be told apart in a figure
BINS = 10  # of predicted probabilities, with as many rows each
GRID = np.linspace(0, 1, 201)  # where curves of several refits are averaged

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A curve from left to right.

    Attributes:
        x, y: (M,) in [0, 1].
        area: what sums it up: the area under the ROC curve, or the average precision.
    """

    x: Floats
    y: Floats
    area: float

    def thinned(self) -> Curve:
        """The same with at most MOST_POINTS points, at even distances along it."""
        if len(self.x) <= MOST_POINTS:
            return self
        steps = abs(np.diff(self.x)) + abs(np.diff(self.y))
        way = np.concatenate([[0.0], np.cumsum(steps)])
        marks = np.linspace(0, way[-1], MOST_POINTS)
        kept = np.unique(np.searchsorted(way, marks).clip(0, len(way) - 1))
        return Curve(self.x[kept], self.y[kept], self.area)


def roc_curve(is_positive: NDArray[np.bool_], order: Floats, weights: Floats | None) -> Curve:
    """The true positive rate (y) over the false positive rate (x).

    Args:
        is_positive: (N,), of both kinds.
        order: (N,) larger for rows that are more likely to be positive.
        weights: (N,) of each row; None: all alike.
    """
    from sklearn import metrics

    false, true, _ = metrics.roc_curve(is_positive, order, sample_weight=weights)
    return Curve(false, true, float(metrics.auc(false, true)))


def precision_recall_curve(
    is_positive: NDArray[np.bool_], order: Floats, weights: Floats | None
) -> Curve:
    """Precision (y) over recall (x); arguments as of `roc_curve`."""
    from sklearn import metrics

    given: dict[str, Any] = {"sample_weight": weights}
    precision, recall, _ = metrics.precision_recall_curve(is_positive, order, **given)
    area = metrics.average_precision_score(is_positive, order, **given)
    return Curve(recall[::-1], precision[::-1], float(area))


def mean_roc(curves: Sequence[Curve]) -> Curve:
    """The mean true positive rate at each false positive rate."""
    heights = [np.concatenate([[0.0], np.interp(GRID[1:], c.x, c.y)]) for c in curves]
    return _mean(curves, heights)


def mean_precision_recall(curves: Sequence[Curve]) -> Curve:
    """The mean precision at each recall: of the first threshold that finds as many rows.

    Precision between two thresholds is not on the line between them.
    """
    heights = [c.y[np.searchsorted(c.x, GRID).clip(0, len(c.y) - 1)] for c in curves]
    return _mean(curves, heights)


def _mean(curves: Sequence[Curve], heights: Sequence[Floats]) -> Curve:
    return Curve(GRID, np.mean(heights, axis=0), float(np.mean([c.area for c in curves])))


def calibration_curve(
    is_positive: NDArray[np.bool_], probability: Floats, weights: Floats | None
) -> tuple[Floats, Floats]:
    """The share of positive rows over the mean probability, in bins with as many rows each.

    Args:
        is_positive: (N,).
        probability: (N,) of being positive, as predicted.
        weights: (N,) of each row; None: all alike.

    Returns:
        Mean probabilities and shares, of the bins that have rows.
    """
    edges = np.quantile(probability, np.linspace(0, 1, BINS + 1))
    bins = np.searchsorted(edges[1:-1], probability)
    weights = np.ones(len(probability)) if weights is None else weights
    total = np.bincount(bins, weights)
    known = total > 0
    mean = np.bincount(bins, weights * probability)[known] / total[known]
    share = np.bincount(bins, weights * is_positive)[known] / total[known]
    return mean, share
