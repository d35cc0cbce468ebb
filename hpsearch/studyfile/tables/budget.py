"""The [budget] table of a study file: its schema, and what loosens it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pydantic import Field

from hpsearch.studyfile.tables.base import Table

MOST_EPOCHS = 10**12  # more is a slip of the keyboard


class Budget(Table):
    """What ends a search before all trials of its stages are drawn; each arm has it anew.

    Runs on fresh seeds and the test come on top of it: whatever ends the search, its best trials
    are confirmed and tested as usual.
    """

    epochs: int | None = Field(
        default=None,
        ge=1,
        le=MOST_EPOCHS,
        description="epochs of all members in the search, claimed before a batch starts, so that "
        "they are never overshot; left out: as many as the stages take",
    )
    seconds: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="wall clock of the search over all its starts; no batch begins that, at the "
        "pace so far, would end after it. What it cuts is not repeatable; left out: no limit",
    )
    plateau: int | None = Field(
        default=None,
        ge=1,
        description="a stage draws no more once so many new trials in a row have not improved "
        "its best score; left out: never",
    )
    plateau_improvement: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="by more than this a score must be better to count as improved; 0: by "
        "anything. Set it to what is too small to matter",
    )
    target: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="the search ends once a trial of the last stage has this score; left out: "
        "never",
    )
    failures: int = Field(
        default=10,
        ge=1,
        description="failed trials in a row that end the study: a mistake in the code or the "
        "machine rather than bad luck",
    )

    @property
    def watched(self) -> bool:
        """Whether something of it is asked before every batch."""
        return any(
            limit is not None for limit in (self.epochs, self.seconds, self.plateau, self.target)
        )


def tightened(before: Budget, now: Budget, direction: str) -> Iterator[str]:
    """What trials may already be beyond: only a wider budget continues a study."""
    for name in ("epochs", "seconds", "plateau"):
        old, new = getattr(before, name), getattr(now, name)
        if new is not None and (old is None or new < old):
            rule = "stay left out" if old is None else f"be at least the {old} there was"
            yield f"budget.{name} must {rule}, got {new}"
    sign = 1 if direction == "maximize" else -1
    old, new = (math.inf if b.target is None else sign * b.target for b in (before, now))
    if new < old:
        yield f"budget.target must not be easier to reach than before, got {now.target}"
    if now.plateau is not None and now.plateau_improvement > before.plateau_improvement:
        yield (
            "budget.plateau_improvement must be at most the "
            f"{before.plateau_improvement} there was, got {now.plateau_improvement}"
        )
