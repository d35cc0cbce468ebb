"""One searched hyperparameter: what it may be, when it is active, how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpsearch.hyperparameters import ParamValue
from hpsearch.samplers.coarse_to_fine.priors import Prior
from hpsearch.samplers.unit import Floats, from_unit, from_units, round_float, to_unit
from hpsearch.value_texts import value_text

Conditions = Mapping[str, tuple[ParamValue, ...]]


class Asked(Protocol):
    """A trial as it is asked for its parameters: Optuna's, or one that is stored nowhere."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = ..., log: bool = ...
    ) -> float: ...

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = ..., log: bool = ...
    ) -> int: ...

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...


def count_values(d: BaseDistribution) -> int:
    """How many values a distribution has; 1 for a range without steps, which has no number."""
    if isinstance(d, CategoricalDistribution):
        return len(d.choices)
    assert isinstance(d, IntDistribution | FloatDistribution)
    return 1 if d.log or d.step is None else round((d.high - d.low) / d.step) + 1


def entry_name(key: str, entry: int | None) -> str:
    """What Optuna calls a hyperparameter, or an entry of the list of ranges that it has."""
    return key if entry is None else f"{key}[{entry}]"


def values_at(d: BaseDistribution, places: Floats) -> Floats:
    """Values at places of the full range; of choices their indices."""
    if isinstance(d, CategoricalDistribution):
        return np.minimum(len(d.choices) - 1, np.floor(places * len(d.choices)))
    assert isinstance(d, IntDistribution | FloatDistribution)
    return from_units(d, places)


@dataclass(frozen=True)
class Parameter:
    """One searched hyperparameter, or one of the ranges of one that has several.

    Of several at most one is active in a trial. In Optuna each is a parameter of its own, as a
    study there has one distribution a name; everywhere else a trial has the hyperparameter.

    Attributes:
        key: the hyperparameter that it sets.
        distribution: the declared range or choices, the same for the whole study.
        when: active where each named hyperparameter has one of these values.
        entry: its place in the list of ranges, from 0; None where there is no list.
        default: the value it has where nobody tunes it, as the study file says; None: it says
            none.
        prior: where the study file expects it to be good; None: it says nothing.
    """

    key: str
    distribution: BaseDistribution
    when: Conditions
    entry: int | None = None
    default: ParamValue | None = None
    prior: Prior | None = None

    @property
    def name(self) -> str:
        """In Optuna: "learning_rate"; "learning_rate[0]" of a list."""
        return entry_name(self.key, self.entry)

    @property
    def path(self) -> str:
        """In [space]: "learning_rate"; "learning_rate.0" of a list."""
        return self.key if self.entry is None else f"{self.key}.{self.entry}"

    def active(self, params: Mapping[str, ParamValue]) -> bool:
        """Whether its conditions hold."""
        return all(params.get(name) in values for name, values in self.when.items())

    def values(self) -> list[ParamValue] | None:
        """All values it can take, in order; None for a range without steps."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return list(d.choices)  # type: ignore[arg-type]
        assert isinstance(d, IntDistribution | FloatDistribution)
        if d.log or d.step is None:
            return None
        steps = [d.low + i * d.step for i in range(count_values(d))]
        return [*map(int, steps)] if isinstance(d, IntDistribution) else [*map(round_float, steps)]

    @property
    def only(self) -> ParamValue | None:
        """Its value, where the distribution has one alone: samplers are not asked for it."""
        d = self.distribution
        if not d.single():
            return None
        return d.choices[0] if isinstance(d, CategoricalDistribution) else d.low  # type: ignore[attr-defined]

    def nearest(self, value: Any) -> ParamValue | None:
        """The value nearest to this one that could be drawn; None where none is like it."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            alike = (c for c in d.choices if type(c) is type(value) and c == value)
            return next(alike, None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        assert isinstance(d, IntDistribution | FloatDistribution)
        inside = min(d.high, max(d.low, value))
        fits = isinstance(d, FloatDistribution) and d.step is None
        return float(inside) if fits else from_unit(d, to_unit(d, inside))

    def n_values(self) -> int | None:
        """How many values it can take; None for numbers with fractions and no steps."""
        d = self.distribution
        if isinstance(d, IntDistribution) and d.log:
            return d.high - d.low + 1
        return None if isinstance(d, FloatDistribution) and d.step is None else count_values(d)

    @property
    def described(self) -> str:
        """What it draws, in words, and where, if not in all configurations."""
        drawn = self._drawn + self._prior_text
        if not self.when:
            return drawn
        where = (
            f"{name} = {' or '.join(map(value_text, values))}"
            for name, values in self.when.items()
        )
        return f"{drawn}, where {' and '.join(where)}"

    @property
    def _prior_text(self) -> str:
        if self.prior is None:
            return ""
        if self.prior.weights is not None:
            ratio = " : ".join(f"{weight:g}" for weight in self.prior.weights)
            return f", with the prior weights {ratio}"
        return f", with the prior {self.prior.value:g} ({self.prior.confidence} confidence)"

    @property
    def _drawn(self) -> str:
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return f"one of {', '.join(map(value_text, d.choices))}"
        assert isinstance(d, IntDistribution | FloatDistribution)
        whole = isinstance(d, IntDistribution)
        noun = "a whole number" if whole else "a number"
        step = "" if d.step is None or (whole and d.step == 1) else f" in steps of {d.step:g}"
        log = ", uniform on the log scale" if d.log else ""
        return f"{noun} from {d.low:g} to {d.high:g}{step}{log}"

    def suggest(self, trial: Asked) -> ParamValue:
        """Its value in this trial; asking again gives the same."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            chosen: ParamValue = trial.suggest_categorical(self.name, d.choices)
            return chosen
        if isinstance(d, IntDistribution):
            return trial.suggest_int(self.name, d.low, d.high, step=d.step, log=d.log)
        assert isinstance(d, FloatDistribution)
        value = trial.suggest_float(self.name, d.low, d.high, step=d.step, log=d.log)
        return min(d.high, max(d.low, round_float(value)))
