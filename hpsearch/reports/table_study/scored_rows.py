"""Scores of test rows by what a study optimises, or else by what is defined on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hpsearch.datasets.base import Examples
from hpsearch.execution.scoring.own_scores import load_score
from hpsearch.execution.scoring.values import Truth, lacking, positive_class, unfit, value
from hpsearch.metrics.catalogue import OWN, part_of, score_of
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.trainers import Answers

PLAIN = ("mse", "log_loss", "accuracy")


@dataclass(frozen=True)
class RowScore:
    """A score of rows.

    Attributes:
        name: without the rows that it is of.
        sign: 1 where larger is better, else -1.
        of: of some rows and the answers to them; NaN where it is not defined there.
    """

    name: str
    sign: int
    of: Callable[[Truth, Answers], float]


def row_scores(
    file: StudyFile, examples: Examples, plain: Sequence[str] = PLAIN
) -> Iterator[RowScore]:
    """What the study optimises, if it is computed from answers; then plainer scores of the kind.

    Args:
        examples: test rows.
        plain: the names of those, of classes and of numbers.
    """
    metric, sign = part_of(file.objective.metric)[1], 1
    if OWN.fullmatch(metric):
        own, classes = load_score(metric), examples.classes
        sign = 1 if file.objective.direction == "maximize" else -1
        yield RowScore(
            metric,
            sign,
            lambda truth, answers: own.value(truth.labels, answers, truth.weights, classes),
        )
    for name in (metric, *plain):
        score = score_of(name)
        if score is not None and not unfit(score, examples.n_classes):
            yield _of_catalogue(name, examples)


def _of_catalogue(name: str, examples: Examples) -> RowScore:
    score = score_of(name)
    assert score is not None

    def of(truth: Truth, answers: Answers) -> float:
        if lacking(score, truth, examples.classes):
            return float("nan")
        found = value(score, truth, answers)
        return float("nan") if found is None else found

    return RowScore(name, 1 if score.direction == "maximize" else -1, of)


def truth_of(file: StudyFile, examples: Examples) -> Truth:
    """What is true of test rows."""
    positive = (
        0 if examples.regression else positive_class(file.scoring.positive, examples.classes)
    )
    return Truth(examples.labels, examples.n_classes, positive, examples.weights)


def first_defined(file: StudyFile, examples: Examples, answers: Answers) -> RowScore | None:
    """The first of `row_scores` that is a number for these answers to these rows."""
    truth = truth_of(file, examples)
    for score in row_scores(file, examples):
        try:
            if np.isfinite(score.of(truth, answers)):
                return score
        except Exception:  # a function of one's own may ask for what these answers lack
            continue
    return None
