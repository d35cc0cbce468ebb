"""The luck of the test rows: against its formula, and against drawing other rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hpsearch.analysis import test_rows
from hpsearch.analysis.test_rows import TestRows as Rows
from hpsearch.records.refit_answers import RefitAnswers

N = 400


def answers(seed: int, n: int = N, *, flip: float = 0.0, rows: int = 0) -> RefitAnswers:
    """Two classes, and probabilities that order them with some noise; the labels come from
    `rows`, the noise from `seed`."""
    labels = np.random.default_rng(rows).integers(2, size=n)
    rng = np.random.default_rng(seed)
    order = 1 / (1 + np.exp(-(1.5 * (labels - 0.5) + rng.normal(size=n) + flip)))
    predicted = (order > 0.5).astype(np.int64)
    return RefitAnswers(labels, predicted, ("no", "yes"), np.column_stack([1 - order, order]))


def test_of_an_accuracy_it_is_the_error_of_a_share() -> None:
    refit = answers(1)
    share = float((refit.predicted == refit.labels).mean())
    found = Rows([refit], seed=0).error("test_accuracy")
    assert found == pytest.approx(np.sqrt(share * (1 - share) / (N - 1)))


def test_of_a_squared_error_it_is_that_of_a_mean() -> None:
    rng = np.random.default_rng(0)
    labels, predicted = rng.normal(size=(2, N))
    found = Rows([RefitAnswers(labels, predicted)], seed=0).error("test_mse")
    squares = (labels - predicted) ** 2
    assert found == pytest.approx(squares.std(ddof=1) / np.sqrt(N))


def test_rows_that_do_not_count_have_no_luck() -> None:
    rng = np.random.default_rng(0)
    labels, predicted = rng.normal(size=(2, N))
    weights = np.r_[np.ones(N // 2), np.zeros(N // 2)]
    part = Rows([RefitAnswers(labels[: N // 2], predicted[: N // 2])], seed=0).error("test_mae")
    whole = RefitAnswers(labels, predicted, weights=weights)
    assert Rows([whole], seed=0).error("test_mae") == pytest.approx(part)


def test_of_a_roc_curve_it_is_what_other_rows_give() -> None:
    found = Rows([answers(1), answers(2)], seed=0).error("test_roc_auc")
    drawn = [answers(seed, rows=seed) for seed in range(100, 500)]
    areas = [
        roc_auc_score(one.labels, one.probabilities[:, 1])  # type: ignore[index]
        for one in drawn
    ]
    assert found == pytest.approx(np.std(areas), rel=0.2)


def test_two_that_predict_alike_differ_by_less_than_their_own_luck(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(test_rows, "RESAMPLES", 50)
    first, alike, other = answers(1), answers(1, flip=0.1), answers(2)
    for metric in ("test_accuracy", "test_roc_auc"):
        mine = Rows([first], seed=0)
        own = mine.error(metric)
        paired = mine.error_of_difference(metric, Rows([alike], seed=0))
        independent = mine.error_of_difference(metric, Rows([other], seed=0))
        assert own is not None
        assert paired is not None
        assert independent is not None
        assert paired < own / 2
        assert paired < independent
    assert mine.error_of_difference("test_roc_auc", Rows([first], seed=0)) == 0.0


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert Rows([], seed=0).error("test_accuracy") is None
    assert Rows([answers(1)], seed=0).error("test_loss") is None  # no score of scikit-learn's
    assert Rows([answers(1)], seed=0).error("validation_accuracy") is None
    other = Rows([answers(1, n=N - 1)], seed=0)
    assert Rows([answers(1)], seed=0).error_of_difference("test_accuracy", other) is None


def test_a_class_that_most_resamples_lack_gives_no_error() -> None:
    labels = np.zeros(20, np.int64)
    labels[0] = 1
    order = np.linspace(0, 1, 20)
    rare = RefitAnswers(labels, labels, ("no", "yes"), np.column_stack([1 - order, order]))
    found = Rows([rare], seed=0).error("test_roc_auc")
    assert found is None or np.isfinite(found)
