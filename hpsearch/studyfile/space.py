"""The search space: what is searched, under which conditions, and what is fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from hpsearch.hyperparameters import Hyperparameter, ParamValue, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.samplers.unit import round_float
from hpsearch.studyfile.entries import key_path
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
        self.problem = Problem(key_path(parameter), rule, got)
        super().__init__(self.problem.statement)


def _count(d: BaseDistribution) -> int:
    """How many values a distribution has; 1 for a range without steps, which has no number."""
    if isinstance(d, CategoricalDistribution):
        return len(d.choices)
    assert isinstance(d, IntDistribution | FloatDistribution)
    return 1 if d.log or d.step is None else round((d.high - d.low) / d.step) + 1


def entry_name(key: str, entry: int | None) -> str:
    """What Optuna calls a hyperparameter, or an entry of the list of ranges that it has."""
    return key if entry is None else f"{key}[{entry}]"


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
    """

    key: str
    distribution: BaseDistribution
    when: Conditions
    entry: int | None = None
    default: ParamValue | None = None

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
        """What it draws, in words, and of an entry of a list where."""
        if self.entry is None:
            return self._drawn
        where = (f"{name} = {' or '.join(map(str, values))}" for name, values in self.when.items())
        return f"{self._drawn}, where {' and '.join(where)}"

    @property
    def _drawn(self) -> str:
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
        prepared: the data is a table whose columns are prepared for the trainers.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, ParamValue]
    named: Named = field(default_factory=dict)
    prepared: bool = False

    def suggest(self, trial: optuna.Trial) -> dict[str, ParamValue]:
        """The complete hyperparameters of a trial: searched, fixed, and defaults of its parts."""
        params: dict[str, ParamValue] = dict(self.fixed)
        for parameter in self.parameters:
            if parameter.active(params):
                params[parameter.key] = parameter.suggest(trial)
        return self.complete(params)

    def given(self, params: Mapping[str, ParamValue]) -> dict[str, Any]:
        """What a trainer gets of a trial's params: values in place of their names."""
        return with_values(params, self.named)

    def cells(self) -> list[dict[str, ParamValue]]:
        """Every combination of the searched values, the last parameter changing fastest, by
        their names in Optuna.

        A parameter whose condition does not hold in a combination is no part of it.

        Raises:
            NoCells: a parameter has a range without steps, or there are too many combinations.
        """
        cells: list[dict[str, ParamValue]] = [{}]
        for parameter in self.parameters:
            if len(cells) * _count(parameter.distribution) > MOST_CELLS:
                rule = f"must leave at most {MOST_CELLS} combinations"
                raise NoCells(parameter.path, rule, "more")
            values = parameter.values()
            if values is None:
                raise NoCells(parameter.path, "must have choices, or a step and no log")
            cells = [
                {**cell, **chosen}
                for cell in cells
                for chosen in (
                    [{parameter.key: value} for value in values]
                    if parameter.active({**self.fixed, **cell})
                    else [{}]
                )
            ]
        if all(parameter.entry is None for parameter in self.parameters):
            return cells
        return [self.in_optuna({**self.fixed, **cell}) for cell in cells]

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
                elif parameter.key not in asked:
                    grown.append((values, number * count))
                else:
                    chosen = parameter.values() or ()
                    grown += [({**values, parameter.key: one}, count) for one in chosen]
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
        whole: dict[str, ParamValue] = {"trainer": params["trainer"]}
        if kind.trainer.uses_network:
            whole["network"] = params["network"]
        for name, h in self._described(params).items():
            value = params.get(name, h.default)
            if h.exists(whole) and value is not None:
                whole[name] = value
        return whole

    def defaults(self) -> tuple[dict[str, ParamValue], list[str]]:
        """The configuration that nobody tuned, and what has no default: then there is none.

        Of what is searched the values that the study file names as defaults, else those of the
        trainer and network, and of `trainer` the first choice. What an estimator's constructor
        has a default for is left out, as where a study does not name it. What is fixed stays.
        """
        params: dict[str, ParamValue] = dict(self.fixed)
        unknown: list[str] = []
        for parameter in self.parameters:
            if not parameter.active(params):
                continue
            if parameter.default is not None:
                params[parameter.key] = parameter.default
            elif parameter.key == "trainer":
                params["trainer"] = (parameter.values() or [""])[0]
            elif (described := self._described(params).get(parameter.key)) is None:
                unknown.append(key_path(parameter.path))
            elif described.default is not None:
                params[parameter.key] = described.default
        return (params if unknown else self.complete(params)), unknown

    def _described(self, params: Mapping[str, ParamValue]) -> dict[str, Hyperparameter]:
        """All that its trainer and network describe, by name."""
        kind = trainer_kind(str(params["trainer"]))
        assert kind is not None
        described = kind.hyperparameters() | (kind.of_tables() if self.prepared else {})
        if kind.trainer.uses_network:
            described |= hyperparameters(NETWORKS[str(params["network"])])
        return described

    def searched(self, params: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """Those of a trial's params that were searched."""
        return {p.key: params[p.key] for p in self._drawn(params)}

    def in_optuna(self, params: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """The same by their names in Optuna."""
        return {p.name: params[p.key] for p in self._drawn(params)}

    def _drawn(self, params: Mapping[str, ParamValue]) -> Iterator[Parameter]:
        return (p for p in self.parameters if p.key in params and p.active(params))
