"""Bounds of a range that name another parameter: high = "hidden1"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpsearch.errors import Problem, unknown_name
from hpsearch.studyfile.entries import Entry, entries_of
from hpsearch.studyfile.relations.relation import Relation, bound

SIDES = {"low": min, "high": max}


class Bounds:
    """The named bounds of [space] as numbers, and as the relations that they say.

    The range that is declared reaches as far as the other parameter does: to its least value for
    `low`, to its largest for `high`.

    Attributes:
        entries: of [space], with numbers in place of the names.
        relations: one a named bound.
        problems: names that stand for no numbers.
    """

    def __init__(self, entries: Mapping[str, Any], network: Mapping[str, Any]) -> None:
        self._said = {**{k: v for k, v in network.items() if k != "name"}, **entries}
        self._entries = entries_of(self._said)
        self.relations: list[Relation] = []
        self.problems: list[Problem] = []
        self.entries = {
            key: [self._resolved(Entry(key, i, one)) for i, one in enumerate(entry)]
            if isinstance(entry, list)
            else self._resolved(Entry(key, None, entry))
            for key, entry in entries.items()
        }

    def _resolved(self, entry: Entry) -> Any:
        if not isinstance(entry.said, Mapping) or "choices" in entry.said:
            return entry.said
        found = dict(entry.said)
        for side in SIDES:
            name = found.get(side)
            if not isinstance(name, str) or is_number(name):
                continue
            place = f"{entry.path}.{side}"
            try:
                number = self._reach(name, side, (entry.key,))
            except _Circle as circle:
                self.problems.append(Problem(place, "must not lead back to itself", str(circle)))
                continue
            if number is None:
                known = [k for k in self._entries if k != entry.key and self._has(k, side)]
                first = "must be a finite number or the name of a numeric parameter; a name "
                self.problems.append(unknown_name(place, name, known, first=first))
                continue
            found[side] = number
            self.relations.append(bound(entry.key, side, name, place, _when(entry)))
        return found

    def _has(self, name: str, side: str) -> bool:
        try:
            return self._reach(name, side, ()) is not None
        except _Circle:
            return False

    def _reach(self, name: str, side: str, before: tuple[str, ...]) -> Any:
        """The least or largest value that a parameter can have; None where it has no numbers."""
        if name in before:
            raise _Circle(" -> ".join((*before, name)))
        ends = [self._end(one, side, (*before, name)) for one in self._entries.get(name, ())]
        return SIDES[side](ends) if ends and None not in ends else None

    def _end(self, entry: Entry, side: str, before: tuple[str, ...]) -> Any:
        said = entry.said
        if isinstance(said, Mapping) and "choices" not in said:
            end = said.get(side)
            if isinstance(end, str) and not is_number(end):
                return self._reach(end, side, before)
            return _numbers([end])
        return _numbers(entry.choices if entry.choices is not None else [said], side)


def _when(entry: Entry) -> dict[str, list[Any]]:
    """For which values of others one of several entries is the one that holds."""
    said = entry.said.get("when")
    if entry.place is None or not isinstance(said, Mapping):
        return {}
    return {name: v if isinstance(v, list) else [v] for name, v in said.items()}


class _Circle(ValueError):
    """Bounds name each other."""


def is_number(text: str) -> bool:
    """Whether a text would be a number without its quotes."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(values: list[Any], side: str = "low") -> Any:
    """The least or largest of numbers; None where one is none."""
    plain = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return SIDES[side](values) if values and plain else None
