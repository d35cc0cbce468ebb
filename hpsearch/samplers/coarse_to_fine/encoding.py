"""Configurations as rows of numbers, conditional parameters included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.samplers.unit import Floats, Indices, Numeric, from_unit, from_units, to_units

NOTHING = object()  # no value; None is a choice like others
ABSENT = -1.0  # a parameter that a configuration does not have; places and choices are >= 0


def fits(distribution: BaseDistribution, value: Any) -> bool:
    """Whether a stored value lies in the distribution asked for now: ranges may have moved."""
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    assert isinstance(distribution, Numeric)
    return isinstance(value, int | float) and distribution.low <= value <= distribution.high


class Encoding:
    """A column a parameter: a unit place, the index of a choice, or ABSENT.

    Categorical columns come first, those that most configurations have before the others, so that
    a category on which others depend stands before them. Which parameters a configuration has is
    learned from those seen: one is left out where a category has a value that was only ever seen
    without it.

    Args:
        space: the distributions by name.
        seen: the params of all trials so far.
    """

    def __init__(
        self, space: Mapping[str, BaseDistribution], seen: Sequence[Mapping[str, Any]]
    ) -> None:
        count = {name: sum(name in params for params in seen) for name in space}
        categorical = [n for n, d in space.items() if isinstance(d, CategoricalDistribution)]
        self.n_categorical = len(categorical)
        self.names = [
            *sorted(categorical, key=lambda n: (-count[n], n)),
            *sorted(n for n in space if n not in categorical),
        ]
        self.distributions = [space[name] for name in self.names]
        self._without = self._exclusions(self.rows(seen), len(seen))

    def rows(self, configurations: Sequence[Mapping[str, Any]]) -> Floats:
        """(number of configurations, number of columns)."""
        columns = [
            _places(distribution, [params.get(name, NOTHING) for params in configurations])
            for name, distribution in zip(self.names, self.distributions, strict=True)
        ]
        return np.array(columns).reshape(len(columns), len(configurations)).T

    def params(self, row: Floats) -> dict[str, Any]:
        """The configuration of a row, without what is absent."""
        named = zip(self.names, self.distributions, row, strict=True)
        return {n: _value(d, float(place)) for n, d, place in named if place != ABSENT}

    def place(self, column: int, value: float) -> float:
        """Where an entry of a column lies in the full range, between 0 and 1."""
        categorical = column < self.n_categorical
        return (value + 0.5) / self._n_choices(column) if categorical else value

    def columns(self, rows: Floats) -> dict[str, Floats]:
        """Values by parameter: numbers, indices of choices, NaN for what is absent; (n,) each."""
        named = zip(self.names, self.distributions, rows.T, strict=True)
        return {
            n: np.where(
                places == ABSENT,
                np.nan,
                places if isinstance(d, CategoricalDistribution) else from_units(d, places),  # type: ignore[arg-type]
            )
            for n, d, places in named
        }

    def inactive(self, rows: Floats, column: int) -> Any:
        """Which rows do not have a column's parameter, by their columns before it, (n,)."""
        out = np.zeros(len(rows), bool)
        for category, values in self._without[column].items():
            out |= np.isin(rows[:, category], values)
        return out

    def gates(self) -> list[int]:
        """Columns of the categories on which other parameters depend; of all if none does."""
        found = {category for of in self._without for category in of}
        return sorted(found) or [*range(self.n_categorical)]

    def features(self, rows: Floats, fidelity: Floats) -> Floats:
        """What the kernel sees: places, .5 for absent ones; one-hot categories; fidelity."""
        c = self.n_categorical
        places = np.where(rows[:, c:] == ABSENT, 0.5, rows[:, c:])
        hot = [
            np.sqrt(0.5) * (rows[:, j, None] == np.arange(-1, self._n_choices(j)))
            for j in range(c)
        ]
        return np.hstack([*hot, places, fidelity[:, None]])

    def feature_dimensions(self) -> Indices:
        """The dimension that each feature belongs to."""
        c, total = self.n_categorical, len(self.names) + 1
        hot = [np.full(self._n_choices(j) + 1, j) for j in range(c)]
        return np.concatenate([*hot, np.arange(c, total)])

    def _n_choices(self, column: int) -> int:
        distribution = self.distributions[column]
        assert isinstance(distribution, CategoricalDistribution)
        return len(distribution.choices)

    def _exclusions(self, rows: Floats, n: int) -> list[dict[int, Floats]]:
        """For each column: {column of a category: its values that were only seen without it}."""
        found: list[dict[int, Floats]] = []
        for column in range(len(self.names)):
            has = rows[:, column] != ABSENT
            found.append({})
            if has.sum() in (0, n):
                continue
            for category in range(min(column, self.n_categorical)):
                values = np.setdiff1d(rows[~has, category], rows[has, category])
                if len(values):
                    found[-1][category] = values
        return found


def _places(distribution: BaseDistribution, values: Sequence[Any]) -> Floats:
    """A column: ABSENT for NOTHING, and for values outside the distribution."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return np.array([choices.index(v) if v in choices else ABSENT for v in values], float)
    assert isinstance(distribution, Numeric)
    # As `fits`, without a call for each value of each trial: a third of its time
    low, high, real = distribution.low, distribution.high, (int, float)
    there = [i for i, v in enumerate(values) if isinstance(v, real) and low <= v <= high]
    out = np.full(len(values), ABSENT)
    out[there] = to_units(distribution, [values[i] for i in there])
    return out


def _value(distribution: BaseDistribution, place: float) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(place)]
    assert isinstance(distribution, Numeric)
    return from_unit(distribution, place)
