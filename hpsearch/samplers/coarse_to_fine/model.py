"""The model of a study's scores, and the choice of a batch by greedy expected improvement."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import accumulate, repeat, takewhile

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from hpsearch.samplers.coarse_to_fine.encoding import Encoding
from hpsearch.samplers.coarse_to_fine.gp import (
    JointDraws,
    Kernel,
    Posterior,
    fit_kernel,
    standardised,
)
from hpsearch.samplers.coarse_to_fine.pool import row_keys
from hpsearch.samplers.coarse_to_fine.ranks import mean_ranks
from hpsearch.samplers.history import Observation
from hpsearch.samplers.unit import Floats, Indices

MOST_ROWS, BEST_ROWS = 300, 100  # above MOST_ROWS: the best, and others at random
REFIT = 1.15  # hyperparameters are fitted again when there are so many times more trials
N_DRAWS = 256  # functions drawn from the posterior
LEAST_VALUES = 8  # fewer scores say nothing of how they spread
WINSORISED = 1.5  # times the best's lead over the median


Trend = Callable[[Floats], Floats]  # of rows, what their scores are expected to be


class Scores:
    """All scores as rows of features and standardised targets.

    A trial gives a row for each length at which trials end; how long is a coordinate. A trial
    without a score is worst at the greatest length.

    Args:
        seen: observations, at least one of them usable.
        rng: draws which rows are left out, if they are too many.
        mixed: whether targets are mixed_targets, else normal_scores.
    """

    def __init__(
        self,
        encoding: Encoding,
        seen: Sequence[Observation],
        rng: np.random.Generator,
        *,
        mixed: bool,
    ) -> None:
        self.longest = max(max(o.curve) for o in seen if o.usable)
        entries = [
            (i, length, score)
            for i, o in enumerate(seen)
            for length, score in (o.curve or {self.longest: math.inf}).items()
        ]
        if len(entries) > MOST_ROWS:
            entries.sort(key=lambda entry: entry[2])
            others = rng.permutation(len(entries) - BEST_ROWS)[: MOST_ROWS - BEST_ROWS]
            entries = entries[:BEST_ROWS] + [entries[BEST_ROWS + i] for i in sorted(others)]
        rows = self.rows = encoding.rows([seen[i].params for i, _, _ in entries])
        lengths = np.array([length for _, length, _ in entries])
        self.features = encoding.features(rows, fidelity(lengths))
        targets = mixed_targets if mixed else normal_scores
        self.targets = standardised(targets(np.array([score for _, _, score in entries])))
        at_the_end = fidelity(np.full(len(rows), self.longest))
        self.features_at_the_end = encoding.features(rows, at_the_end)


def fidelity(lengths: Floats) -> Floats:
    """Training length as a coordinate: a stage of three times the length is about 1/2 away."""
    return np.log(lengths + 1) / math.log(9)


def mixed_targets(scores: Floats) -> Floats:
    """Half normal scores of the ranks, half the scores themselves, (n,); inf is worst.

    Each half has mean 0 and deviation 1. What is worse than the median by more than 1.5 times the
    best's lead over it counts as that: how bad a bad configuration is tells nothing of the good.
    With fewer than 8 scores, or equal ones, ranks alone.
    """
    ranked, finite = normal_scores(scores), scores[np.isfinite(scores)]
    if len(finite) < LEAST_VALUES or finite.min() == np.median(finite):
        return ranked
    best, middle = finite.min(), np.median(finite)
    # By the lead first: scores of 1e-200 have no deviation of their own.
    values = np.minimum((scores - best) / (middle - best), 1 + WINSORISED)
    halves = ((half - half.mean()) / half.std() for half in (ranked, values))
    return np.asarray(sum(halves)) / 2


def normal_scores(scores: Floats) -> Floats:
    """Normal scores of the ranks, Phi^-1((rank - 1/2) / n), (n,); lower is better, inf is worst.

    Equal scores share their mean rank. How much better the best are does not count: where
    trainings are noisy that is luck, and a model that believes it stays where it is.
    """
    return np.asarray(ndtri((mean_ranks(scores) - 0.5) / len(scores)))


def fitted_on(n_seen: int) -> int:
    """How many trials the hyperparameters are fitted on when so many are there."""
    sizes = accumulate(repeat(None), lambda n, _: max(n + 1, math.ceil(n * REFIT)), initial=3)
    *_, last = takewhile(lambda n: n <= max(3, n_seen), sizes)
    return last


class Choice:
    """Chooses the members of a batch from one pool, one after the other.

    The first is the candidate with the largest expected improvement over the best mean of the
    trials so far. For the others 256 functions are drawn jointly from the posterior at all
    candidates: the next member is the one with the largest mean improvement over the best so far
    in each draw, where the members before it and whatever else is pending count in (q-EI); if
    none improves in any draw, the one with the least mean - deviation.

    Args:
        pool: candidates, rows without duplicates.
        rng: of the functions.
        joint: of so many candidates, those with the largest expected improvement, values are
            drawn jointly; the others can only be the first member.
        trend: of rows, what the scores are expected to be without the model; None: 0.

    Source: Wilson, Hutter, Deisenroth, Maximizing acquisition functions for Bayesian
    optimization, 2018 (greedy maximisation of the q-EI).
    """

    def __init__(
        self,
        encoding: Encoding,
        kernel: Kernel,
        scores: Scores,
        pool: Floats,
        rng: np.random.Generator,
        trend: Trend | None = None,
        *,
        joint: int,
    ) -> None:
        self._encoding, self._end, self._rng = encoding, scores.longest, rng
        self._trend = trend or no_trend
        at_rows = self._trend(scores.rows)
        self._posterior = Posterior(kernel, scores.features, scores.targets - at_rows)
        self.pool, self._keys = pool, {key: i for i, key in enumerate(row_keys(pool))}
        self._at_pool, self._n_joint = self._trend(pool), joint
        means = self._posterior.mean(scores.features_at_the_end) + at_rows
        self._incumbent = float(means.min())
        self._preference: Floats | float = 1.0
        self.restart()

    def prefer(self, preference: Floats) -> None:
        """Multiply the expected improvement of each candidate by this, too, (number of
        candidates,)."""
        self._preference = self._preference * preference

    def restart(self) -> None:
        """Forget all members."""
        self._best = np.full(N_DRAWS, self._incumbent)
        self._free = np.ones(len(self.pool), bool)
        self._alone = True

    def take(self, row: Floats, rng: np.random.Generator) -> None:
        """Count a configuration in; the generator is for one that is not in the pool."""
        place = self._keys.get(row_keys(row[None])[0])
        if place is not None:
            self._free[place] = False
        if place in self._joint_places:
            values = self._values[self._joint_places[place]]
        else:
            values = self._draws.at(self._at_the_end(row[None])[0], rng.standard_normal(N_DRAWS))
            values = values + self._trend(row[None])
        self._best, self._alone = np.minimum(self._best, values), False

    def next(self, among: NDArray[np.bool_] | None = None) -> Floats:
        """The row of the next member; `take` counts it in.

        Args:
            among: which candidates, (number of candidates,); None, or none of them: all.
        """
        allowed = self._free if among is None else self._free & among
        allowed = allowed if allowed.any() else self._free
        free = allowed[self._joint] if not self._alone else allowed
        if self._alone or not free.any():
            improvement = self._improvement * self._preference
            improvement[~allowed] = -1.0
            return np.asarray(self.pool[np.argmax(improvement)])
        values, preference = self._values, np.broadcast_to(self._preference, len(self.pool))
        improvement = np.maximum(self._best - values, 0.0).mean(1) * preference[self._joint]
        improvement[~free] = -1.0
        place = int(np.argmax(improvement))
        if improvement[place] <= 0:
            optimistic = values.mean(1) - values.std(1)
            optimistic[~free] = np.inf
            place = int(np.argmin(optimistic))
        return np.asarray(self.pool[self._joint[place]])

    @cached_property
    def _improvement(self) -> Floats:
        """Expected improvement of each candidate by itself, (number of candidates,)."""
        mean, deviation = self._posterior.marginals(self._at_the_end(self.pool))
        z = (self._incumbent - mean - self._at_pool) / deviation
        density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        return np.asarray(deviation * (z * ndtr(z) + density))

    @cached_property
    def _joint(self) -> Indices:
        """The candidates of which values are drawn jointly."""
        if self._n_joint >= len(self.pool):
            return np.arange(len(self.pool))
        return np.sort(np.argsort(-self._improvement, kind="stable")[: self._n_joint])

    @cached_property
    def _joint_places(self) -> dict[int | None, int]:
        """The place of a candidate among these."""
        return {int(place): i for i, place in enumerate(self._joint)}

    @cached_property
    def _draws(self) -> JointDraws:
        normals = self._rng.standard_normal((len(self._joint), N_DRAWS))
        rows = self.pool[self._joint]
        return JointDraws(self._posterior, self._at_the_end(rows), normals)

    @cached_property
    def _values(self) -> Floats:
        """The functions at these candidates, (number of them, N_DRAWS)."""
        return np.asarray(self._draws.values + self._at_pool[self._joint, None])

    def _at_the_end(self, rows: Floats) -> Floats:
        return self._encoding.features(rows, fidelity(np.full(len(rows), self._end)))


def fit(
    encoding: Encoding, scores: Scores, trend: Trend | None = None, *, main_effects: bool
) -> Kernel:
    """The hyperparameters for these scores, or for what a trend leaves of them."""
    left = scores.targets - (trend or no_trend)(scores.rows)
    dimensions = encoding.feature_dimensions()
    return fit_kernel(scores.features, left, dimensions, main_effects=main_effects)


def no_trend(rows: Floats) -> Floats:
    """0 for each row, (n,)."""
    return np.zeros(len(rows))
