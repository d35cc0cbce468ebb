"""The [[enqueue]] tables of a study file: configurations that are tried first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.counts import count_of
from hpsearch.errors import Problem, unknown_name
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.tables.base import Facts, Plain

DEFAULTS = "defaults"  # of an entry: true


def wanted_in(space: Space, said: Mapping[str, Plain]) -> dict[str, Plain]:
    """What an entry wants of a space; with `defaults = true` the defaults beside what it says."""
    if not _is_of_defaults(space, said):
        return dict(said)
    return space.by_default({name: value for name, value in said.items() if name != DEFAULTS})


def _is_of_defaults(space: Space, said: Mapping[str, Plain]) -> bool:
    """Whether it says `defaults`, and means no parameter of this name."""
    return DEFAULTS in said and all(p.key != DEFAULTS for p in space.parameters)


def enqueue_problems(facts: Facts, space: Space, arms: Sequence[Arm]) -> Iterator[Problem]:
    """What is wrong with [[enqueue]]."""
    if not facts.enqueue:
        if facts.sampler == "listed":
            yield Problem("enqueue", "is missing: [[enqueue]] tables make up the list")
        return
    known = searched_here(space, facts.compare)
    if facts.sampler == "grid":
        yield Problem("enqueue", "must be left out with a grid, which has its own order")
    if facts.sampler != "coarse-to-fine":
        yield from _incomplete(facts, arms)
    if facts.sampler != "listed" and len(facts.enqueue) > facts.trials[0]:
        rule = f"must have at most the {count_of(facts.trials[0], 'trial')} of the first stage"
        yield Problem("enqueue", rule, str(len(facts.enqueue)))
    for number, said in enumerate(facts.enqueue):
        if _is_of_defaults(space, said):
            yield from _of_defaults(f"enqueue.{number}.{DEFAULTS}", said, arms)
        for name, value in said.items():
            key = f"enqueue.{number}.{name}"
            if name == DEFAULTS and _is_of_defaults(space, said):
                continue
            if name not in known:
                yield unknown_name(key, name, known, first="must be searched in [space]; ")
                continue
            drawn = [p for arm in arms if (p := active_in(arm, name, wanted_in(arm.space, said)))]
            missed = [p for p in drawn or known[name] if not contains(p.distribution, value)]
            if missed and (drawn or len(missed) == len(known[name])):
                ranges = dict.fromkeys(range_text(p.distribution) for p in missed)
                yield Problem(key, f"must lie in {' or '.join(ranges)}", repr(value))
            elif not drawn:
                yield Problem(key, "must have its condition met by the values beside it")
        if said.keys() - {DEFAULTS} <= known.keys():
            yield from _unkept(f"enqueue.{number}", said, arms)


def _of_defaults(key: str, said: Mapping[str, Plain], arms: Sequence[Arm]) -> Iterator[Problem]:
    if said[DEFAULTS] is not True:
        yield Problem(key, "must be true, or left out", repr(said[DEFAULTS]))
    elif any(not wanted_in(arm.space, said).keys() - said.keys() for arm in arms):
        hint = "as in { low = 0.0, high = 1.0, default = 0.5 }"
        yield Problem(key, "must have a parameter in [space] with a default, got none", hint=hint)


def _unkept(key: str, said: Mapping[str, Plain], arms: Sequence[Arm]) -> Iterator[Problem]:
    """A configuration that keeps a relation in no way."""
    for arm in arms:
        wanted = wanted_in(arm.space, said)
        if relation := broken_beside(arm, wanted):
            where = f" in {arm.name}" if arm.name else ""
            yield Problem(key, f"must keep the relation {relation!r}{where}", repr(dict(wanted)))
            return


def broken_beside(arm: Arm, wanted: Mapping[str, Plain]) -> str:
    """The relation that these values break in an arm, whatever is drawn beside them; or ""."""
    space = arm.space
    given = space.in_optuna({**space.fixed, **wanted})
    if not space.relations or space.keeping(0, given) is not None:
        return ""
    broken = space.broken({p.key: wanted[p.key] for p in space.parameters if p.name in given})
    return (broken or space.relations[-1]).text


def searched_here(space: Space, compare: Sequence[str]) -> dict[str, list[Parameter]]:
    """What is searched and not compared: each hyperparameter with its range, or all of a list."""
    found: dict[str, list[Parameter]] = {}
    for parameter in space.parameters:
        if parameter.key not in compare:
            found.setdefault(parameter.key, []).append(parameter)
    return found


def active_in(arm: Arm, key: str, wanted: Mapping[str, Plain]) -> Parameter | None:
    """What is drawn of a hyperparameter in an arm beside these values; None: nothing."""
    params = {**arm.space.fixed, **wanted}
    active = (p for p in arm.space.parameters if p.key == key and p.active(params))
    return next(active, None)


def _incomplete(facts: Facts, arms: Sequence[Arm]) -> Iterator[Problem]:
    """Others than our own sampler can't draw a part of a configuration; a list is not drawn."""
    rule = f"is missing: sampler.name = {facts.sampler!r} can't draw a part of a configuration"
    missing = {
        f"enqueue.{number}.{parameter.key}": arm.name
        for arm in arms
        for number, said in enumerate(facts.enqueue)
        for wanted in [wanted_in(arm.space, said)]
        for parameter in arm.space.parameters
        if parameter.key not in wanted and parameter.active({**arm.space.fixed, **wanted})
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
