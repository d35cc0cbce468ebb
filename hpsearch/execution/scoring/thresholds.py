"""The probability from which on a row is taken for the positive class.

A score of predicted classes depends on it, and 0.5 is a poor choice where classes are rare. The
best one for the score is looked for among the probabilities of the validation rows: there it is
optimistic by the selection, as it is not on other rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hpsearch.errors import TrialFailed
from hpsearch.execution.scoring.own_scores import load_score
from hpsearch.execution.scoring.values import Truth, value
from hpsearch.metrics.catalogue import OWN, Better, part_of, score_of
from hpsearch.trainers.answers import Answers, GivenAnswers

MOST = 200  # thresholds that are tried; between more probabilities those at even distances
PLAIN = 0.5


def decided(answers: Answers, threshold: float, positive: int) -> GivenAnswers:
    """The answers with those rows taken for the positive class that are as likely as this.

    Raises:
        TrialFailed: there are no probabilities.
    """
    probabilities = answers.probabilities
    if probabilities is None:
        raise TrialFailed(
            "evaluation.threshold must be left out for a trainer that gives no probabilities"
        )
    taken = np.where(probabilities[:, positive] >= threshold, positive, 1 - positive)
    return GivenAnswers(taken, probabilities, answers.decisions)


def best_threshold(
    metric: str, direction: Better, truth: Truth, answers: Answers, classes: Sequence[str]
) -> float:
    """The threshold with the best score; of equal ones the closest to 0.5.

    Args:
        metric: with the rows that it is of.
        classes: the names of both.
    """
    decided(answers, PLAIN, truth.positive)  # that there are probabilities
    assert answers.probabilities is not None
    found = _candidates(answers.probabilities[:, truth.positive])
    scores = np.array([_scored(metric, t, truth, answers, classes) for t in found])
    if direction == "minimize":
        scores = -scores
    scores[np.isnan(scores)] = -math.inf
    best = found[scores == scores.max()]
    return float(best[np.argmin(abs(best - PLAIN))])


def _candidates(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """0.5, and places between the probabilities that there are."""
    known = np.unique(probabilities[np.isfinite(probabilities)])
    between = (known[:-1] + known[1:]) / 2
    if len(between) > MOST:
        between = between[np.linspace(0, len(between) - 1, MOST).round().astype(int)]
    return np.unique([PLAIN, *between])


def _scored(
    metric: str, threshold: float, truth: Truth, answers: Answers, classes: Sequence[str]
) -> float:
    given = decided(answers, threshold, truth.positive)
    _, name = part_of(metric)
    if OWN.fullmatch(name):
        return load_score(name).value(truth.labels, given, truth.weights, classes)
    score = score_of(name)
    assert score is not None
    if score.weighted:  # of four rows instead of all: those right and wrong, with their weights
        truth, given = _counted(truth, given)
    found = value(score, truth, given)
    return math.nan if found is None else found


def _counted(truth: Truth, given: GivenAnswers) -> tuple[Truth, GivenAnswers]:
    """A row for each pair of true and predicted class, which weighs as all of them together."""
    pair, pairs = 2 * truth.labels + given.predicted, np.arange(4)
    weights = np.bincount(pair, truth.weights, minlength=4).astype(np.float64)
    return Truth(pairs // 2, 2, truth.positive, weights), GivenAnswers(pairs % 2)
