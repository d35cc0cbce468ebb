"""Which trials are behind after some of their folds."""

from __future__ import annotations

import numpy as np
import pytest

from hpsearch.study.pruning.folds import BEHIND, KNOWN, LEAST, WholeTrial, compared, rounds

RNG = np.random.default_rng(0)
FOLDS = np.array([0.3, -0.3, 0.1, -0.2, 0.1])  # how easy each fold is, for all trials


def whole(number: int, mean: float, noise: float = 0.0) -> WholeTrial:
    return WholeTrial(number, FOLDS + mean + noise * RNG.normal(size=5))


KNOWN_TRIALS = [whole(0, 0.5, 0.01), whole(1, 0.9, 0.01), whole(2, 0.7, 0.01)]


def test_the_same_folds_are_compared() -> None:
    """The first fold is easy: a bad trial has a better score there than the best trial's mean."""
    own = FOLDS[:1] + 0.8
    assert own.mean() > KNOWN_TRIALS[1].mean
    found = compared(own, KNOWN_TRIALS, places=1)
    assert found is not None
    assert found.to == 1
    assert found.is_behind
    assert found.expected == pytest.approx(0.8, abs=0.03)


def test_a_better_trial_is_never_behind() -> None:
    found = compared(FOLDS[:3] + 1.0, KNOWN_TRIALS, places=1)
    assert found is not None
    assert not found.is_behind
    assert found.lead < 0


def test_where_several_go_on_the_last_of_them_is_to_be_reached() -> None:
    found = compared(FOLDS[:2] + 0.8, KNOWN_TRIALS, places=2)
    assert found is not None
    assert found.to == 2
    assert not found.is_behind


def test_what_the_folds_leave_open_is_that_of_a_finite_mean() -> None:
    own = KNOWN_TRIALS[1].scores[:3] - [0.1, 0.2, 0.3]
    found = compared(own, KNOWN_TRIALS, places=1)
    assert found is not None
    best = KNOWN_TRIALS[1].scores
    prior = np.median([np.var(best - KNOWN_TRIALS[n].scores, ddof=1) for n in (0, 2)])
    variance = (2 * 0.01 + KNOWN * prior) / (2 + KNOWN)
    assert found.lead == pytest.approx(0.2)
    assert found.left_open == pytest.approx(BEHIND * np.sqrt(variance * (1 / 3 - 1 / 5)))


def test_noisy_folds_leave_more_open() -> None:
    noisy = [whole(number, mean, 0.5) for number, mean in enumerate((0.5, 0.9, 0.7))]
    found = [compared(FOLDS[:1] + 0.85, known, places=1) for known in (KNOWN_TRIALS, noisy)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].left_open < found[1].left_open


@pytest.mark.parametrize("places", [1, 4])
def test_nothing_is_said_while_few_are_known(places: int) -> None:
    known = KNOWN_TRIALS[: LEAST - 1] if places == 1 else KNOWN_TRIALS
    assert compared(FOLDS[:1] - 9.0, known, places) is None


def test_scores_that_are_not_finite_are_not_compared() -> None:
    assert compared(np.array([np.nan, 0.1]), KNOWN_TRIALS, places=1) is None


def test_equal_trials_are_ranked_by_their_numbers() -> None:
    known = [WholeTrial(n, FOLDS) for n in (4, 2, 3)]
    found = compared(FOLDS[:1], known, places=1)
    assert found is not None
    assert found.to == 2
    assert not found.is_behind


@pytest.mark.parametrize(
    ("folds", "expected"),
    [(2, [1]), (3, [1, 2]), (5, [1, 2, 3, 4]), (10, [1, 2, 3, 4, 6, 9]), (1, [])],
)
def test_rounds_become_rarer(folds: int, expected: list[int]) -> None:
    assert rounds(folds) == expected
