"""Reading what a study compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optuna.distributions import CategoricalDistribution

from hpsearch.errors import unknown
from hpsearch.studyfile.arms import SHOTS
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.space import Space

MOST_SHOTS = 2**31


def shots_of(entries: Mapping[str, Any]) -> list[int] | None:
    """The numbers of shots that [space] compares, or None."""
    return choices_of(entries[SHOTS]) if SHOTS in entries else None


def choices_of(entry: Any) -> list[Any]:
    """The choices of an entry of [space]; [] where it has none."""
    choices = entry.get("choices") if isinstance(entry, Mapping) else None
    return choices if isinstance(choices, list) else []


def compare_mistakes(said: Mapping[str, Any], space: Space) -> Iterator[Mistake]:
    """What is wrong with `compare` and with shots in [space]."""
    names, entries, data = said.get("compare", []), said["space"], said["data"]
    categorical = [
        p.name
        for p in space.parameters
        if isinstance(p.distribution, CategoricalDistribution) and not p.when
    ]
    valid = [*categorical, *([SHOTS] if SHOTS in entries else [])]
    for place, name in enumerate(names):
        if name not in valid:
            rule = "must name a parameter of [space] with choices and without a condition; "
            yield Mistake(f"compare.{place}", rule + unknown(name, valid))
        elif name in names[:place]:
            yield Mistake(f"compare.{place}", f"must stand once, got {name!r} again")
    if SHOTS not in entries:
        return
    if SHOTS not in names:
        rule = 'must be compared, compare = ["shots"], as each number is a data set of its own'
        yield Mistake("space.shots", rule + "; one number stands in data.shots")
    if data.get(SHOTS) is not None:
        yield Mistake("data.shots", f"must be left out where [space] has it, got {data[SHOTS]}")
    yield from _choices_mistakes(entries[SHOTS], data)


def _choices_mistakes(entry: Any, data: Mapping[str, Any]) -> Iterator[Mistake]:
    given = choices_of(entry) if isinstance(entry, Mapping) and len(entry) == 1 else []
    whole = all(type(n) is int and 1 <= n <= MOST_SHOTS for n in given)
    if not given or not whole or len(set(given)) < len(given):
        yield Mistake(
            "space.shots",
            f"must be {{ choices = [1, 3, 5] }}, different numbers from 1, got {entry!r}",
        )
        return
    split, least = data.get("split", {}), min(given)
    needed = split.get("folds", 5) if str(split.get("kind")).endswith("k-fold") else 2
    if split.get("kind") != "fixed" and least < needed:
        yield Mistake(
            "space.shots.choices",
            f"must be at least {needed} for the split inside the shots, got {least}; "
            'split = { kind = "fixed", … } takes validation images from behind them',
        )
