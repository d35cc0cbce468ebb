"""Mistakes of a study file: collected, not raised one by one."""

from __future__ import annotations

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
