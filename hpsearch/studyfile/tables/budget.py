"""The [budget] table of a study file."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Self

from pydantic import Field

from hpsearch.counts import count_of
from hpsearch.errors import Problem
from hpsearch.studyfile.tables.base import Facts, Table

MOST_EPOCHS = 10**12  # more is a slip of the keyboard


class Budget(Table):
    """What ends a search before all trials of its stages are drawn; it applies to each case.

    Runs on fresh seeds and the test come on top of all but `total_seconds`: whatever ends the
    search, its best trials are confirmed and tested. Where the file leaves the numbers of
    [confirmation] out, these train no longer than the search did.
    """

    epochs: int | None = Field(
        default=None,
        ge=1,
        le=MOST_EPOCHS,
        description="epochs of the search, summed over all trainings and reserved before a batch "
        "starts, so that they are never exceeded; default: as many as the stages take",
    )
    seconds: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="wall-clock time of the search over all its starts; no batch starts that "
        "would end later at the pace so far. Where it ends the search is not reproducible; "
        "default: no limit",
    )
    total_seconds: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="wall-clock time of the search, the confirmation and the test together, over "
        "all starts. The search ends when the rest is needed for the others, of which at most "
        "half is kept; the numbers of [confirmation] are then the most, and fewer repeats or "
        "configurations are run where the time needs it. A stage draws no more once its share of "
        "the search's time is used, which is that of its epochs. In a comparison it applies to "
        "each case, and all of [confirmation] is run. Not reproducible; default: no limit",
    )
    plateau: int | None = Field(
        default=None,
        ge=1,
        description="a stage stops drawing after this many new trials in a row without a better "
        "score; default: never",
    )
    plateau_improvement: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="a score must be better by more than this to count as an improvement; set it "
        "to a difference that is too small to matter",
    )
    target: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="the search ends once a trial of the last stage has this score; default: "
        "never",
    )
    failures: int = Field(
        default=10,
        ge=1,
        description="this many failed trials in a row end the study, because they point to a "
        "mistake in the code or the machine",
    )

    @property
    def watched(self) -> bool:
        """Whether something of it is asked before every batch."""
        return any(
            limit is not None
            for limit in (
                self.epochs,
                self.seconds,
                self.total_seconds,
                self.plateau,
                self.target,
            )
        )

    @property
    def bounds_work(self) -> bool:
        """Whether it says how much a search may take, not only when it may stop."""
        limits = (self.epochs, self.seconds, self.total_seconds)
        return any(limit is not None for limit in limits)

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        for key, budget in tables.items():
            if budget.plateau is None and budget.plateau_improvement:
                rule = "must be used with budget.plateau, the number of trials without improvement"
                yield Problem(f"{key}.plateau_improvement", rule)

    def problems(self, facts: Facts) -> Iterator[Problem]:
        trials, epochs = min(facts.batch, facts.trials[0]), facts.epochs[0]
        least = trials * epochs * facts.n_members
        if self.epochs is not None and self.epochs < least:
            rule = (
                f"must be at least {least}, the first batch's {count_of(trials, 'trial')} x "
                f"{count_of(epochs, 'epoch')} x {count_of(facts.n_members, 'member')}"
            )
            yield Problem("budget.epochs", rule, str(self.epochs))
        if facts.n_objectives > 1 and self.plateau is not None:
            rule = "must be left out with several objectives: a trial seldom improves them all"
            yield Problem("budget.plateau", rule)

    @classmethod
    def may_change(cls) -> Collection[str]:
        return cls.model_fields

    @classmethod
    def resume_problems(
        cls,
        before: Mapping[str, Self],
        now: Mapping[str, Self],
        facts: Facts,
        closed: Sequence[int],
    ) -> Iterator[Problem]:
        for key, budget in now.items():
            old = before[key]
            yield from _tightened(old, budget, facts.directions[0])
            same = (old.plateau, old.plateau_improvement) == (
                budget.plateau,
                budget.plateau_improvement,
            )
            if closed and not same:
                yield Problem(
                    f"{key}.plateau and .plateau_improvement",
                    f"must stay: stage {closed[0]} is over, and later stages build on it",
                )


def _tightened(before: Budget, now: Budget, direction: str) -> Iterator[Problem]:
    """What trials may already be beyond: only a wider budget continues a study."""
    for name in ("epochs", "seconds", "total_seconds", "plateau"):
        old, new = getattr(before, name), getattr(now, name)
        if new is not None and (old is None or new < old):
            rule = "stay left out" if old is None else f"be at least the earlier {old}"
            yield Problem(f"budget.{name}", f"must {rule}", str(new))
    sign = 1 if direction == "maximize" else -1
    old, new = (math.inf if b.target is None else sign * b.target for b in (before, now))
    if new < old:
        yield Problem("budget.target", "must not be easier to reach than before", str(now.target))
    if now.plateau is not None and now.plateau_improvement > before.plateau_improvement:
        rule = f"must be at most the earlier {before.plateau_improvement}"
        yield Problem("budget.plateau_improvement", rule, str(now.plateau_improvement))
