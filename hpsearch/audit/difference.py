"""One thing that is not as the records say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Difference:
    """What was found, and what becomes of it.

    Attributes:
        place: which store, or "host" for what surrounds them.
        subject: the run, trial, file or setting.
        problem: what must hold, and what was found.
        remedy: what a repair does, or, where none can be made, what to do.
        repairable: whether `doctor --repair` can.
        kind: the same for all that are told together; "": those with the same problem are.
    """

    place: Literal["records", "Optuna", "MLflow", "host"]
    subject: str
    problem: str
    remedy: str
    repairable: bool = True
    kind: str = ""
