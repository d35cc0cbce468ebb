"""Edge alarms: the best of a search lie at an end of a declared range, which may be too narrow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from optuna.distributions import CategoricalDistribution, IntDistribution

from hpsearch.hyperparameters import Hyperparameter, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.samplers.base import Narrowing
from hpsearch.samplers.unit import Numeric, to_unit
from hpsearch.studyfile.entries import key_path
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space
from hpsearch.trainers import trainer_kind
from hpsearch.value_texts import value_text

# Of the declared (log) range. An alarm needs the best trial within EDGE of an end and half of the
# survivors within PILE of it: where a parameter does not matter, chance does so once in 25 times
# with 3 survivors, and once in 100 with 10.
EDGE, PILE = 0.05, 0.25
ROUNDING = 1e-5  # of a range's end, as part of the range
HALVINGS = 10  # of a wider range that the hyperparameter's own rule does not allow

Side = Literal["low", "high"]
Advise = Callable[[str, str], str]  # of a range's key and its new end


def in_space(key: str, change: str) -> str:
    """What to do about an end where the study file's text is not known."""
    return f"Widen the range in [space], e.g. {change}"


@dataclass(frozen=True)
class Edge:
    """An end of a declared range at which survivors are piled up.

    Attributes:
        text: what it means and what to do, in a line.
    """

    side: Side
    text: str


def edges(
    space: Space,
    parameter: Parameter,
    found: Narrowing,
    survivors: Sequence[int],
    values: Sequence[float],
    advise: Advise = in_space,
) -> Iterator[Edge]:
    """The ends of a range that the best lie at; none that no value may lie beyond.

    Args:
        survivors: numbers of the trials, best first.
        values: theirs.
        advise: says what to do about an end.
    """
    distribution = parameter.distribution
    if isinstance(distribution, CategoricalDistribution) or distribution.single():
        return
    assert isinstance(distribution, Numeric)
    bounds: dict[Side, float] = {"low": distribution.low, "high": distribution.high}
    named = {relation.key for relation in space.relations}  # bounds that are other parameters'
    reached: dict[Side, float | None] = {"low": found.low, "high": found.high}
    for side, bound in bounds.items():
        distances = [_distance(distribution, side, value) for value in values]
        piled = sum(distance <= PILE for distance in distances)
        at_edge = distances[0] <= EDGE or values[0] == bound
        if (
            not at_edge
            or f"{key_path(parameter.path)}.{side}" in named
            or 2 * piled < len(values)
            or not _reaches(distribution, side, reached[side])
        ):
            continue
        wider = wider_end(space, parameter.key, distribution, side)
        if wider is not None:
            of_branch = "".join(f" where {k} = {value_text(v)}" for k, v in found.branch.items())
            end = "lower" if side == "low" else "upper"
            yield Edge(
                side,
                f"{parameter.name}{of_branch}: the best trial, {survivors[0]} with "
                f"{values[0]:.4g}, and {piled} of {len(values)} survivors are at the {end} end of "
                f"the declared range, {bound:g}: the optimum may be outside. "
                f"{advise(key_path(parameter.path), f'{side} = {wider:g}')}",
            )


def _reaches(distribution: Numeric, side: Side, end: float | None) -> bool:
    """Whether a narrowed range, rounded to 6 digits, still ends where the declared one does."""
    bound = distribution.low if side == "low" else distribution.high
    return end is not None and (end == bound or _distance(distribution, side, end) < ROUNDING)


def _distance(distribution: Numeric, side: Side, value: float) -> float:
    """From an end, as part of the declared (log) range."""
    place = to_unit(distribution, value)
    return place if side == "low" else 1 - place


def wider_end(space: Space, name: str, distribution: Numeric, side: Side) -> float | None:
    """An end further out that the hyperparameter's own rules allow; None where there is none.

    Ten times as far on a log scale, else by half the range, or by as much less as must be.
    """
    low, high = distribution.low, distribution.high
    whole = isinstance(distribution, IntDistribution)
    outward = math.floor if side == "low" else math.ceil
    rules = list(_rules(space, name))
    for halving in range(HALVINGS):
        part = 0.5**halving
        if distribution.log:
            end = low / 10**part if side == "low" else high * 10**part
        else:
            end = (
                (low - part * (high - low) / 2)
                if side == "low"
                else high + part * (high - low) / 2
            )
        end = outward(end) if whole else float(f"{end:.3g}")
        further = end < low if side == "low" else end > high
        if further and not any(rule.problem(end) for rule in rules):
            return end
    return None


def _rules(space: Space, name: str) -> Iterator[Hyperparameter]:
    """What the trainers and networks of a space say of a hyperparameter."""
    choices = {p.key: p.values() or [] for p in space.parameters}
    for trainer in choices.get("trainer", [space.fixed.get("trainer")]):
        kind = trainer_kind(str(trainer))
        known = {} if kind is None else kind.hyperparameters() | kind.of_tables()
        if name in known:
            yield known[name]
    for network in choices.get("network", [space.fixed.get("network")]):
        if network in NETWORKS and name in hyperparameters(NETWORKS[str(network)]):
            yield hyperparameters(NETWORKS[str(network)])[name]
