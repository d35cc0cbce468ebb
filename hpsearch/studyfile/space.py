"""The search space: what is searched, under which conditions, and what is fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpsearch.errors import Problem
from hpsearch.hyperparameters import ParamValue, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.samplers.unit import round_float
from hpsearch.trainers import trainer_kind

Conditions = Mapping[str, tuple[ParamValue, ...]]
Named = Mapping[str, Mapping[str, Any]]
MOST_CELLS = 1_000_000  # of a grid; more than that are never trained


def with_values(params: Mapping[str, ParamValue], named: Named) -> dict[str, Any]:
    """Hyperparameters with the values that named choices stand for."""
    return {
        name: named[name][value]
        if name in named and isinstance(value, str) and value in named[name]
        else value
        for name, value in params.items()
    }


class NoCells(ValueError):
    """A space is no grid.

    Attributes:
        problem: the parameter that makes it none.
    """

    def __init__(self, parameter: str, rule: str, got: str = "") -> None:
        self.problem = Problem(f"space.{parameter}", rule, got)
        super().__init__(self.problem.statement)


def _count(d: BaseDistribution) -> int:
    """How many values a distribution has; 1 for a range without steps, which has no number."""
    if isinstance(d, CategoricalDistribution):
        return len(d.choices)
    assert isinstance(d, IntDistribution | FloatDistribution)
    return 1 if d.log or d.step is None else round((d.high - d.low) / d.step) + 1


@dataclass(frozen=True)
class Parameter:
    """One searched hyperparameter.

    Attributes:
        distribution: the declared range or choices, the same for the whole study.
        when: active where each named parameter has one of these values.
    """

    name: str
    distribution: BaseDistribution
    when: Conditions

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
        steps = [d.low + i * d.step for i in range(_count(d))]
        return [*map(int, steps)] if isinstance(d, IntDistribution) else [*map(round_float, steps)]

    def n_values(self) -> int | None:
        """How many values it can take; None for numbers with fractions and no steps."""
        d = self.distribution
        if isinstance(d, IntDistribution) and d.log:
            return d.high - d.low + 1
        return None if isinstance(d, FloatDistribution) and d.step is None else _count(d)

    @property
    def described(self) -> str:
        """What it draws, in words."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return f"one of {', '.join(map(str, d.choices))}"
        assert isinstance(d, IntDistribution | FloatDistribution)
        whole = isinstance(d, IntDistribution)
        noun = "a whole number" if whole else "a number"
        step = "" if d.step is None or (whole and d.step == 1) else f" in steps of {d.step:g}"
        log = ", evenly by its logarithm" if d.log else ""
        return f"{noun} from {d.low:g} to {d.high:g}{step}{log}"

    def suggest(self, trial: optuna.Trial) -> ParamValue:
        """Its value in this trial; asking again gives the same."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return trial.suggest_categorical(self.name, d.choices)  # type: ignore[return-value]
        if isinstance(d, IntDistribution):
            return trial.suggest_int(self.name, d.low, d.high, step=d.step, log=d.log)
        assert isinstance(d, FloatDistribution)
        value = trial.suggest_float(self.name, d.low, d.high, step=d.step, log=d.log)
        return min(d.high, max(d.low, round_float(value)))


@dataclass(frozen=True)
class Space:
    """All parameters of a study, parents before the parameters that depend on them.

    Attributes:
        named: by parameter, what the names among its choices stand for: lists, tables and None,
            which no Optuna study, MLflow run or table can hold. Trials have the names.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, ParamValue]
    named: Named = field(default_factory=dict)

    def suggest(self, trial: optuna.Trial) -> dict[str, ParamValue]:
        """The complete hyperparameters of a trial: searched, fixed, and defaults of its parts."""
        params: dict[str, ParamValue] = dict(self.fixed)
        for parameter in self.parameters:
            if parameter.active(params):
                params[parameter.name] = parameter.suggest(trial)
        return self.complete(params)

    def given(self, params: Mapping[str, ParamValue]) -> dict[str, Any]:
        """What a trainer gets of a trial's params: values in place of their names."""
        return with_values(params, self.named)

    def cells(self) -> list[dict[str, ParamValue]]:
        """Every combination of the searched values, the last parameter changing fastest.

        A parameter whose condition does not hold in a combination is no part of it.

        Raises:
            NoCells: a parameter has a range without steps, or there are too many combinations.
        """
        cells: list[dict[str, ParamValue]] = [{}]
        for parameter in self.parameters:
            if len(cells) * _count(parameter.distribution) > MOST_CELLS:
                rule = f"must leave at most {MOST_CELLS} combinations"
                raise NoCells(parameter.name, rule, "more")
            values = parameter.values()
            if values is None:
                raise NoCells(parameter.name, "must have choices, or a step and no log")
            cells = [
                {**cell, **chosen}
                for cell in cells
                for chosen in (
                    [{parameter.name: value} for value in values]
                    if parameter.active({**self.fixed, **cell})
                    else [{}]
                )
            ]
        return cells

    def size(self, most: int) -> int | None:
        """How many configurations there are; None where they are no number, or more than `most`.

        Two that differ in a parameter whose condition does not hold are one.
        """
        # Parameters that others depend on are told apart by value; of the others the number does.
        asked = {name for parameter in self.parameters for name in parameter.when}
        branches: list[tuple[dict[str, ParamValue], int]] = [({**self.fixed}, 1)]
        for parameter in self.parameters:
            number = parameter.n_values()
            grown: list[tuple[dict[str, ParamValue], int]] = []
            for values, count in branches:
                if not parameter.active(values):
                    grown.append((values, count))
                elif number is None or number * count > most:
                    return None
                elif parameter.name not in asked:
                    grown.append((values, number * count))
                else:
                    chosen = parameter.values() or ()
                    grown += [({**values, parameter.name: one}, count) for one in chosen]
            branches = grown
            if sum(count for _, count in branches) > most:
                return None
        total = sum(count for _, count in branches)
        return total if total <= most else None

    def complete(self, params: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """With the defaults of the trainer and network, without what they don't take.

        An estimator's arguments that the study does not name are left to its own defaults.
        """
        kind = trainer_kind(str(params["trainer"]))
        assert kind is not None
        if kind.open:
            return dict(params)
        described = kind.hyperparameters()
        whole: dict[str, ParamValue] = {"trainer": params["trainer"]}
        if kind.trainer.uses_network:
            whole["network"] = params["network"]
            described |= hyperparameters(NETWORKS[str(params["network"])])
        for name, h in described.items():
            value = params.get(name, h.default)
            if h.exists(whole) and value is not None:
                whole[name] = value
        return whole

    def searched(self, params: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """Those of a trial's params that were searched."""
        return {
            p.name: params[p.name]
            for p in self.parameters
            if p.name in params and p.active(params)
        }
