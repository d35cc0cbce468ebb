"""What a study file says in [space], as it stands there: nothing of it is checked yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hpsearch.errors import StudyFileError
from hpsearch.preparation.settings import PREFIX
from hpsearch.trainers import TrainerKind, trainer_kind

NONE = "none"  # TOML has no None
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")  # a table's key


def key_path(path: str) -> str:
    """Where a hyperparameter or a range of its list stands: in [prepare], or else [space]."""
    return path if path.startswith(PREFIX) else f"space.{path}"


@dataclass(frozen=True)
class Entry:
    """What [space] says of a hyperparameter, or one of the ranges of a list.

    Attributes:
        key: the hyperparameter.
        place: in the list; None where there is none.
        said: a table, or a plain value.
    """

    key: str
    place: int | None
    said: Any

    @property
    def path(self) -> str:
        """Where it stands in the file."""
        path = key_path(self.key)
        return path if self.place is None else f"{path}.{self.place}"

    @property
    def choices(self) -> list[Any] | None:
        """Its choices, of named ones the names; None where it has none."""
        choices = self.said.get("choices") if isinstance(self.said, Mapping) else None
        return list(choices) if isinstance(choices, list | Mapping) else None


def entries_of(said: Mapping[str, Any]) -> dict[str, list[Entry]]:
    """All of [space] by hyperparameter; the ranges of a list each by itself."""
    return {
        key: [Entry(key, place, one) for place, one in enumerate(entry)]
        if isinstance(entry, list)
        else [Entry(key, None, entry)]
        for key, entry in said.items()
    }


def trainer_names(entries: Mapping[str, Any]) -> list[Any] | None:
    """What [space] names as trainers; None where it does so in no valid form."""
    entry = entries.get("trainer")
    if isinstance(entry, list):
        return None
    names = entry.get("choices") if isinstance(entry, Mapping) else [entry]
    return names if isinstance(names, list) else None


def trainers_of(entries: Mapping[str, Any]) -> dict[str, TrainerKind]:
    """The trainers of [space] that there are, by name."""
    found: dict[str, TrainerKind] = {}
    for name in trainer_names(entries) or []:
        with suppress(StudyFileError):
            kind = trainer_kind(name) if isinstance(name, str) else None
            found |= {name: kind} if kind else {}
    return found


def named_choices(entries: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The choices of [space] that have names, as the file says them, by hyperparameter."""
    found: dict[str, dict[str, Any]] = {}
    for name, entry in entries.items():
        for one in entry if isinstance(entry, list) else [entry]:
            choices = one.get("choices") if isinstance(one, Mapping) else None
            if isinstance(choices, Mapping):
                found[name] = {**found.get(name, {}), **choices}
    return found


def meant(said: Any) -> Any:
    """What the value of a named choice stands for: "none" for None; in tables keys of digits are
    whole numbers, such as classes in { 0 = 10, 1 = 1 }."""
    return None if said == NONE else _with_numbers(said)


def _with_numbers(said: Any) -> Any:
    if isinstance(said, list):
        return [_with_numbers(one) for one in said]
    if isinstance(said, Mapping):
        return {
            int(key) if WHOLE.fullmatch(key) else key: _with_numbers(one)
            for key, one in said.items()
        }
    return said
