"""Priors: where people expect good configurations. They shape a search's start, and fade."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.samplers.coarse_to_fine.encoding import ABSENT, Encoding
from hpsearch.samplers.coarse_to_fine.ranks import rank_correlation
from hpsearch.samplers.history import Observation
from hpsearch.samplers.unit import Floats, Numeric, to_unit

Confidence = Literal["low", "medium", "high"]
WIDTHS: Mapping[Confidence, float] = {"low": 0.3, "medium": 0.15, "high": 0.05}
MOST_TRIES = 5  # to draw it so, where what is drawn was tried before
LEAST_DENSITY = 1e-3  # of the greatest; a smaller one counts as this
FULL_WEIGHT = 3  # parameters; the density of more counts as that of so many
ASSUMED_TRIALS = 3  # that agree with the priors, before there is evidence
STRENGTH = 10.0  # results after which the density counts with the power 1
TAIL = 1e-9  # of a normal distribution, that is cut off


@dataclass(frozen=True)
class Prior:
    """Where one parameter is expected to be good: near a number, or at choices by weight.

    Attributes:
        value: the most likely number; None for choices.
        confidence: how sure it is. The standard deviation is .3, .15 or .05 of the range, of its
            logarithm where the range is logarithmic.
        weights: how likely each choice is, in their order; None for a number.

    Raises:
        ValueError: both value and weights are given, or neither, or one of them can't be.
    """

    value: float | None = None
    confidence: Confidence = "medium"
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.weights is None):
            raise ValueError("a prior must have a value, or weights of choices")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"the value of a prior must be finite, got {self.value}")
        if self.confidence not in [*WIDTHS]:
            known = ", ".join(get_args(Confidence))
            raise ValueError(f"confidence must be one of {known}, got {self.confidence!r}")
        if self.weights is not None:
            right = all(weight >= 0 for weight in self.weights)
            if not right or not 0 < sum(self.weights) < math.inf:
                raise ValueError(
                    f"weights must be at least 0, and one above 0, got {self.weights}"
                )

    def place(self, distribution: BaseDistribution, unit: float) -> float:
        """The quantile of the prior, as a place in the full range.

        Args:
            unit: between 0 and 1.

        Raises:
            ValueError: the prior does not fit the distribution.
        """
        if isinstance(distribution, CategoricalDistribution):
            chances = self._chances(distribution)
            chosen = int(np.searchsorted(np.cumsum(chances), unit, side="right"))
            return (min(chosen, len(chances) - 1) + 0.5) / len(chances)
        normal = self._normal(distribution)
        below, above = normal.cdf(0), normal.cdf(1)
        chance = below + unit * (above - below)
        return min(1.0, max(0.0, normal.inv_cdf(min(1 - TAIL, max(TAIL, chance)))))

    def centre(self, distribution: BaseDistribution) -> float:
        """The most likely place in the full range.

        Raises:
            ValueError: the prior does not fit the distribution.
        """
        if isinstance(distribution, CategoricalDistribution):
            chances = self._chances(distribution)
            return (int(np.argmax(chances)) + 0.5) / len(chances)
        return self._normal(distribution).mean

    def log_density(self, distribution: BaseDistribution, column: Floats) -> Floats:
        """The logarithm of the density of each entry of a column, relative to the greatest, (n,).

        An absent entry has the mean of what the prior draws: a branch without the parameter is
        neither better nor worse for it.

        Raises:
            ValueError: the prior does not fit the distribution.
        """
        if isinstance(distribution, CategoricalDistribution):
            chances = self._chances(distribution)
            logs = np.log(np.maximum(chances / chances.max(), LEAST_DENSITY))
            densities, mean = logs[np.maximum(column, 0).astype(int)], float(chances @ logs)
        else:
            normal = self._normal(distribution)
            densities, mean = -0.5 * ((column - normal.mean) / normal.stdev) ** 2, -0.5
            densities = np.maximum(densities, math.log(LEAST_DENSITY))
        return np.where(column == ABSENT, mean, densities)

    def _chances(self, distribution: CategoricalDistribution) -> Floats:
        weights = np.array(self.weights or (), float)
        if len(weights) != len(distribution.choices):
            raise ValueError(
                f"weights must be {len(distribution.choices)} numbers, one for each choice, got "
                f"{self.weights}"
            )
        return np.asarray(weights / weights.sum())

    def _normal(self, distribution: BaseDistribution) -> NormalDist:
        assert isinstance(distribution, Numeric)
        if self.value is None or not distribution.low <= self.value <= distribution.high:
            raise ValueError(
                f"the prior of a range from {distribution.low:g} to {distribution.high:g} must be "
                f"a number in it, got {self.value}"
            )
        return NormalDist(to_unit(distribution, self.value), WIDTHS[self.confidence])


class Priors:
    """The priors of a search.

    Some of the first trials are drawn by them, the first of these at their centres. Later,
    part of the candidates is drawn by them, and the expected improvement of a candidate is
    multiplied by (density / greatest density) ^ (trust * STRENGTH / n) after n results. Trust is
    the rank correlation of density and score over these results, from 0 to 1: priors that the
    results contradict soon count no more.

    Args:
        of: by parameter. A parameter that the space lacks is ignored.
        every: of the first trials, one of so many is drawn by them.

    Source: Hvarfner et al., piBO: Augmenting acquisition functions with user beliefs for Bayesian
    optimization, 2022 (the exponent that falls with n); the trust is ours, measured by
    benchmarks/bench_priors.py.
    """

    def __init__(self, of: Mapping[str, Prior], every: int = 2) -> None:
        self.of, self._every = dict(of), every

    def __bool__(self) -> bool:
        return bool(self.of)

    def start(
        self, number: int, name: str, distribution: BaseDistribution, place: float, attempt: int
    ) -> float | None:
        """Where one of the first trials is drawn, in the full range; None: not by the priors.

        Args:
            place: the quantile of the prior.
            attempt: how often the trial was drawn before, and had been tried or broke a relation.
        """
        if name not in self.of or number % self._every != 1 or attempt > MOST_TRIES:
            return None
        prior = self.of[name]
        centre = number == 1 and not attempt
        return prior.centre(distribution) if centre else prior.place(distribution, place)

    def spread(self, name: str, distribution: BaseDistribution, places: Floats, n: int) -> Floats:
        """Places of candidates anywhere, (total,): the first `n` drawn by the prior."""
        if name not in self.of or not n:
            return places
        prior = self.of[name]
        moved = [prior.place(distribution, place) for place in places[:n]]
        return np.concatenate([moved, places[n:]])

    def log_density(self, encoding: Encoding, rows: Floats) -> Floats:
        """The logarithm of the density of rows, relative to the greatest, (n,).

        Args:
            rows: (n, number of columns).
        """
        columns = zip(encoding.names, encoding.distributions, rows.T, strict=True)
        logs = [self.of[n].log_density(d, column) for n, d, column in columns if n in self.of]
        if not logs:
            return np.zeros(len(rows))
        return np.asarray(np.sum(logs, axis=0) * min(1.0, FULL_WEIGHT / len(logs)))

    def trust(self, encoding: Encoding, seen: Sequence[Observation]) -> float:
        """How far results agree with the priors, from 0 to 1.

        Args:
            seen: best first.
        """
        density = self.log_density(encoding, encoding.rows([o.params for o in seen]))
        agreed = rank_correlation(-density, np.array([o.score for o in seen]))
        n = len(seen)
        return max(0.0, (n * agreed + ASSUMED_TRIALS) / (n + ASSUMED_TRIALS))

    def preference(self, encoding: Encoding, pool: Floats, trust: float, n: int) -> Floats:
        """What the expected improvement of each candidate is multiplied by, (n candidates,).

        Args:
            n: number of results.
        """
        logs = np.maximum(self.log_density(encoding, pool), math.log(LEAST_DENSITY))
        return np.asarray(np.exp(trust * STRENGTH / n * logs))
