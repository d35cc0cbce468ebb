"""Figures of what refits predict: values as scikit-learn has them, few points, old records."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn import calibration, metrics

from hpsearch.records.refit_answers import RefitAnswers
from hpsearch.reports.charts import Series
from hpsearch.reports.page.plotly import to_plotly
from hpsearch.reports.png_charts import draw_png
from hpsearch.reports.table_study import curves
from hpsearch.reports.table_study.refit_charts import one_versus_rest, residuals, two_classes

RNG = np.random.default_rng(0)
N = 5000
POSITIVE = RNG.random(N) < 0.2
SCORE = 1 / (1 + np.exp(1.5 - 2 * POSITIVE + RNG.normal(size=N)))
WEIGHTS = RNG.integers(0, 3, N).astype(np.float64)


def view(*refits: RefitAnswers) -> Any:
    return SimpleNamespace(refits=list(refits))


def binary(score: Any = SCORE, **given: Any) -> RefitAnswers:
    labels = POSITIVE.astype(int)
    both = np.stack([1 - score, score], axis=1)
    return RefitAnswers(labels, both.argmax(axis=1), ("no", "yes"), both, **given)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_areas_are_scikit_learns(weights: Any) -> None:
    roc = curves.roc_curve(POSITIVE, SCORE, weights)
    right = metrics.roc_auc_score(POSITIVE, SCORE, sample_weight=weights)
    assert roc.area == pytest.approx(right)
    curve = curves.precision_recall_curve(POSITIVE, SCORE, weights)
    right = metrics.average_precision_score(POSITIVE, SCORE, sample_weight=weights)
    assert curve.area == pytest.approx(right)


def test_a_calibration_is_scikit_learns_and_a_weight_counts_as_that_many_rows() -> None:
    shares, means = calibration.calibration_curve(POSITIVE, SCORE, n_bins=10, strategy="quantile")
    x, y = curves.calibration_curve(POSITIVE, SCORE, None)
    assert np.allclose(x, means)
    assert np.allclose(y, shares)
    low = np.array([0.1, 0.1, 0.9])
    x, y = curves.calibration_curve(np.array([True, False, True]), low, np.array([3.0, 1, 1]))
    assert np.allclose(x, [0.1, 0.9])
    assert np.allclose(y, [0.75, 1])


def test_a_long_curve_is_thinned_to_points_of_its_own() -> None:
    whole = curves.precision_recall_curve(POSITIVE, SCORE, None)
    thin = whole.thinned()
    assert len(whole.x) > 1000 > 300 >= len(thin.x)
    assert {*zip(thin.x, thin.y, strict=True)} <= {*zip(whole.x, whole.y, strict=True)}
    assert (thin.x[0], thin.x[-1]) == (whole.x[0], whole.x[-1])
    assert metrics.auc(thin.x, thin.y) == pytest.approx(metrics.auc(whole.x, whole.y), abs=0.01)


def test_a_mean_of_equal_curves_is_the_curve() -> None:
    roc = curves.roc_curve(POSITIVE, SCORE, None)
    mean = curves.mean_roc([roc, roc])
    assert np.allclose(mean.y[1:], np.interp(mean.x[1:], roc.x, roc.y))
    precision = curves.precision_recall_curve(POSITIVE, SCORE, None)
    mean = curves.mean_precision_recall([precision, precision])
    place = np.flatnonzero(precision.x >= 0.5)[0]
    assert mean.y[100] == precision.y[place]


def test_two_classes_have_three_panels_and_a_mark_at_the_threshold(tmp_path: Any) -> None:
    taken = (SCORE >= 0.3).astype(int)
    noisy = np.clip(SCORE + RNG.normal(0, 0.1, N), 0, 1)
    marked = RefitAnswers(
        POSITIVE.astype(int),
        taken,
        ("no", "yes"),
        np.stack([1 - SCORE, SCORE], 1),
        threshold=0.3,
    )
    chart = two_classes(view(marked, binary(noisy, threshold=0.3)))
    assert chart is not None
    roc, precision, _ = chart.panels
    area = metrics.roc_auc_score(POSITIVE, noisy)
    assert f"{area:.3f}" in roc.title
    (mark,) = (s for s in precision.series if "threshold" in s.name)
    assert mark.name == "threshold 0.300"
    assert mark.x[0] == pytest.approx(metrics.recall_score(POSITIVE, taken))
    assert mark.y[0] == pytest.approx(metrics.precision_score(POSITIVE, taken))
    (mark,) = (s for s in roc.series if "threshold" in s.name)
    assert mark.x[0] == pytest.approx(np.mean(taken[~POSITIVE]))
    draw_png(tmp_path / "curves.png", chart)
    assert len(to_plotly(chart)["data"]) == sum(len(panel.series) for panel in chart.panels)


def test_decisions_alone_have_no_calibration_and_the_first_class_may_be_positive() -> None:
    labels = POSITIVE.astype(int)
    refit = RefitAnswers(labels, labels, ("a", "b"), decisions=SCORE - 0.5, positive=0)
    chart = two_classes(view(refit))
    assert chart is not None
    assert len(chart.panels) == 2
    area = metrics.roc_auc_score(POSITIVE, SCORE)
    assert f"{area:.3f}" in chart.panels[0].title


def test_each_of_three_classes_stands_against_the_others() -> None:
    labels = RNG.integers(0, 3, 300)
    probabilities = RNG.dirichlet([1, 1, 1], 300)
    chart = one_versus_rest(view(RefitAnswers(labels, labels, ("a", "b", "c"), probabilities)))
    assert chart is not None
    areas = [metrics.roc_auc_score(labels == k, probabilities[:, k]) for k in range(3)]
    names = [series.name for series in chart.panels[0].series if series.name]
    assert names == [f"{name}: {area:.3f}" for name, area in zip("abc", areas, strict=True)]
    many = tuple(map(str, range(11)))
    assert one_versus_rest(view(RefitAnswers(labels, labels, many))) is None


def test_residuals_are_of_means_with_lines_to_the_ends(tmp_path: Any) -> None:
    true = np.array([1.0, 2.0, 4.0])
    refits = [RefitAnswers(true, true + shift) for shift in (0.0, 0.5)]
    chart = residuals(view(*refits))
    assert chart is not None
    (left,) = (s for s in chart.panels[1].series if s.kind == "points")
    assert np.allclose(left.y, -0.25)
    assert (np.allclose(left.low, -0.5), np.allclose(left.top, 0)) == (True, True)
    assert "mean -0.25" in chart.panels[1].title
    draw_png(tmp_path / "residuals.png", chart)
    drawn = to_plotly(chart)["data"][-1]
    assert np.allclose(drawn["error_y"]["array"], 0.25)
    large = residuals(view(RefitAnswers(np.arange(9999.0), np.zeros(9999))))
    assert large is not None
    points: Series = large.panels[0].series[1]
    assert len(points.x) == 500


def test_what_says_no_more_than_scores_has_no_figure() -> None:
    for make in (two_classes, one_versus_rest, residuals):
        assert make(view()) is None
    one_class = RefitAnswers(np.ones(9, int), np.ones(9, int), ("a", "b"), np.full((9, 2), 0.5))
    assert two_classes(view(one_class)) is None


def test_answers_come_back_from_their_file(tmp_path: Any) -> None:
    path = tmp_path / "answers.npz"
    assert RefitAnswers.read(path) is None
    path.write_bytes(binary(weights=WEIGHTS, threshold=0.25).to_bytes())
    back = RefitAnswers.read(path)
    assert back is not None
    assert (back.classes, back.threshold, back.positive) == (("no", "yes"), 0.25, 1)
    assert np.array_equal(back.probabilities, binary().probabilities)  # type: ignore[arg-type]
    assert np.array_equal(back.weights, WEIGHTS)  # type: ignore[arg-type]
    many = tuple(map(str, range(11)))
    wide = RefitAnswers(np.arange(11), np.arange(11), many, np.eye(11))
    path.write_bytes(wide.to_bytes())
    back = RefitAnswers.read(path)
    assert back is not None
    assert back.probabilities is None
