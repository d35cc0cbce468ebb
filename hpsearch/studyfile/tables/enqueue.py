"""Reading the configurations that are tried first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.errors import unknown
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.study_file import Plain, StudyFile


def enqueue_mistakes(file: StudyFile, space: Space, arms: Sequence[Arm]) -> Iterator[Mistake]:
    """What is wrong with [[enqueue]]."""
    if not file.enqueue:
        if file.sampler.name == "listed":
            yield Mistake("enqueue", "is missing: a list is what [[enqueue]] tables say")
        return
    known = {p.name: p.distribution for p in space.parameters if p.name not in file.compare}
    if file.sampler.name == "grid":
        yield Mistake("enqueue", "must be left out with a grid, which has an order of its own")
    if file.sampler.name != "coarse-to-fine":
        yield from _incomplete(file, arms)
    if file.sampler.name != "listed" and len(file.enqueue) > file.stages[0].trials:
        yield Mistake(
            "enqueue",
            f"must have at most the {file.stages[0].trials} trials of the first stage, "
            f"got {len(file.enqueue)}",
        )
    for number, wanted in enumerate(file.enqueue):
        for name, value in wanted.items():
            key = f"enqueue.{number}.{name}"
            if name not in known:
                yield Mistake(key, "must be searched in [space]; " + unknown(name, known))
            elif not contains(known[name], value):
                yield Mistake(key, f"must lie in {range_text(known[name])}, got {value!r}")
            elif not any(active_in(arm, name, wanted) for arm in arms):
                yield Mistake(key, "must have its condition met by the values beside it")


def active_in(arm: Arm, name: str, wanted: Mapping[str, Plain]) -> bool:
    """Whether a parameter exists in an arm beside these values."""
    (parameter,) = [p for p in arm.space.parameters if p.name == name]
    return parameter.active({**arm.space.fixed, **wanted})


def _incomplete(file: StudyFile, arms: Sequence[Arm]) -> Iterator[Mistake]:
    """Others than our own sampler can't draw a part of a configuration; a list is not drawn."""
    rule = f"is missing: sampler.name = {file.sampler.name!r} draws no part of a configuration"
    missing = {
        f"enqueue.{number}.{parameter.name}": arm.name
        for arm in arms
        for number, wanted in enumerate(file.enqueue)
        for parameter in arm.space.parameters
        if parameter.name not in wanted and parameter.active({**arm.space.fixed, **wanted})
    }
    for key, arm_name in missing.items():
        yield Mistake(key, rule + (f" ({arm_name} has it)" if arm_name else ""))


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
