"""Intervals: their formulas, by other code or by counting how often they cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hpsearch.analysis.estimates import (
    estimate,
    over_splits,
    p_value,
    ratio_in,
    unpaired,
    with_rows,
)
from hpsearch.records.comparisons import DefaultResult, Lead
from hpsearch.records.estimate import CORRECTED, PLAIN, ROWS, UNPAIRED, Estimate

SCORES = [0.81, 0.84, 0.79, 0.86]


def test_independent_repeats_have_a_t_interval() -> None:
    found = estimate(SCORES)
    mean = float(np.mean(SCORES))
    low, high = stats.t.interval(0.95, 3, mean, stats.sem(SCORES))
    assert (found.mean, found.low, found.high) == pytest.approx((mean, low, high))
    assert (found.method, found.over) == (PLAIN, "seeds")
    assert str(found) == f"0.8250 (95 % interval {low:.4f} … {high:.4f}, 4 seeds)"


def test_one_repeat_has_no_interval() -> None:
    found = estimate([0.5])
    assert (found.low, found.high, str(found)) == (None, None, "0.5000")


def test_the_same_on_all_seeds_is_said_instead_of_an_interval_of_nothing() -> None:
    assert str(estimate([0.5, 0.5])) == "0.5000 (the same on all 2 seeds)"


def test_fresh_splits_have_the_corrected_interval_of_all_splits() -> None:
    of_splits = [0.80, 0.82, 0.85, 0.83, 0.78, 0.80, 0.88, 0.84]  # two splits a repeat
    found = over_splits(SCORES, of_splits, 0.25, "fresh splits")
    s2, t = np.var(of_splits, ddof=1), stats.t.ppf(0.975, 7)
    half = t * math.sqrt(s2 * (1 / 8 + 0.25))
    assert found.high is not None
    assert found.high - found.mean == pytest.approx(half)
    assert found.values == SCORES
    assert found.method == CORRECTED


@pytest.mark.parametrize("lift", [0.0, 0.1])
def test_the_ratio_of_fresh_splits_is_read_back_from_their_interval(lift: float) -> None:
    of_splits = [s + lift for s in (0.80, 0.82, 0.85, 0.83, 0.78, 0.80, 0.88, 0.84)]
    found = over_splits([s + lift for s in SCORES], of_splits, 2.0, "fresh splits")
    cut = found.within_range("validation_accuracy")
    assert (cut.high == 1.0) == (lift > 0)
    assert ratio_in(cut, of_splits) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("metric", "scores", "ends"),
    [
        ("validation_accuracy", [0.3, 0.9], (0.0, 1.0)),
        ("best/validation_accuracy", [0.3, 0.9], (0.0, 1.0)),
        ("test_r2", [0.3, 0.9], (-3.2119, 1.0)),
        ("validation_rmse", [0.3, 0.9], (0.0, 4.4119)),
        ("validation_matthews_corrcoef", [-0.3, 0.9], (-1.0, 1.0)),
        ("validation_accuracy", [30.0, 90.0], (-321.1861, 441.1861)),  # in percent
        ("accuracy", [0.3, 0.9], (-3.2119, 4.4119)),  # nobody knows of what
        ("validation_score", [0.3, 0.9], (-3.2119, 4.4119)),
    ],
)
def test_an_interval_ends_where_the_range_of_the_metric_does(
    metric: str, scores: list[float], ends: tuple[float, float]
) -> None:
    whole = estimate(scores)
    found = whole.within_range(metric)
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-4)
    assert (found.mean, found.values, found.distance) == (whole.mean, scores, whole.distance)
    assert found.within_range(metric) == found  # also where it was read from a file
    assert ratio_in(estimate(SCORES), SCORES) is None
    assert ratio_in(over_splits([0.5], [0.5, 0.5], 0.25, "fresh splits"), [0.5, 0.5]) is None


def test_two_independent_means_differ_by_an_interval_made_of_theirs() -> None:
    first = Estimate(0.9, 0.86, 0.93, [])
    second = Estimate(0.8, 0.76, 0.83, [])
    found = unpaired(first, second)
    assert found.mean == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1 - 0.05)  # 0.04 down and 0.03 up
    assert found.high == pytest.approx(0.1 + 0.05)
    assert (found.method, found.sign) == (UNPAIRED, 1)
    assert unpaired(first, estimate([0.8])).low is None


def test_the_luck_of_the_test_rows_is_added_to_that_of_the_refits() -> None:
    plain, found = estimate(SCORES), with_rows(SCORES, 0.02, 100)
    assert plain.low is not None
    assert found.low is not None
    wanted = math.hypot(plain.mean - plain.low, stats.norm.ppf(0.975) * 0.02)
    assert found.mean - found.low == pytest.approx(wanted)
    assert found.method == ROWS
    assert str(found).endswith("4 refits and 100 test rows)")


def test_a_model_without_chance_has_the_interval_of_the_test_rows() -> None:
    found = with_rows([0.7532] * 5, 0.05, 70)
    assert found.low == pytest.approx(0.7532 - stats.norm.ppf(0.975) * 0.05)
    assert "the same" not in str(found)


def gain(*values: float) -> Estimate:
    return estimate(values, "refits")


@pytest.mark.parametrize(
    ("estimated", "said"),
    [
        (gain(0.03, 0.031, 0.032), "tuning gained 0.0310 (0.0285 … 0.0335) over the defaults"),
        (gain(-0.03, -0.031, -0.032), "tuning lost 0.0310 (0.0285 … 0.0335) against the defaults"),
        (gain(-0.03, 0.031, 0.032), "no difference from the defaults can be shown in t: +0.0110"),
        (gain(0.0, 0.0), "the winner does exactly as well as the defaults in t"),
    ],
)
def test_what_tuning_gained_is_one_sentence(estimated: Estimate, said: str) -> None:
    validation = Estimate(0.5, 0.4, 0.6, [0.5])
    default = DefaultResult({}, {}, validation, {}, gain(1.0, 1.1), estimated, "")
    assert default.verdict("v", "t").startswith(said)


def test_defaults_that_fail_are_told_of() -> None:
    default = DefaultResult({}, {}, None, {}, None, None, "1 of 5 runs diverged: loss")
    assert default.verdict("v", "t").endswith("have no score: 1 of 5 runs diverged: loss")


def test_a_lead_that_may_be_chance_is_no_lead() -> None:
    assert Lead(3, "", gain(0.1, 0.11, 0.12)).text.startswith("better than trial 3 by +0.1100")
    assert Lead(3, "trainer=sgd", gain(0.1, -0.11, 0.12)).text.startswith(
        "indistinguishable from trial 3 (trainer=sgd): +0.0367"
    )


def test_a_p_value_is_the_level_whose_interval_ends_at_zero() -> None:
    values = [0.1, 0.3, 0.2, 0.25]
    plain = estimate(values)
    assert p_value(plain, 4) == pytest.approx(stats.ttest_1samp(values, 0.0).pvalue)
    joint = with_rows(values, 0.0, 100)
    assert p_value(joint, 4) == pytest.approx(p_value(plain, 4), rel=1e-6)
    only_rows = with_rows([0.2, 0.2], 0.1, 100)
    assert p_value(only_rows, 2) == pytest.approx(0.0455, abs=1e-4)  # of 2 standard errors
    assert p_value(estimate([0.1]), 1) is None
    edge = with_rows(values, 0.05, 100)
    assert edge.low is not None
    moved = with_rows([value - edge.low for value in values], 0.05, 100)
    assert p_value(moved, 4) == pytest.approx(0.05, abs=1e-5)
