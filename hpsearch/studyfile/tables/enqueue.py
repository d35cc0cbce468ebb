"""The [[enqueue]] tables of a study file: configurations that are tried first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.errors import Problem, unknown_name
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.tables.base import Facts, Plain


def enqueue_problems(facts: Facts, space: Space, arms: Sequence[Arm]) -> Iterator[Problem]:
    """What is wrong with [[enqueue]]."""
    if not facts.enqueue:
        if facts.sampler == "listed":
            yield Problem("enqueue", "is missing: a list is what [[enqueue]] tables say")
        return
    known = {p.name: p.distribution for p in space.parameters if p.name not in facts.compare}
    if facts.sampler == "grid":
        yield Problem("enqueue", "must be left out with a grid, which has an order of its own")
    if facts.sampler != "coarse-to-fine":
        yield from _incomplete(facts, arms)
    if facts.sampler != "listed" and len(facts.enqueue) > facts.trials[0]:
        rule = f"must have at most the {facts.trials[0]} trials of the first stage"
        yield Problem("enqueue", rule, str(len(facts.enqueue)))
    for number, wanted in enumerate(facts.enqueue):
        for name, value in wanted.items():
            key = f"enqueue.{number}.{name}"
            if name not in known:
                yield unknown_name(key, name, known, first="must be searched in [space]; ")
            elif not contains(known[name], value):
                yield Problem(key, f"must lie in {range_text(known[name])}", repr(value))
            elif not any(active_in(arm, name, wanted) for arm in arms):
                yield Problem(key, "must have its condition met by the values beside it")


def active_in(arm: Arm, name: str, wanted: Mapping[str, Plain]) -> bool:
    """Whether a parameter exists in an arm beside these values."""
    (parameter,) = [p for p in arm.space.parameters if p.name == name]
    return parameter.active({**arm.space.fixed, **wanted})


def _incomplete(facts: Facts, arms: Sequence[Arm]) -> Iterator[Problem]:
    """Others than our own sampler can't draw a part of a configuration; a list is not drawn."""
    rule = f"is missing: sampler.name = {facts.sampler!r} draws no part of a configuration"
    missing = {
        f"enqueue.{number}.{parameter.name}": arm.name
        for arm in arms
        for number, wanted in enumerate(facts.enqueue)
        for parameter in arm.space.parameters
        if parameter.name not in wanted and parameter.active({**arm.space.fixed, **wanted})
    }
    for key, arm_name in missing.items():
        yield Problem(key, rule + (f" ({arm_name} has it)" if arm_name else ""))


def contains(distribution: BaseDistribution, value: Plain) -> bool:
    """Whether a value as a study file says it could be drawn."""
    if isinstance(distribution, CategoricalDistribution):
        return any(type(c) is type(value) and c == value for c in distribution.choices)
    if isinstance(value, bool | str):
        return False
    try:
        return distribution._contains(distribution.to_internal_repr(value))
    except ValueError:  # nothing below 0 on a log scale, and no NaN
        return False


def range_text(distribution: BaseDistribution) -> str:
    """A range or choices, for people."""
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(map(repr, distribution.choices))
    return f"{distribution.low!r} … {distribution.high!r}"  # type: ignore[attr-defined]
