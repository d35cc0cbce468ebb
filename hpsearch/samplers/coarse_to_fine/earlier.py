"""Earlier studies: what they found shapes a search's start and its model, as far as it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution

from hpsearch.samplers.coarse_to_fine.encoding import ABSENT, Encoding, fits
from hpsearch.samplers.coarse_to_fine.ranks import rank_correlation
from hpsearch.samplers.history import observe
from hpsearch.samplers.unit import Floats, Numeric, snap

if TYPE_CHECKING:
    from hpsearch.samplers.coarse_to_fine.gp import Kernel, Posterior
    from hpsearch.samplers.coarse_to_fine.model import Scores, Trend

EVERY = 3  # of the first trials, one is where earlier studies were good
LEAST_TRIALS = 5  # that fit the space; a study of fewer says nothing
MOST_TRIALS = 200  # of a study: half of them the best, the others evenly spread over the rest
MORE_CANDIDATES = 24  # for a batch: the best that earlier studies tried, by what is known now
WEIGHT, DEVIATION = 0.5, 0.5  # what all studies together are expected to weigh, and its deviation
LARGEST = 1e100  # score, as differences are squared; a penalty may be the largest number there is
ASSUMED_TRIALS = 1  # that agree with a study, before there is evidence


@dataclass(frozen=True)
class EarlierStudy:
    """Trials of a finished search with their scores, from which another search can learn.

    Attributes:
        configurations: the parameters of each trial.
        scores: of each, lower is better; only how they compare to each other counts.

    Raises:
        ValueError: there are not as many scores, or one is not finite.
    """

    configurations: tuple[Mapping[str, Any], ...]
    scores: tuple[float, ...]

    def __post_init__(self) -> None:
        n, n_scores = len(self.configurations), len(self.scores)
        if n != n_scores:
            raise ValueError(f"an earlier study must have a score a trial, got {n_scores} for {n}")
        if not np.isfinite(self.scores).all():
            raise ValueError("the scores of an earlier study must be finite")

    @classmethod
    def of(cls, study: optuna.Study) -> EarlierStudy:
        """The trials of an Optuna study that have a score, with their longest training's.

        Raises:
            ValueError: it has several objectives.
        """
        if len(study.directions) > 1:
            raise ValueError(
                f"an earlier study must have one objective, {study.study_name!r} has "
                f"{len(study.directions)}"
            )
        seen = observe(study.get_trials(deepcopy=False), study.direction)
        usable = sorted((o for o in seen if o.usable), key=lambda o: o.number)
        return cls(tuple(o.params for o in usable), tuple(o.score for o in usable))


class Earlier:
    """What a search learns from earlier studies.

    Every third of the first trials is one that they tried: the next in a greedy portfolio, the
    one with which the least of the predicted scores, summed over studies, falls most. What it has
    of parameters that no trial of this search had yet is not known there. Later the scores are
    modelled as

        y(x) = sum_t w_t m_t(x) + b + g(x)

    with m_t the posterior mean of a Gaussian process of study t, in units of its own deviation,
    and g the search's own Gaussian process. The weights are the most probable ones at least 0,
    with a normal prior around WEIGHT / number of studies, each times the rank correlation of the
    study's predictions with the results: a study that these contradict soon weighs nothing.

    Args:
        studies: parameters that the search lacks are ignored; trials with a value outside its
            ranges are left out.

    Source: universal kriging with a prior on the weights (Rasmussen and Williams, Gaussian
    Processes for Machine Learning, 2006, section 2.7); portfolios: Feurer et al., Auto-sklearn
    2.0, 2022, algorithm 1. What it is worth: benchmarks/bench_earlier.py.
    """

    def __init__(self, studies: Sequence[EarlierStudy]) -> None:
        self._studies = tuple(studies)
        self._fitted: tuple[Any, _Models] | None = None

    def __bool__(self) -> bool:
        return bool(self._studies)

    def start(
        self, encoding: Encoding, number: int, places: Sequence[float], turn: int
    ) -> Iterator[Sequence[float]]:
        """Where one of the first trials may be drawn, in the full ranges, one place a column: the
        portfolio, best first; nothing for the trials that come from nowhere.

        Args:
            places: where it would be without earlier studies; parameters that these lack stay
                there.
            turn: of every three trials, the one that may come from the portfolio, from 0.
        """
        if number % EVERY != turn or not self._models(encoding):
            return
        for row in self._models(encoding).portfolio():
            yield [
                place if value == ABSENT else encoding.place(j, float(value))
                for j, (place, value) in enumerate(zip(places, row, strict=True))
            ]

    def trend(self, encoding: Encoding, scores: Scores, kernel: Kernel) -> Trend | None:
        """The part of the scores that earlier studies foresee, as a function of rows; None where
        they say nothing.

        Args:
            kernel: of the search's own Gaussian process.
        """
        models = self._models(encoding)
        if not models:
            return None
        means = models.means(scores.rows)
        weights = _weights(kernel, scores, means) * _trust(scores, means)
        intercept = float((means @ weights).mean())
        return lambda rows: np.asarray(models.means(rows) @ weights - intercept)

    def candidates(self, encoding: Encoding, trend: Trend | None) -> Floats:
        """The best configurations that earlier studies tried, by the trend, which are whole."""
        models = self._models(encoding)
        if trend is None or not models:
            return np.empty((0, len(encoding.names)))
        tried = models.tried
        missing = np.column_stack(
            [
                (tried[:, j] == ABSENT) != encoding.inactive(tried, j)
                for j in range(len(encoding.names))
            ]
        )
        whole = tried[~missing.any(1)]
        return whole[np.argsort(trend(whole), kind="stable")[:MORE_CANDIDATES]]

    def _models(self, encoding: Encoding) -> _Models:
        key = (tuple(encoding.names), tuple(encoding.distributions))
        if self._fitted is None or self._fitted[0] != key:
            self._fitted = key, _Models(encoding, self._studies)
        return self._fitted[1]


class _Models:
    """A Gaussian process a study, in one encoding.

    Attributes:
        tried: the rows of all studies.
    """

    def __init__(self, encoding: Encoding, studies: Sequence[EarlierStudy]) -> None:
        self._encoding = encoding
        self._posteriors: list[Posterior] = []
        tried = [np.empty((0, len(encoding.names)))]
        for study in studies:
            rows, scores = _fitting(encoding, study)
            if len(rows) >= LEAST_TRIALS:
                self._posteriors.append(self._posterior(rows, scores))
                tried.append(rows)
        self.tried = np.unique(np.vstack(tried), axis=0)

    def __bool__(self) -> bool:
        return bool(self._posteriors)

    def means(self, rows: Floats) -> Floats:
        """What each study predicts for rows, (n, number of studies)."""
        features = self._features(rows)
        return np.column_stack([posterior.mean(features) for posterior in self._posteriors])

    def portfolio(self) -> Iterator[Floats]:
        """The rows of all studies, as a greedy portfolio takes them."""
        predicted = self.means(self.tried)
        least, left = np.full(predicted.shape[1], np.inf), np.ones(len(predicted), bool)
        while left.any():
            totals = np.minimum(predicted, least).sum(1)
            # Once nothing falls any more, the best on average.
            order = np.lexsort((predicted.sum(1), np.round(totals, 9)))
            chosen = int(order[left[order]][0])
            left[chosen], least = False, np.minimum(least, predicted[chosen])
            yield self.tried[chosen]

    def _posterior(self, rows: Floats, scores: Floats) -> Posterior:
        from hpsearch.samplers.coarse_to_fine.gp import Posterior, fit_kernel, standardised
        from hpsearch.samplers.coarse_to_fine.model import mixed_targets

        features, targets = self._features(rows), mixed_targets(scores)
        dimensions = self._encoding.feature_dimensions()
        kernel = fit_kernel(features, standardised(targets), dimensions)
        return Posterior(kernel, features, standardised(targets))

    def _features(self, rows: Floats) -> Floats:
        return self._encoding.features(rows, np.zeros(len(rows)))


def n_fitting(space: Mapping[str, BaseDistribution], study: EarlierStudy) -> int:
    """How many trials of a study lie in a space."""
    return sum(_lies_in(space, params) for params in study.configurations)


def _lies_in(space: Mapping[str, BaseDistribution], params: Mapping[str, Any]) -> bool:
    """Whether a configuration has values of the space, and none outside it."""
    known = params.keys() & space.keys()
    return bool(known) and all(fits(space[name], params[name]) for name in known)


def _fitting(encoding: Encoding, study: EarlierStudy) -> tuple[Floats, Floats]:
    """The rows and scores of the trials that lie in the space, of many a part."""
    space = dict(zip(encoding.names, encoding.distributions, strict=True))
    inside = [i for i, params in enumerate(study.configurations) if _lies_in(space, params)]
    inside.sort(key=lambda i: study.scores[i])
    if len(inside) > MOST_TRIALS:
        half = MOST_TRIALS // 2
        rest = np.linspace(half, len(inside) - 1, MOST_TRIALS - half).round().astype(int)
        inside = [*inside[:half], *(inside[i] for i in rest)]
    rows = encoding.rows([study.configurations[i] for i in inside])
    for j in range(encoding.n_categorical, len(encoding.names)):
        there, distribution = rows[:, j] != ABSENT, encoding.distributions[j]
        assert isinstance(distribution, Numeric)
        rows[there, j] = snap(distribution, rows[there, j])  # steps may have been others
    scores = np.array([study.scores[i] for i in inside])
    return rows, np.clip(scores, -LARGEST, LARGEST)


def _trust(scores: Scores, means: Floats) -> Floats:
    """How far results agree with each study, from 0 to 1, (number of studies,)."""
    n = len(means)
    agreed = np.array([rank_correlation(column, scores.targets) for column in means.T])
    return np.asarray(np.maximum(0.0, (n * agreed + ASSUMED_TRIALS) / (n + ASSUMED_TRIALS)))


def _weights(kernel: Kernel, scores: Scores, means: Floats) -> Floats:
    """The most probable weights at least 0 of the studies, (number of studies,).

    Generalised least squares, (s^-2 I + M' K^-1 M) w = s^-2 mu + M' K^-1 y, with a column of ones
    for the intercept, which has no prior; what comes out below 0 is left out, the least first.
    """
    n, n_studies = means.shape
    features = scores.features
    inverse = np.linalg.inv(kernel(features, features) + kernel.noise * np.eye(n))
    y = scores.targets
    weights, kept = np.zeros(n_studies), list(range(n_studies))
    while True:
        design = np.column_stack([means[:, kept], np.ones(n)])
        precision = np.diag([n_studies / DEVIATION**2] * len(kept) + [0.0])
        expected = np.array([WEIGHT / n_studies] * len(kept) + [0.0])
        left = precision + design.T @ inverse @ design
        right = precision @ expected + design.T @ inverse @ y
        found = np.linalg.solve(left, right)[:-1]
        if not kept or found.min() >= 0:
            break
        kept.pop(int(np.argmin(found)))
    weights[kept] = found
    return weights
