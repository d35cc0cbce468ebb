"""The search space: what is searched, under which conditions, and what is fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from optuna.distributions import IntDistribution

from hpsearch.errors import Problem, StudyFileError
from hpsearch.hyperparameters import Hyperparameter, ParamValue, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.samplers.coarse_to_fine.priors import Prior
from hpsearch.samplers.related import PlacedTrial, Relations
from hpsearch.samplers.unit import Floats
from hpsearch.studyfile.entries import key_path
from hpsearch.studyfile.parameter import Asked, Parameter, count_values, values_at
from hpsearch.studyfile.relations.relation import Relation
from hpsearch.studyfile.relations.table import Table, Truths
from hpsearch.trainers import trainer_kind
from hpsearch.trainers.estimator import EstimatorTrainer, find_estimator

Named = Mapping[str, Mapping[str, Any]]
MOST_CELLS = 1_000_000  # of a grid; more than that are never trained
MOST_COUNTED = 50_000  # configurations that are looked at for those that keep the relations
BLOCKS = (64, 1_024, 65_536)  # drawn uniformly to find one that keeps them: .2 s at most


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


@dataclass(frozen=True)
class Space:
    """All parameters of a study, parents before the parameters that depend on them.

    Attributes:
        named: by parameter, what the names among its choices stand for: lists, tables and None,
            which no Optuna study, MLflow run or table can hold. Trials have the names.
        prepared: the data is a table whose columns are prepared for the trainers.
        relations: what the parameters of every configuration keep.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, ParamValue]
    named: Named = field(default_factory=dict)
    prepared: bool = False
    relations: tuple[Relation, ...] = ()

    def suggest(self, trial: Asked) -> dict[str, ParamValue]:
        """The complete hyperparameters of a trial: searched, fixed, and defaults of its parts."""
        return self.complete(self._suggested(trial))

    def _suggested(self, trial: Asked) -> dict[str, ParamValue]:
        params: dict[str, ParamValue] = dict(self.fixed)
        for parameter in self.parameters:
            if parameter.active(params):
                params[parameter.key] = parameter.suggest(trial)
        return params

    def with_relations(self, relations: Sequence[Relation]) -> Space:
        """The same with these relations and no others."""
        return replace(self, relations=tuple(relations))

    def broken(self, params: Mapping[str, ParamValue]) -> Relation | None:
        """The first relation that a configuration, or what there is of one, does not keep."""
        whole = {**self.fixed, **params}
        return next((r for r in self.relations if not r.holds(whole)), None)

    def keeping(
        self, seed: int | np.random.Generator, given: Mapping[str, ParamValue] | None = None
    ) -> dict[str, ParamValue] | None:
        """A configuration drawn uniformly among those that keep all relations, without defaults.

        Args:
            given: values that it has, by their names in Optuna.

        Returns:
            None where there is none, or where it is so rare that none was found.
        """
        return next(self._drawn_kept(np.random.default_rng(seed), given or {}), None)

    def _drawn_kept(
        self, rng: np.random.Generator, given: Mapping[str, ParamValue]
    ) -> Iterator[dict[str, ParamValue]]:
        """Configurations that keep all relations, as many as are found."""
        every = self._all_kept
        if every is not None:
            left = [params for params in every if self._has(params, given)] if given else every
            while left:
                yield {**self.fixed, **left[int(rng.integers(len(left)))]}
        for n in BLOCKS if every is None else ():
            places = {parameter.name: rng.random(n) for parameter in self.parameters}
            for row in np.flatnonzero(self._kept_at(places, n, given)):
                there = {name: float(place[row]) for name, place in places.items()}
                params = self._suggested(PlacedTrial(given, there))
                if self.broken(params) is None:
                    yield params

    def _kept_at(
        self, places: Mapping[str, Floats], n: int, given: Mapping[str, ParamValue]
    ) -> Truths:
        """Which of `n` configurations at these places of the full ranges keep all relations."""
        table = self._table(n)
        for parameter in self.parameters:
            active, d = self._active(parameter, table), parameter.distribution
            if parameter.name in given:
                column = table.constant(given[parameter.name]).take(active)
            else:
                column = table.drawn(d, values_at(d, places[parameter.name][active]))
            table.put(parameter.key, column, active)
        return self._kept(table)

    def _table(self, n: int) -> Table:
        """`n` configurations that have what is fixed."""
        table = Table(n)
        for name, value in self.fixed.items():
            table.put(name, table.constant(value), np.ones(n, bool))
        return table

    def _active(self, parameter: Parameter, table: Table) -> Truths:
        """Which configurations have a parameter."""
        active = np.ones(table.n, bool)
        for name, values in parameter.when.items():
            active &= table.among(name, values)
        return active

    def _kept(self, table: Table) -> Truths:
        kept = np.ones(table.n, bool)
        for relation in self.relations:
            kept &= relation.kept(table)
        return kept

    def _has(self, params: Mapping[str, ParamValue], wanted: Mapping[str, ParamValue]) -> bool:
        return wanted.items() <= self.in_optuna({**self.fixed, **params}).items()

    @property
    def priors(self) -> dict[str, Prior]:
        """Where parameters are expected to be good, by their names in Optuna."""
        return {p.name: p.prior for p in self.parameters if p.prior is not None}

    @cached_property
    def for_samplers(self) -> Relations | None:
        """The relations as samplers are told of them; None where there are none."""
        if not self.relations:
            return None
        return Relations(self._hold_in_optuna, self._hold_all_in_optuna, self._draw_in_optuna)

    def _hold_in_optuna(self, named: Mapping[str, Any]) -> bool:
        params: dict[str, ParamValue] = dict(self.fixed)
        for parameter in self.parameters:
            value = named.get(parameter.name, parameter.only)
            if value is not None and parameter.active(params):
                params[parameter.key] = value
        return self.broken(params) is None

    def _hold_all_in_optuna(self, columns: Mapping[str, Floats]) -> Truths:
        n = len(next(iter(columns.values())))
        table = self._table(n)
        for parameter in self.parameters:
            active, d = self._active(parameter, table), parameter.distribution
            if parameter.name in columns:
                values = columns[parameter.name]
                active &= ~np.isnan(values)
                table.put(parameter.key, table.drawn(d, values[active]), active)
            elif parameter.only is not None:
                table.put(parameter.key, table.constant(parameter.only).take(active), active)
        return self._kept(table)

    def _draw_in_optuna(self, rng: np.random.Generator, most: int) -> list[dict[str, Any]]:
        found = [*islice(self._drawn_kept(rng, {}), most)] or [self.kept(rng)]
        return [self.in_optuna(params) for params in found]

    def kept(
        self, rng: np.random.Generator, given: Mapping[str, ParamValue] | None = None
    ) -> dict[str, ParamValue]:
        """As `keeping`.

        Raises:
            StudyFileError: none was found.
        """
        params = self.keeping(rng, given)
        if params is None:
            rules = " and ".join(repr(relation.text) for relation in self.relations)
            raise StudyFileError(
                f"relations must leave enough to draw, but none of {sum(BLOCKS)} random "
                f"configurations satisfies {rules}: narrow the ranges to values for which they "
                "hold"
            )
        return params

    @cached_property
    def _all_kept(self) -> list[dict[str, ParamValue]] | None:
        """Every configuration that keeps the relations; None where they are too many to look."""
        if not self.relations or self._size(MOST_COUNTED) is None:
            return None
        cells: list[dict[str, ParamValue]] = [{}]
        for parameter in self.parameters:
            d, values = parameter.distribution, parameter.values()
            if values is None:
                assert isinstance(d, IntDistribution)  # by its logarithm
                values = [*range(d.low, d.high + 1)]
            cells = self._crossed(cells, parameter, values)
        return cells

    def _crossed(
        self,
        cells: Sequence[dict[str, ParamValue]],
        parameter: Parameter,
        values: Sequence[ParamValue],
    ) -> list[dict[str, ParamValue]]:
        """Combinations with every value of one parameter more, those that keep the relations."""
        grown = [
            {**cell, **chosen}
            for cell in cells
            for chosen in (
                [{parameter.key: value} for value in values]
                if parameter.active({**self.fixed, **cell})
                else [{}]
            )
        ]
        decided = [one for one in self.relations if parameter.key in one.names]
        if not decided:
            return grown
        names = {name for relation in decided for name in relation.names}
        fixed = {name: self.fixed[name] for name in names & self.fixed.keys()}
        table = Table.of([{**fixed, **cell} for cell in grown], names)
        kept = np.logical_and.reduce([relation.kept(table) for relation in decided])
        return [cell for cell, good in zip(grown, kept, strict=True) if good]

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
            if len(cells) * count_values(parameter.distribution) > MOST_CELLS:
                rule = f"must leave at most {MOST_CELLS} combinations"
                raise NoCells(parameter.path, rule, "more")
            values = parameter.values()
            if values is None:
                raise NoCells(parameter.path, "must have choices, or a step and no log")
            cells = self._crossed(cells, parameter, values)
        if all(parameter.entry is None for parameter in self.parameters):
            return cells
        return [self.in_optuna({**self.fixed, **cell}) for cell in cells]

    def size(self, most: int) -> int | None:
        """How many configurations there are; None where they are no number, or more than `most`.

        Two that differ in a parameter whose condition does not hold are one. Where there are
        relations, those that keep them count, if all are few enough to look at.
        """
        if not self.relations:
            return self._size(most)
        every = self._all_kept
        return len(every) if every is not None and len(every) <= most else None

    def _size(self, most: int) -> int | None:
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

    def by_default(self, given: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """Searched values: those given, and the defaults of others as near as their ranges allow.

        What has no default, or one like none of its choices, is left out.
        """
        params: dict[str, ParamValue] = dict(self.fixed)
        for parameter in self.parameters:
            if parameter.active(params):
                value = parameter.nearest(given.get(parameter.key))
                if value is None:  # what is wrong with those given is said elsewhere
                    value = parameter.nearest(self._default(parameter, params))
                params |= {} if value is None else {parameter.key: value}
        return {**self.searched(params), **given}

    def _default(self, parameter: Parameter, params: Mapping[str, ParamValue]) -> Any:
        """What a parameter is where nobody says it; None: not known, or None itself."""
        if parameter.default is not None:
            return parameter.default
        if parameter.key == "trainer":
            return next(iter(parameter.values() or ()), None)
        described = self._described(params).get(parameter.key)
        if described is not None and described.default is not None:
            return described.default
        trainer = str(params["trainer"])
        kind = trainer_kind(trainer)
        if kind is None or not issubclass(kind.trainer, EstimatorTrainer):
            return None
        return find_estimator(trainer).arguments.get(parameter.key)

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
