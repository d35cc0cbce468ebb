"""Draws that keep the relations between parameters, of any sampler."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from hpsearch.samplers.unit import Floats, anywhere

REDRAWS = 50  # of a sampler, before one is drawn uniformly


@dataclass(frozen=True)
class Relations:
    """What samplers are told of the relations; configurations are by their names in Optuna.

    Attributes:
        hold: whether what there is of a configuration breaks none of them.
        hold_all: the same of many, by columns: numbers, of a category the index among its choices,
            and NaN where a configuration lacks the parameter.
        draw: so many at most that keep all, uniformly; one at least.
    """

    hold: Callable[[Mapping[str, Any]], bool]
    hold_all: Callable[[Mapping[str, Floats]], NDArray[np.bool_]]
    draw: Callable[[np.random.Generator, int], list[dict[str, Any]]]


class AskedTrial:
    """A trial that is asked for its parameters, and stored nowhere.

    Args:
        given: values that it has already, by name.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.params = dict(given)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """As optuna.Trial does."""
        return float(self._suggest(name, FloatDistribution(low, high, log=log, step=step)))

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """As optuna.Trial does."""
        return int(self._suggest(name, IntDistribution(low, high, log=log, step=step)))

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """As optuna.Trial does."""
        return self._suggest(name, CategoricalDistribution(choices))

    def _suggest(self, name: str, distribution: BaseDistribution) -> Any:
        if name not in self.params:
            self.params[name] = self._drawn(name, distribution)
        return self.params[name]

    @abstractmethod
    def _drawn(self, name: str, distribution: BaseDistribution) -> Any: ...


class PlacedTrial(AskedTrial):
    """Has its values at these places of the full ranges."""

    def __init__(self, given: Mapping[str, Any], places: Mapping[str, float]) -> None:
        super().__init__(given)
        self._places = places

    def _drawn(self, name: str, distribution: BaseDistribution) -> Any:
        return anywhere(distribution, self._places[name])


class SampledTrial(AskedTrial):
    """Draws as trial `number` of a study would with this sampler."""

    def __init__(
        self, study: Study, sampler: BaseSampler, number: int, given: Mapping[str, Any]
    ) -> None:
        super().__init__(given)
        self._study, self._sampler = study, sampler
        self._trial = FrozenTrial(
            number=number,
            trial_id=-1,
            state=TrialState.RUNNING,
            value=None,
            datetime_start=datetime.now(),
            datetime_complete=None,
            params={},
            distributions={},
            user_attrs={},
            system_attrs={},
            intermediate_values={},
        )
        space = sampler.infer_relative_search_space(study, self._trial)
        self._relative = sampler.sample_relative(study, self._trial, space)

    def _suggest(self, name: str, distribution: BaseDistribution) -> Any:
        value = super()._suggest(name, distribution)
        self._trial.distributions = {**self._trial.distributions, name: distribution}
        self._trial.params = {**self._trial.params, name: value}
        return value

    def _drawn(self, name: str, distribution: BaseDistribution) -> Any:
        if distribution.single():
            return anywhere(distribution, 0.0)
        value = self._relative.get(name)
        if name in self._relative and distribution._contains(distribution.to_internal_repr(value)):
            return value
        return self._sampler.sample_independent(self._study, self._trial, name, distribution)
