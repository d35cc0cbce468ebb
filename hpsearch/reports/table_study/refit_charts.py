"""Figures of what the winner's refits predict of the test rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hpsearch.counts import count_of
from hpsearch.records.refit_answers import RefitAnswers
from hpsearch.reports.charts import Chart, Panel, Series
from hpsearch.reports.study_view import StudyView
from hpsearch.reports.table_study.curves import (
    Curve,
    calibration_curve,
    mean_precision_recall,
    mean_roc,
    precision_recall_curve,
    roc_curve,
)

MOST_ROWS = 500  # drawn as points
DIAGONAL = Series("", [0.0, 1.0], [0.0, 1.0], kind="line", color=None)
Bools = NDArray[np.bool_]


def two_classes(view: StudyView) -> Chart | None:
    """ROC, precision-recall and calibration curves of the positive class; None where the refits
    do not say what they predict, or predict other things than two classes."""
    refits = [r for r in view.refits if r.n_classes == 2 and _both(r, r.positive)]
    orders = [r.of_class(r.positive) for r in refits]
    known = [(r, order) for r, order in zip(refits, orders, strict=True) if order is not None]
    if not known or len(known) < len(view.refits):
        return None
    positive = refits[0].classes[refits[0].positive]
    given = [(r.labels == r.positive, order, r.weights) for r, order in known]
    rocs = [roc_curve(*one) for one in given]
    precisions = [precision_recall_curve(*one) for one in given]
    share = float(np.average(given[0][0], weights=given[0][2]))
    chance = Series("chance", [0.0, 1.0], [share, share], kind="line", color=None)
    panels = [
        Panel(
            [DIAGONAL, *_curves(rocs, mean_roc(rocs)), *_marked(refits, roc=True)],
            *("false positive rate", "true positive rate"),
            title=f"ROC: area {_spread([c.area for c in rocs])}",
        ),
        Panel(
            [
                chance,
                *_curves(precisions, mean_precision_recall(precisions)),
                *_marked(refits, roc=False),
            ],
            *("recall", "precision"),
            title=f"average precision {_spread([c.area for c in precisions])}",
        ),
    ]
    if all(r.probabilities is not None for r in refits):
        panels.append(_calibration(given, positive))
    return Chart(
        "test_curves",
        f"Test rows: {positive} or not",
        f"Predictions of {count_of(len(refits), 'refit')} of the winner for the test rows; thin "
        "lines are single refits. Calibration: 80 % of the rows with a probability of 0.8 should "
        f"be {positive}.",
        panels,
    )


def one_versus_rest(view: StudyView) -> Chart | None:
    """The ROC curve of each of more than two classes against all others."""
    refits = view.refits
    if not refits or refits[0].n_classes <= 2:
        return None
    series = [DIAGONAL]
    for number, name in enumerate(refits[0].classes):
        curves = []
        for refit in refits:
            order = refit.of_class(number)
            if order is None:  # more classes than answers are kept of
                return None
            if _both(refit, number):
                curves.append(roc_curve(refit.labels == number, order, refit.weights))
        if curves:
            curve = curves[0].thinned() if len(curves) == 1 else mean_roc(curves)
            about = f"{name}: {_spread([c.area for c in curves])}"
            series.append(_line(about, curve, number, heavy=False))
    if len(series) == 1:
        return None
    panel = Panel(series, "false positive rate", "true positive rate")
    return Chart(
        "test_curves",
        "Test rows: each class against the others",
        f"Means over {count_of(len(refits), 'refit')} of the winner; the legend shows the area "
        "under each curve, with its minimum and maximum.",
        [panel],
    )


def residuals(view: StudyView) -> Chart | None:
    """Predicted against true numbers, and what is left over."""
    refits = view.refits
    if not refits or refits[0].n_classes:
        return None
    true = refits[0].labels
    every = np.stack([r.predicted for r in refits])
    left = true - every.mean(axis=0)
    sums = f"mean {left.mean():.3g}, standard deviation {left.std():.3g}"
    # A fixed seed: the figure of a study is the same whenever it is drawn.
    order = np.random.default_rng(0).permutation(len(true))[:MOST_ROWS]
    true, every = true[order], every[:, order]
    mean = every.mean(axis=0)
    ends = [float(min(true.min(), mean.min())), float(max(true.max(), mean.max()))]
    low, high = every.min(axis=0), every.max(axis=0)
    whiskers = len(refits) > 1
    panels = [
        Panel(
            [
                Series("", ends, ends, kind="line", color=None),
                _points(true, mean, low, high, whiskers),
            ],
            *("true", "predicted"),
            title="predicted against true",
        ),
        Panel(
            [
                Series("", [float(mean.min()), float(mean.max())], [0.0, 0.0], "line", color=None),
                _points(mean, true - mean, true - high, true - low, whiskers),
            ],
            *("predicted", "true - predicted"),
            title=f"residuals: {sums}",
        ),
    ]
    every_row = len(true) == len(refits[0].labels)
    shown = "All" if every_row else f"{len(true)} of the {len(refits[0].labels)}"
    about = f"{shown} test rows: means over {count_of(len(refits), 'refit')} of the winner"
    about += ", with lines from the smallest to the largest." if whiskers else "."
    return Chart("test_residuals", "Test rows: predicted numbers", about, panels)


def _points(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    low: NDArray[np.float64],
    top: NDArray[np.float64],
    whiskers: bool,
) -> Series:
    ends = {"low": low.tolist(), "top": top.tolist()} if whiskers else {}
    return Series("", x.tolist(), y.tolist(), **ends)


def _both(refit: RefitAnswers, number: int) -> bool:
    """Whether rows that count are of a class, and others are not, and all have a finite answer."""
    order = refit.of_class(number)
    if order is not None and not np.isfinite(order).all():
        return False
    counts = slice(None) if refit.weights is None else refit.weights > 0
    return len(np.unique(refit.labels[counts] == number)) == 2


def _curves(curves: Sequence[Curve], mean: Curve) -> Iterator[Series]:
    """Thin ones of all refits and their mean; of a single refit its own."""
    if len(curves) == 1:
        yield _line("the refit", curves[0].thinned(), 0, heavy=True)
        return
    for number, curve in enumerate(curves):
        yield _line("" if number else "single refits", curve.thinned(), None, heavy=False)
    yield _line(f"mean of {count_of(len(curves), 'refit')}", mean, 0, heavy=True)


def _line(name: str, curve: Curve, color: int | None, *, heavy: bool) -> Series:
    return Series(name, curve.x.tolist(), curve.y.tolist(), "line", color=color, heavy=heavy)


def _marked(refits: Sequence[RefitAnswers], *, roc: bool) -> Iterator[Series]:
    """Where the threshold puts each refit on its curve, if there is one."""
    thresholds = [r.threshold for r in refits if r.threshold is not None]
    if not thresholds:
        return
    x, y = [], []
    for refit in refits:
        weights = np.ones(len(refit.labels)) if refit.weights is None else refit.weights
        positive, taken = refit.labels == refit.positive, refit.predicted == refit.positive
        found = weights[positive & taken].sum()
        recall = found / weights[positive].sum()
        wrong = weights[~positive & taken].sum()
        x.append(float(wrong / weights[~positive].sum() if roc else recall))
        y.append(float(recall if roc else found / max(found + wrong, 1e-300)))
    notes = [f"threshold {value:.4g}" for value in thresholds]
    name = f"threshold {_spread(thresholds)}"
    yield Series(name, x, y, color=3, notes=notes)


def _calibration(
    given: Sequence[tuple[Bools, NDArray[np.float64], NDArray[np.float64] | None]], positive: str
) -> Panel:
    """Of each refit alone, and of the rows of all together."""
    curves = [calibration_curve(*one) for one in given]
    series = [DIAGONAL]
    if len(curves) > 1:
        for number, (x, y) in enumerate(curves):
            name = "" if number else "single refits"
            series.append(Series(name, x.tolist(), y.tolist(), kind="line", color=None))
    truth, order = (np.concatenate([one[part] for one in given]) for part in (0, 1))
    weights = [one[2] for one in given if one[2] is not None]
    x, y = calibration_curve(truth, order, np.concatenate(weights) if weights else None)
    series.append(Series("", x.tolist(), y.tolist(), kind="line", heavy=True))
    series.append(Series("", x.tolist(), y.tolist()))
    errors = [np.average((t - o) ** 2, weights=w) for t, o, w in given]
    label = f"predicted probability of {positive}"
    title = f"calibration: Brier score {_spread(errors)}"
    return Panel(series, label, f"share of {positive}", title=title)


def _spread(values: Sequence[float]) -> str:
    """The mean, and the smallest and largest where they are not shown alike."""
    low, mean, high = (f"{value:.3f}" for value in (min(values), np.mean(values), max(values)))
    return mean if low == high else f"{mean} ({low} … {high})"
