"""The threshold of two classes: the best for a score on given rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from hpsearch.errors import TrialFailed
from hpsearch.execution.scoring.thresholds import best_threshold, decided
from hpsearch.execution.scoring.values import Truth
from hpsearch.trainers.answers import GivenAnswers

RNG = np.random.default_rng(0)
N = 60
LABELS = (RNG.random(N) < 0.2).astype(int)
SECOND = np.clip(0.2 * LABELS + RNG.random(N) / 2, 0, 1).round(3)
ANSWERS = GivenAnswers((SECOND > 0.5).astype(int), np.stack([1 - SECOND, SECOND], axis=1))
WEIGHTS = RNG.integers(0, 3, N).astype(float)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("f1", metrics.f1_score),
        ("balanced_accuracy", metrics.balanced_accuracy_score),
        ("matthews_corrcoef", metrics.matthews_corrcoef),
    ],
)
def test_no_threshold_is_better_than_the_one_that_is_found(
    name: str, score: object, positive: int, weights: np.ndarray | None
) -> None:
    truth = Truth(LABELS, 2, positive, weights)

    def at(threshold: float) -> float:
        taken = decided(ANSWERS, threshold, positive).predicted
        assert callable(score)
        found = score(positive == LABELS, taken == positive, sample_weight=weights)
        return float(found)

    found = best_threshold(f"validation_{name}", "maximize", truth, ANSWERS, ())
    best = max(at(t) for t in np.unique(SECOND if positive else 1 - SECOND))  # all that differ
    assert at(found) == pytest.approx(best)
    assert at(found) >= at(0.5)


def test_of_equal_thresholds_the_one_closest_to_a_half_is_taken() -> None:
    second = np.array([0.1, 0.2, 0.9])
    answers = GivenAnswers(second.round().astype(int), np.stack([1 - second, second], axis=1))
    truth = Truth(np.array([0, 0, 1]), 2)
    assert best_threshold("validation_f1", "maximize", truth, answers, ()) == 0.5


def test_without_probabilities_there_is_none() -> None:
    with pytest.raises(TrialFailed, match="gives no probabilities"):
        decided(GivenAnswers(LABELS), 0.5, 1)
