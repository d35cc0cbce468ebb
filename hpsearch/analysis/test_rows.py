"""How far a test score depends on which rows the test set happens to hold.

The standard error over test rows, in place of which others could have been drawn: of a mean over
rows by its formula, of any other score by the bootstrap (Efron 1979).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.execution.scoring.values import Truth, value
from hpsearch.metrics.catalogue import Score, score_of
from hpsearch.records.refit_answers import RefitAnswers
from hpsearch.trainers.answers import GivenAnswers

RESAMPLES = 200  # the standard error is then known to 5 %
MOST_ROWS = 20_000  # that are resampled; the error of more is reckoned from so many
TEST = "test_"

Floats = NDArray[np.float64]
# Scores that are means over rows: what a row has.
OF_ROWS: Mapping[str, Callable[[RefitAnswers], Floats]] = {
    "accuracy": lambda a: (a.predicted == a.labels).astype(np.float64),
    "mse": lambda a: (a.predicted - a.labels) ** 2,
    "mae": lambda a: np.abs(a.predicted - a.labels),
}


@dataclass(frozen=True)
class TestRows:
    """What the refits of a configuration predict of the N test rows.

    Attributes:
        refits: what each predicts; () where they don't say.
        seed: of the resamples.
    """

    refits: Sequence[RefitAnswers]
    seed: int

    @property
    def n(self) -> int:
        """N; 0 where it is not known."""
        return len(self.refits[0].labels) if self.refits else 0

    def error(self, metric: str) -> float | None:
        """The standard error of a test metric over rows; None where it can't be told."""
        name = metric.removeprefix(TEST)
        if not self.refits or not metric.startswith(TEST):
            return None
        if name in OF_ROWS:
            return _of_mean(self._row_values(name), self.refits[0].weights)
        score = score_of(name)
        return None if score is None else self._spread(score, None)

    def error_of_difference(self, metric: str, other: TestRows) -> float | None:
        """The standard error over rows of the difference to another configuration's.

        Both predict the same rows, whose luck they share.
        """
        name = metric.removeprefix(TEST)
        if not self.refits or len(other.refits) != len(self.refits) or self.n != other.n:
            return None
        if name in OF_ROWS:
            differences = self._row_values(name) - other._row_values(name)
            return _of_mean(differences, self.refits[0].weights)
        score = score_of(name)
        return None if score is None else self._spread(score, other)

    def _row_values(self, name: str) -> Floats:
        values: Floats = np.mean([OF_ROWS[name](refit) for refit in self.refits], axis=0)
        return values

    def _spread(self, score: Score, other: TestRows | None) -> float | None:
        """By resamples of the rows, each scored by one of the refits in turn."""
        moved = [move for move in self._moves(score, other) if np.isfinite(move)]
        if len(moved) < RESAMPLES // 2:  # most resamples lack a class
            return None
        return float(np.std(moved, ddof=1) * np.sqrt(min(self.n, MOST_ROWS) / self.n))

    def _moves(self, score: Score, other: TestRows | None) -> Iterator[float]:
        rng = np.random.default_rng((self.seed, 0x7E57))
        everything, size = np.arange(self.n), min(self.n, MOST_ROWS)
        pairs = [*zip(self.refits, other.refits if other else self.refits, strict=True)]
        whole: dict[int, float] = {}
        for resample in range(RESAMPLES):
            place = resample % len(pairs)
            one, two = pairs[place]
            if place not in whole:
                whole[place] = _difference(score, one, two if other else None, everything)
            rows = rng.integers(self.n, size=size)
            yield _difference(score, one, two if other else None, rows) - whole[place]


def _difference(
    score: Score, one: RefitAnswers, two: RefitAnswers | None, rows: NDArray[np.int64]
) -> float:
    return _score(score, one, rows) - (0.0 if two is None else _score(score, two, rows))


def _score(score: Score, answers: RefitAnswers, rows: NDArray[np.int64]) -> float:
    def part(values: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if values is None else values[rows]

    truth = Truth(answers.labels[rows], answers.n_classes, answers.positive, part(answers.weights))
    given = GivenAnswers(
        answers.predicted[rows], part(answers.probabilities), part(answers.decisions)
    )
    try:
        found = value(score, truth, given)
    except ValueError:  # a resample without a class
        return float("nan")
    return float("nan") if found is None else found


def _of_mean(values: Floats, weights: Floats | None) -> float:
    """The standard error of a (weighted) mean over rows."""
    shares = np.ones(len(values)) if weights is None else weights
    shares = shares / shares.sum()
    mean = float(shares @ values)
    n = int((shares > 0).sum())
    correction = n / max(n - 1, 1)
    return float(np.sqrt(correction * np.sum((shares * (values - mean)) ** 2)))
