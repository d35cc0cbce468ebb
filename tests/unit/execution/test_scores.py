"""Scores of what is predicted: equal to scikit-learn's, and refused where they are undefined."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.svm import SVC

from hpsearch.execution.scoring.values import Truth, lacking, unfit, value
from hpsearch.metrics import better
from hpsearch.metrics.catalogue import SCORES, score_of, usual_name
from hpsearch.trainers.answers import EstimatorAnswers, GivenAnswers

MULTILABEL = {"f1_samples", "precision_samples", "recall_samples", "jaccard_samples"}
SCORERS = sorted({*get_scorer_names()} - MULTILABEL)
RNG = np.random.default_rng(0)
WEIGHTS = RNG.integers(0, 4, 60).astype(float)


def classes(n: int) -> tuple[Any, Any]:
    x, y = make_classification(
        160, 6, n_informative=4, n_redundant=0, n_classes=n, flip_y=0.2, random_state=3
    )
    return x, y


TWO, THREE = classes(2), classes(3)
NUMBERS = make_regression(160, 4, noise=20, random_state=0)
POSITIVE = (NUMBERS[0], np.abs(NUMBERS[1]) + 400)


def ours(name: str) -> str:
    """What scikit-learn's scorer is called here."""
    return name if name in SCORES else usual_name(name)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", SCORERS)
def test_a_score_is_that_of_the_scorer_of_scikit_learn(name: str, weights: Any) -> None:
    score = score_of(ours(name))
    assert score is not None, name
    data = [TWO] if score.binary else [TWO, THREE]
    model: Any = LogisticRegression()
    if score.task == "regression":
        data, model = [POSITIVE], Ridge()
    for x, y in data:
        n_classes = 0 if score.task == "regression" else len(np.unique(y))
        unweighted = not score.weighted or "likelihood_ratio" in name  # their scorers take none
        if unfit(score, n_classes) or (weights is not None and unweighted):
            continue
        fitted = clone(model).fit(x[:100], y[:100])
        scorer = get_scorer(name)
        given = {} if weights is None else {"sample_weight": weights}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = scorer(fitted, x[100:], y[100:], **given)
        answers = EstimatorAnswers(fitted, x[100:], n_classes)
        found = value(score, Truth(y[100:], n_classes, weights=weights), answers)
        sign = -1 if name.startswith("neg_") else 1
        assert found == pytest.approx(sign * theirs, rel=1e-12)
        assert score.direction == ("minimize" if sign < 0 else "maximize")
        assert found is not None
        assert score.range[0] <= found <= score.range[1]


@pytest.mark.parametrize(
    ("name", "function", "options"),
    [
        ("pinball_0.9", metrics.mean_pinball_loss, {"alpha": 0.9}),
        ("d2_pinball_0.1", metrics.d2_pinball_score, {"alpha": 0.1}),
        ("mape", metrics.mean_absolute_percentage_error, {}),
    ],
)
def test_scores_of_numbers_with_a_parameter(name: str, function: Any, options: Any) -> None:
    y, predicted = NUMBERS[1], NUMBERS[1] + RNG.normal(0, 9, 160)
    score = score_of(name)
    assert score is not None
    found = value(score, Truth(y, 0), GivenAnswers(predicted))
    assert found == pytest.approx(function(y, predicted, **options), rel=1e-12)


def test_scores_of_classes_with_a_parameter() -> None:
    fitted = LogisticRegression().fit(*THREE)
    answers = EstimatorAnswers(fitted, THREE[0], 3)
    top = score_of("top_k_accuracy_2")
    assert top is not None
    assert value(top, Truth(THREE[1], 3), answers) == metrics.top_k_accuracy_score(
        THREE[1], fitted.predict_proba(THREE[0]), k=2
    )
    two = EstimatorAnswers(LogisticRegression().fit(*TWO), TWO[0], 2)
    beta = score_of("fbeta_2")
    assert beta is not None
    assert value(beta, Truth(TWO[1], 2), two) == metrics.fbeta_score(TWO[1], two.predicted, beta=2)


@pytest.mark.parametrize("name", ["pinball", "fbeta", "pinball_1.5", "top_k_accuracy_1.5", "f1_2"])
def test_a_number_must_be_there_and_fit(name: str) -> None:
    assert score_of(name) is None


def test_the_positive_class_may_be_the_first() -> None:
    model = SVC().fit(*TWO)  # which has a decision function alone
    answers = EstimatorAnswers(model, TWO[0], 2)
    first = TWO[1] == 0
    expected = {
        "roc_auc": metrics.roc_auc_score(first, -model.decision_function(TWO[0])),
        "average_precision": metrics.average_precision_score(
            first, -model.decision_function(TWO[0])
        ),
        "f1": metrics.f1_score(first, model.predict(TWO[0]) == 0),
    }
    for name, known in expected.items():
        assert value(SCORES[name], Truth(TWO[1], 2, positive=0), answers) == known
    assert value(SCORES["log_loss"], Truth(TWO[1], 2), answers) is None


def test_a_prediction_that_a_score_is_not_defined_for_is_no_number() -> None:
    truth = Truth(np.array([1.0, 2.0]), 0)
    for name in ("msle", "gamma_deviance", "poisson_deviance"):
        found = value(SCORES[name], truth, GivenAnswers(np.array([-2.0, 1.0])))
        assert found is not None
        assert np.isnan(found)
    found = value(SCORES["mae"], truth, GivenAnswers(np.array([np.inf, 1.0])))
    assert found is not None
    assert np.isnan(found)


@pytest.mark.parametrize(
    ("name", "labels", "n_classes", "reason"),
    [
        ("roc_auc", [0, 0], 2, "no row of class 'yes'"),
        ("roc_auc", [0, 1], 2, ""),
        ("f1", [0, 0], 2, "no row of class 'yes'"),
        ("recall", [1, 1], 2, ""),
        ("matthews_corrcoef", [1, 1], 2, "no row of class 'no'"),
        ("log_loss", [1, 1], 2, ""),
        ("roc_auc_ovr", [0, 1], 3, "no row of class '2'"),
        ("f1_macro", [0, 1], 3, ""),
        ("r2", [4, 4], 0, "4 in every row, so there is nothing to explain"),
        ("mape", [0, 4], 0, "0, which it divides by"),
        ("msle", [-1, 4], 0, "-1, for which it is undefined"),
        ("poisson_deviance", [0, 4], 0, ""),
        ("gamma_deviance", [0, 4], 0, "0, for which it is undefined"),
    ],
)
def test_rows_that_leave_a_score_undefined(
    name: str, labels: list[int], n_classes: int, reason: str
) -> None:
    names = ("no", "yes") if n_classes == 2 else ()
    assert lacking(SCORES[name], Truth(np.array(labels), n_classes), names) == reason


def test_a_row_of_no_weight_is_none() -> None:
    truth = Truth(np.array([0, 1]), 2, weights=np.array([1.0, 0.0]))
    assert lacking(SCORES["roc_auc"], truth, ("no", "yes")) == "no row of class 'yes'"


def test_every_score_has_a_direction_by_its_name() -> None:
    for name, score in SCORES.items():
        number = "" if score.parameter is None else "_3" if score.parameter.whole else "_0.5"
        assert better(f"validation_{name}{number}") == score.direction
    assert better("validation_d2_log_loss") == "maximize"
    assert better("validation_loss") == "minimize"
    assert better("validation_mine") is None
    assert better("roc_auc") is None
