"""What a study file compares: `compare`, and the numbers of shots in [space]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optuna.distributions import CategoricalDistribution

from hpsearch.datasets.split_kinds import Fixed
from hpsearch.errors import Problem, unknown_name
from hpsearch.studyfile.arms import SHOTS
from hpsearch.studyfile.entries import key_path
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.tables.data import Data

MOST_SHOTS = 2**31


def shots_of(entries: Mapping[str, Any]) -> list[int] | None:
    """The numbers of shots that [space] compares, or None."""
    return choices_of(entries[SHOTS]) if SHOTS in entries else None


def choices_of(entry: Any) -> list[Any]:
    """The choices of an entry of [space], of named ones the names; [] where it has none."""
    choices = entry.get("choices") if isinstance(entry, Mapping) else None
    return list(choices) if isinstance(choices, list | Mapping) else []


def compare_problems(
    compare: Sequence[str], entries: Mapping[str, Any], space: Space, data: Data | None
) -> Iterator[Problem]:
    """What is wrong with `compare` and with shots in [space].

    Args:
        entries: [space], as the file says.
        data: None where the file has no such table.
    """
    categorical = [
        p.name
        for p in space.parameters
        if isinstance(p.distribution, CategoricalDistribution) and not p.when
    ]
    valid = [*categorical, *([SHOTS] if SHOTS in entries else [])]
    for place, name in enumerate(compare):
        if name not in valid:
            rule = "must name a parameter of [space] with choices and without a condition; "
            yield unknown_name(f"compare.{place}", name, valid, first=rule)
        elif name in compare[:place]:
            yield Problem(f"compare.{place}", "must not be repeated", f"{name!r} again")
    for parameter in space.parameters:
        if parameter.key in compare and parameter.prior is not None:
            key = f"{key_path(parameter.path)}.weights"
            yield Problem(key, "must be left out: every choice that is compared gets its search")
    if SHOTS not in entries:
        return
    if data is None:
        hint = "use another name: the program's own name for it is in its command"
        yield Problem("space.shots", "must be in a study with [data]", hint=hint)
        return
    if SHOTS not in compare:
        rule = (
            'must be compared, compare = ["shots"], because each number makes a separate data set'
        )
        yield Problem("space.shots", rule + "; write a single number as data.shots")
    if data.shots is not None:
        rule = "must be left out where [space] has it"
        yield Problem("data.shots", rule, str(data.shots))
    yield from _choices_problems(entries[SHOTS], data)


def _choices_problems(entry: Any, data: Data) -> Iterator[Problem]:
    given = choices_of(entry) if isinstance(entry, Mapping) and len(entry) == 1 else []
    whole = all(type(n) is int and 1 <= n <= MOST_SHOTS for n in given)
    if not given or not whole or len(set(given)) < len(given):
        rule = "must be { choices = [1, 3, 5] }, different numbers from 1"
        yield Problem("space.shots", rule, repr(entry))
        return
    least, needed = min(given), data.split.made().least_shots
    if least < needed:
        yield Problem(
            "space.shots.choices",
            f"must be at least {needed} for the split inside the shots",
            str(least),
            f'split = {{ kind = "{Fixed.kind}", … }} takes validation images from after them',
        )
