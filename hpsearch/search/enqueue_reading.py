"""Reading the configurations that are tried first."""

from __future__ import annotations

from collections.abc import Iterator

from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.errors import unknown
from hpsearch.search.mistakes import Mistake
from hpsearch.search.space import Space
from hpsearch.search.study_file import Plain, StudyFile


def enqueue_mistakes(file: StudyFile, space: Space) -> Iterator[Mistake]:
    """What is wrong with [[enqueue]]."""
    if not file.enqueue:
        return
    known = {p.name: p.distribution for p in space.parameters if p.name not in file.compare}
    if file.sampler.name == "grid":
        yield Mistake("enqueue", "must be left out with a grid, which has an order of its own")
    if file.sampler.name != "coarse-to-fine":
        yield from _incomplete(file, space)
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
            elif not _contains(known[name], value):
                yield Mistake(key, f"must lie in {_text(known[name])}, got {value!r}")


def _incomplete(file: StudyFile, space: Space) -> Iterator[Mistake]:
    """Others than our own sampler can't draw a part of a configuration; a list is not drawn."""
    rule = f"is missing: sampler.name = {file.sampler.name!r} draws no part of a configuration"
    for number, wanted in enumerate(file.enqueue):
        known = {**space.fixed, **wanted}
        for parameter in space.parameters:
            compared = parameter.name in file.compare
            if not compared and parameter.name not in wanted and parameter.active(known):
                yield Mistake(f"enqueue.{number}.{parameter.name}", rule)


def _contains(distribution: BaseDistribution, value: Plain) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return any(type(c) is type(value) and c == value for c in distribution.choices)
    if isinstance(value, bool | str):
        return False
    return distribution._contains(distribution.to_internal_repr(value))


def _text(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(map(repr, distribution.choices))
    return f"{distribution.low!r} … {distribution.high!r}"  # type: ignore[attr-defined]
