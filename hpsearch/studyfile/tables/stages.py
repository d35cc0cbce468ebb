"""The [[stages]] tables of a study file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Self

from pydantic import Field

from hpsearch.counts import count_of
from hpsearch.errors import Problem
from hpsearch.studyfile.tables.base import LARGEST, Facts, Table


class Stage(Table):
    """A training length and the trials that are trained to it."""

    trials: int = Field(
        ge=1,
        le=LARGEST,
        description="number of trials, including those promoted from the previous stage",
    )
    epochs: int = Field(ge=1, le=LARGEST)
    promote: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="fraction of this stage's trials that continue from the previous stage; the "
        "rest are new draws. Half was best in our benchmarks",
    )
    controls: int = Field(
        default=0,
        ge=0,
        le=LARGEST,
        description="number of randomly chosen trials that continue although they were not "
        "promoted, on top of `trials`: they show whether short trainings predict long ones, which "
        "promoted trials alone can't show. The default is 0, because each costs a training and "
        "new draws have scores at both lengths too",
    )

    @property
    def promoted(self) -> int:
        """Trials that continue from the stage before."""
        return round(self.trials * self.promote)

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        (first_key, first), *_ = tables.items()
        if first.controls:
            rule = "must be 0: there is no previous stage"
            yield Problem(f"{first_key}.controls", rule, str(first.controls))
        for (_, earlier), (key, later) in pairwise(tables.items()):
            yield from later._problems_after(earlier, key)

    def _problems_after(self, earlier: Stage, key: str) -> Iterator[Problem]:
        if self.epochs <= earlier.epochs:
            rule = f"must be above the {count_of(earlier.epochs, 'epoch')} of the previous stage"
            yield Problem(f"{key}.epochs", rule, str(self.epochs))
        left = earlier.trials - self.promoted
        if left < 0:
            most = count_of(earlier.trials, "trial")
            rule = f"must promote at most the {most} of the previous stage"
            yield Problem(f"{key}.trials", rule, str(self.promoted))
        elif self.controls > left:
            rule = (
                f"must be at most the {count_of(left, 'trial')} of the previous stage not promoted"
            )
            yield Problem(f"{key}.controls", rule, str(self.controls))

    @classmethod
    def may_change(cls) -> Collection[str]:
        return ("trials",)

    @classmethod
    def resume_problems(
        cls,
        before: Mapping[str, Self],
        now: Mapping[str, Self],
        facts: Facts,
        closed: Sequence[int],
    ) -> Iterator[Problem]:
        last = list(now)[-1]
        for number, (key, stage) in enumerate(now.items()):
            old = before[key].trials
            if stage.trials < old:
                yield Problem(f"{key}.trials", "must not shrink", f"{stage.trials} after {old}")
            elif stage.trials > old and number in closed:
                yield Problem(
                    f"{key}.trials",
                    f"must stay {old}: the stage is finished, and later stages build on it; raise "
                    f"{last}.trials instead",
                )
