"""A model of the trials' scores, by which configurations that were not run are ordered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution

from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space

TREES = 100
ABSENT = -1.0  # of a parameter that a configuration does not have


class TrialModel:
    """A random forest over the searched parameters, log-scaled where their range is.

    Args:
        space: what was searched.
        params: of the trials.
        scores: theirs, of one training length.
        seed: of the forest.
    """

    def __init__(
        self,
        space: Space,
        params: Sequence[Mapping[str, Any]],
        scores: Sequence[float],
        seed: int,
    ) -> None:
        from sklearn.ensemble import RandomForestRegressor

        self._space = space
        self._forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=seed % 2**32)
        self._forest.fit([self._row(one) for one in params], scores)

    def predict(self, params: Mapping[str, Any]) -> float:
        """The score that a configuration is likely to have."""
        return float(self._forest.predict([self._row(params)])[0])

    def _row(self, params: Mapping[str, Any]) -> NDArray[np.float64]:
        columns = [column for p in self._space.parameters for column in _columns(p, params)]
        return np.array(columns, np.float64)


def _columns(parameter: Parameter, params: Mapping[str, Any]) -> list[float]:
    """One for a number, one a choice for choices; a number below its range counts as its end."""
    value = params.get(parameter.key) if parameter.active(params) else None
    distribution = parameter.distribution
    if isinstance(distribution, CategoricalDistribution):
        return [float(value == choice) for choice in distribution.choices]
    if value is None:
        return [ABSENT]
    low, high = float(distribution.low), float(distribution.high)  # type: ignore[attr-defined]
    position = float(value)
    if distribution.log:  # type: ignore[attr-defined]
        low, high, position = math.log(low), math.log(high), math.log(max(position, low))
    return [min(1.0, max(0.0, (position - low) / (high - low)))]
