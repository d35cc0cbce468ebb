"""Mistakes of a study file: collected, not raised one by one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST = 2000  # characters of a mistake; a value that was got may be of any length


@dataclass(frozen=True)
class Mistake:
    """One thing to correct.

    Attributes:
        key: path of the key, e.g. "space.learning_rate.low"; list items by number from 0.
        message: the rule, what was got, and the nearest valid name where there is one.
    """

    key: str
    message: str

    def __str__(self) -> str:
        text = f"{self.key}: {self.message}" if self.key else self.message
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def unknown(name: object, valid: Iterable[str]) -> str:
    """The message for a name that is none of `valid`."""
    names = list(valid)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"must be one of {', '.join(names)}, got {str(name)!r}{hint}"
