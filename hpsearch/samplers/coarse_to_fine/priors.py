"""What people expect of good configurations. It shapes the start of a search, and fades."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal, get_args

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.samplers.coarse_to_fine.encoding import ABSENT, Encoding
from hpsearch.samplers.history import Observation
from hpsearch.samplers.unit import Floats, Numeric, to_unit

Confidence = Literal["low", "medium", "high"]
WIDTHS: Mapping[Confidence, float] = {"low": 0.3, "medium": 0.15, "high": 0.05}
EVERY = 2  # of the first trials, one is drawn as expected
LEAST = 1e-3  # a density below this part of the greatest counts as that
AGREEING = 3  # imaginary trials that confirm what is expected, before there is evidence
STRENGTH = 10.0  # trials after which an expectation weighs as much as the model
TAIL = 1e-9  # the places of a normal distribution end here


@dataclass(frozen=True)
class Prior:
    """Where one parameter is expected to be good: near a number, or at choices by weight.

    Attributes:
        value: the most likely number.
        confidence: how sure that is. The deviation is .3, .15 or .05 of the range, of its
            logarithm where the range is logarithmic.
        weights: how likely each choice is, in their order; None for a number.

    Raises:
        ValueError: neither value nor weights are given, or they can't be.
    """

    value: float | None = None
    confidence: Confidence = "medium"
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.weights is None):
            raise ValueError("a prior must have a value, or weights of choices")
        if self.confidence not in WIDTHS:
            known = ", ".join(get_args(Confidence))
            raise ValueError(f"confidence must be one of {known}, got {self.confidence!r}")
        if self.weights is not None:
            finite = all(0 <= weight < math.inf for weight in self.weights)
            if not finite or sum(self.weights) <= 0:
                raise ValueError(
                    f"weights must be at least 0, and one above 0, got {self.weights}"
                )

    def place(self, distribution: BaseDistribution, unit: float) -> float:
        """The place in the full range below which this part of the expectation lies."""
        if isinstance(distribution, CategoricalDistribution):
            chances = self._chances(distribution)
            chosen = int(np.searchsorted(np.cumsum(chances), unit, side="right"))
            return (min(chosen, len(chances) - 1) + 0.5) / len(chances)
        normal = self._normal(distribution)
        below, above = normal.cdf(0), normal.cdf(1)
        chance = below + unit * (above - below)
        return min(1.0, max(0.0, normal.inv_cdf(min(1 - TAIL, max(TAIL, chance)))))

    def centre(self, distribution: BaseDistribution) -> float:
        """The most likely place in the full range."""
        if isinstance(distribution, CategoricalDistribution):
            chances = self._chances(distribution)
            return (int(np.argmax(chances)) + 0.5) / len(chances)
        return self._normal(distribution).mean

    def log_density(self, distribution: BaseDistribution, column: Floats) -> Floats:
        """The logarithm of how likely each entry of a column is, beside the most likely, (n,)."""
        if isinstance(distribution, CategoricalDistribution):
            chances = self._chances(distribution)
            known = np.log(np.maximum(chances / chances.max(), LEAST))
            found = known[np.maximum(column, 0).astype(int)]
        else:
            normal = self._normal(distribution)
            found = -0.5 * ((column - normal.mean) / normal.stdev) ** 2
        return np.where(column == ABSENT, 0.0, found)

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
    """The expectations of a search.

    Every second of the first trials is drawn by them, the first of these at their centres. Later,
    part of the candidates is drawn by them, and what the model expects of a candidate is
    multiplied by (density / greatest density) ^ (trust * STRENGTH / n) after n results. Trust is
    the rank correlation of density and score over these results, from 0 to 1: expectations that
    the results contradict soon count no more.

    Args:
        of: by parameter.

    Source: Hvarfner et al., piBO: Augmenting acquisition functions with user beliefs for Bayesian
    optimization, 2022 (the exponent that falls with n); the trust is ours, measured by
    benchmarks/bench_priors.py.
    """

    def __init__(self, of: Mapping[str, Prior]) -> None:
        self.of = dict(of)

    def __bool__(self) -> bool:
        return bool(self.of)

    def start(
        self, number: int, name: str, distribution: BaseDistribution, place: float, *, again: bool
    ) -> float:
        """Where one of the first trials is drawn, in the full range.

        Args:
            place: where it would be without expectations.
            again: whether the trial was drawn before, and had been tried.
        """
        if name not in self.of or number % EVERY != 1:
            return place
        prior = self.of[name]
        centre = number == 1 and not again
        return prior.centre(distribution) if centre else prior.place(distribution, place)

    def spread(self, name: str, distribution: BaseDistribution, places: Floats, n: int) -> Floats:
        """Places of candidates anywhere, (total,): the first `n` as expected."""
        if name not in self.of or not n:
            return places
        prior = self.of[name]
        moved = [prior.place(distribution, place) for place in places[:n]]
        return np.concatenate([moved, places[n:]])

    def log_density(self, encoding: Encoding, rows: Floats) -> Floats:
        """How likely rows are beside the most likely one, at least LEAST; the logarithm, (n,)."""
        named = zip(encoding.names, encoding.distributions, rows.T, strict=True)
        found = [self.of[n].log_density(d, column) for n, d, column in named if n in self.of]
        total = np.sum(found, axis=0) if found else np.zeros(len(rows))
        return np.maximum(total, math.log(LEAST))

    def trust(self, encoding: Encoding, seen: Sequence[Observation]) -> float:
        """How far results agree with the expectations, from 0 to 1.

        Args:
            seen: best first.
        """
        density = self.log_density(encoding, encoding.rows([o.params for o in seen]))
        agreed = _rank_correlation(-density, np.array([o.score for o in seen]))
        n = len(seen)
        return max(0.0, (n * agreed + AGREEING) / (n + AGREEING))

    def preference(self, encoding: Encoding, pool: Floats, trust: float, n: int) -> Floats:
        """What the model's expectation of each candidate is multiplied by, (n candidates,)."""
        return np.exp(trust * STRENGTH / n * self.log_density(encoding, pool))


def _rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's, by mean ranks of ties; 0 where one of them does not vary."""
    ranks = [_ranks(values) for values in (one, other)]
    first, second = (values - values.mean() for values in ranks)
    scale = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / scale if scale else 0.0


def _ranks(values: Floats) -> Any:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]
