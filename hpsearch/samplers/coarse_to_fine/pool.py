"""The candidates that a batch of trials is chosen from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.distributions import CategoricalDistribution

from hpsearch.samplers.coarse_to_fine.encoding import ABSENT, Encoding
from hpsearch.samplers.coarse_to_fine.priors import Priors
from hpsearch.samplers.unit import Floats, Numeric, snap

GLOBAL, PERTURBED = 1 / 2, 1 / 3  # shares of the candidates; the rest recombines elites
BY_PRIOR = 1 / 2  # of those drawn anywhere, times the trust in the priors
NO_PRIORS = Priors({})
LESS = np.array([1.0, 0.5, 0.25])  # how much of a configuration moves, and how far


@dataclass(frozen=True)
class Reach:
    """How far candidates lie from the elites.

    Attributes:
        width: deviation of a numeric parameter, in unit space.
        mutation: probability that a category is drawn anew.
    """

    width: float
    mutation: float


def rank_weights(k: int) -> Floats:
    """log(k + 1/2) - log(rank), normalised, (k,)."""
    weights = math.log(k + 0.5) - np.log(np.arange(1, k + 1))
    return np.asarray(weights / weights.sum())


def draw_candidates(
    encoding: Encoding,
    elites: Floats,
    n: int,
    reach: Reach,
    rng: np.random.Generator,
    *,
    priors: Priors = NO_PRIORS,
    trust: float = 0.0,
) -> Floats:
    """`n` rows: half anywhere, a third around an elite, a sixth around several at once.

    Around an elite each numeric parameter moves with probability 1, 1/2 or 1/4, by a Gaussian of
    `reach.width` times 1, 1/2 or 1/4. What the elite does not have is drawn anywhere.

    Args:
        elites: rows, best first, (k, number of columns).
        priors: by which part of those anywhere is drawn.
        trust: in them, from 0 to 1.
    """
    weights, by_prior = rank_weights(len(elites)), round(BY_PRIOR * trust * GLOBAL * n)
    anywhere = np.arange(n) < round(GLOBAL * n)
    several = np.arange(n) >= round((GLOBAL + PERTURBED) * n)
    one = rng.choice(len(elites), n, p=weights)
    moving, scale = rng.choice(LESS, n), rng.choice(LESS, n)
    rows = np.full((n, len(encoding.names)), ABSENT)
    for j, distribution in enumerate(encoding.distributions):
        parent = np.where(several, rng.choice(len(elites), n, p=weights), one)
        value = elites[parent, j]
        fresh = anywhere | (value == ABSENT)
        chance, place = rng.random(n), rng.random(n)
        place = priors.spread(encoding.names[j], distribution, place, by_prior)
        if isinstance(distribution, CategoricalDistribution):
            fresh |= chance < reach.mutation
            choice = np.floor(place * len(distribution.choices))
            rows[:, j] = np.where(fresh, choice, value)
        else:
            assert isinstance(distribution, Numeric)
            moved = value + scale * reach.width * rng.standard_normal(n)
            place = snap(distribution, np.where(fresh, place, moved))
            rows[:, j] = np.where(fresh | (chance <= moving), place, value)
        rows[encoding.inactive(rows, j), j] = ABSENT
    return rows


def around_branches(
    encoding: Encoding, seen: Floats, n: int, width: float, rng: np.random.Generator
) -> Floats:
    """`n` rows, each near the best trial of one value of a category on which others depend.

    Their numeric parameters move as around an elite, one of all columns for certain; categories
    stay. Without categories: none.

    Args:
        seen: rows that have scores, best first.
        width: deviation of a numeric parameter, in unit space.
    """
    gates = ((j, value) for j in encoding.gates() for value in np.unique(seen[:, j]))
    best = [seen[seen[:, j] == value][0] for j, value in gates if value != ABSENT]
    if not best:
        return np.empty((0, len(encoding.names)))
    parents = np.array(best)[rng.integers(len(best), size=n)]
    moving, scale = rng.choice(LESS, n), rng.choice(LESS, n)
    certain = rng.integers(len(encoding.names), size=n)
    rows = parents.copy()
    for j in range(encoding.n_categorical, len(encoding.names)):
        distribution = encoding.distributions[j]
        assert isinstance(distribution, Numeric)
        moved = snap(distribution, parents[:, j] + scale * width * rng.standard_normal(n))
        moves = (rng.random(n) <= moving) | (certain == j)
        rows[:, j] = np.where(moves & (parents[:, j] != ABSENT), moved, parents[:, j])
    return rows


def place_row(encoding: Encoding, places: Sequence[float]) -> Floats:
    """The row at these places of the full ranges, one a column."""
    row = np.full((1, len(encoding.names)), ABSENT)
    for j, (distribution, place) in enumerate(zip(encoding.distributions, places, strict=True)):
        if encoding.inactive(row, j)[0]:
            continue
        if isinstance(distribution, CategoricalDistribution):
            row[0, j] = np.floor(place * len(distribution.choices))
        else:
            assert isinstance(distribution, Numeric)
            row[0, j] = snap(distribution, np.array([place]))[0]
    return np.asarray(row[0])


def row_keys(rows: Floats) -> list[bytes]:
    """What tells configurations apart."""
    return [row.tobytes() for row in np.round(rows, 6) + 0.0]
