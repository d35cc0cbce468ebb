"""The conditions of searched parameters: which come first, and which exclude each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import combinations

from hpsearch.errors import Problem
from hpsearch.hyperparameters import ParamValue
from hpsearch.studyfile.entries import key_path
from hpsearch.studyfile.parameter import Parameter


class Circle(ValueError):
    """Conditions lead back to where they started.

    Attributes:
        problem: at the first parameter of them.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        names = " -> ".join(parameter.name for parameter in parameters)
        key = f"{key_path(parameters[-1].path)}.when"
        self.problem = Problem(key, "must not lead back to itself", names)
        super().__init__(self.problem.statement)


def ordered(searched: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """Parents before the parameters that depend on them.

    Raises:
        Circle: there is no such order.
    """
    by_name = {parameter.name: parameter for parameter in searched}
    graph = {p.name: [one.name for one in searched if one.key in p.when] for p in searched}
    try:
        return tuple(by_name[name] for name in TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise Circle([by_name[name] for name in reversed(error.args[1])]) from error


def same_names(searched: Sequence[Parameter]) -> Iterator[Problem]:
    """Hyperparameters of a user's own that are called as Optuna calls a range of a list."""
    of_lists = {parameter.name for parameter in searched if parameter.entry is not None}
    for parameter in searched:
        if parameter.entry is None and parameter.name in of_lists:
            rule = "must have another name: in Optuna, a range of the list beside it has this name"
            yield Problem(key_path(parameter.path), rule)


def overlaps(searched: Sequence[Parameter]) -> Iterator[Problem]:
    """Ranges of one hyperparameter that might be drawn in the same trial.

    Two exclude each other where both name a parameter and share no value of it.
    """
    for one, other in combinations(searched, 2):
        if one.key == other.key and (common := _common(one, other)) is not None:
            where = " and ".join(f"{name} = {value!r}" for name, value in common.items())
            yield Problem(
                f"{key_path(other.path)}.when",
                f"must exclude {key_path(one.path)}.when: both must name a parameter, with other "
                "values of it",
                f"both where {where}" if where else "two without conditions",
            )


def _common(one: Parameter, other: Parameter) -> dict[str, ParamValue] | None:
    """Values under which both conditions hold; None where there are none."""
    found: dict[str, ParamValue] = {}
    for name in {**one.when, **other.when}:
        first, second = one.when.get(name), other.when.get(name)
        values = [v for v in first or second or () if second is None or v in second]
        if not values:
            return None
        found[name] = values[0]
    return found
