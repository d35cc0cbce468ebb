"""What a nested search is worth: scores over outer folds, and how far the winners agree."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy import stats

from hpsearch.analysis.outer_folds import outer_result
from hpsearch.records.comparisons import DefaultResult
from hpsearch.records.estimate import CORRECTED, Estimate
from hpsearch.records.result import ArmResult, OuterResult
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space

SPLIT = {"kind": "k-fold", "folds": 3}
RATE = FloatDistribution(1e-4, 1.0, log=True)
ADAM = {"trainer": ("adam",)}
SPACE = Space(
    (
        Parameter("trainer", CategoricalDistribution(["sgd", "adam"]), {}),
        Parameter("learning_rate", RATE, {}),
        Parameter("hidden", IntDistribution(10, 110), {}),
        Parameter("beta1", FloatDistribution(0.5, 0.9), ADAM),
    ),
    {},
)


def single(mean: float) -> Estimate:
    return Estimate(mean, None, None, [mean])


def fold(score: float | None, gain: float | None = None, **searched: Any) -> ArmResult:
    test = {} if score is None else {"test_accuracy": single(score)}
    default = None
    if gain is not None:
        default = DefaultResult({}, {}, single(0.5), test, single(gain), single(gain), "")
    failure = "1 of 2 refits diverged: loss" if score is None else ""
    return ArmResult({}, 1, searched, single(0.9), test, failure, default)


def test_the_score_of_a_search_is_a_mean_over_folds_whose_rows_overlap() -> None:
    scores = [0.8, 0.9, 0.7]
    found = outer_result(SPLIT, [fold(score) for score in scores], SPACE, 0.5)
    one = found.test["test_accuracy"]
    half = stats.t.ppf(0.975, 2) * np.std(scores, ddof=1) * np.sqrt(1 / 3 + 0.5)
    assert one.mean == pytest.approx(0.8)
    assert one.low == pytest.approx(0.8 - half)
    assert one.high == 1.0  # an accuracy
    assert one.distance == pytest.approx(half)
    assert (one.values, one.over, one.method) == (scores, "outer folds", CORRECTED)
    assert found.gain is None
    assert str(one).endswith("3 outer folds)")


def test_the_gain_over_the_defaults_is_paired_by_fold() -> None:
    folds = [fold(0.8, 0.1), fold(0.9, 0.2), fold(0.7, 0.15)]
    found = outer_result(SPLIT, folds, SPACE, 0.5)
    assert found.gain is not None
    assert found.gain.values == [0.1, 0.2, 0.15]
    assert outer_result(SPLIT, [*folds[:2], fold(0.7)], SPACE, 0.5).gain is None


def test_a_fold_without_a_score_leaves_none_to_the_search() -> None:
    found = outer_result(SPLIT, [fold(0.8), fold(None), fold(0.7)], SPACE, 0.5)
    assert found.test == {}
    said = "no test_accuracy for the search: outer fold 2: 1 of 2 refits diverged: loss"
    assert found.lines("test_accuracy")[0] == ("outer folds", said)


def test_a_single_outer_fold_has_the_interval_of_its_own_test() -> None:
    mine = Estimate(0.8, 0.7, 0.9, [0.79, 0.81], "refits", rows=50)
    one = ArmResult({}, 1, {"trainer": "adam"}, single(0.9), {"test_accuracy": mine}, "")
    found = outer_result({"kind": "hold-out", "fraction": 0.2}, [one], SPACE, 0.25)
    assert found.test == {"test_accuracy": mine}
    assert [name for name, _ in found.lines("test_accuracy")] == ["outer folds"]


def test_choices_agree_by_count_and_numbers_by_their_spread_on_the_drawn_scale() -> None:
    folds = [
        fold(0.8, trainer="adam", learning_rate=1e-3, hidden=20, beta1=0.6),
        fold(0.8, trainer="sgd", learning_rate=1e-2, hidden=20),
        fold(0.8, trainer="adam", learning_rate=1e-2, hidden=45, beta1=0.8),
    ]
    agreed = {a.parameter: a for a in outer_result(SPLIT, folds, SPACE, 0.5).agreement}
    assert (agreed["trainer"].choice, agreed["trainer"].spread) == ("adam", None)
    assert agreed["trainer"].text == "adam in 2 of 3 folds"
    assert agreed["learning_rate"].spread == pytest.approx(0.25)  # of four decades
    assert agreed["learning_rate"].text == "0.001 … 0.01, 25 % of the range"
    assert agreed["hidden"].spread == pytest.approx(0.25)
    assert agreed["beta1"].values == [0.6, None, 0.8]
    assert agreed["beta1"].text == "0.6 … 0.8, 50 % of the range, in 2 of 3 folds"


def test_a_hyperparameter_with_several_ranges_has_the_scale_of_all_of_them() -> None:
    ranges = [
        Parameter("rate", FloatDistribution(1e-4, 1e-2, log=True), ADAM, 0),
        Parameter("rate", FloatDistribution(1e-2, 1.0, log=True), {"trainer": ("sgd",)}, 1),
    ]
    folds = [fold(0.8, rate=1e-4), fold(0.8, rate=1e-1)]
    (agreed,) = outer_result(SPLIT, folds, Space(tuple(ranges), {}), 0.5).agreement
    assert agreed.spread == pytest.approx(0.75)


def test_a_result_is_read_as_it_was_written() -> None:
    folds = [fold(0.8, 0.1, trainer="adam"), fold(0.9, 0.2, trainer="sgd")]
    found = outer_result(SPLIT, folds, SPACE, 0.5)
    assert OuterResult.from_dict(asdict(found), "validation_accuracy") == found
