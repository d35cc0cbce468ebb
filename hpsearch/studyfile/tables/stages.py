"""The [[stages]] tables of a study file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Self

from pydantic import Field

from hpsearch.counts import count_of
from hpsearch.errors import Problem
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.tables.base import LARGEST, Facts, Table

FIRST_ROWS = "stages.0.rows"  # later stages have as many or more, so that this one must go first


class Stage(Table):
    """A training length, on all training rows or fewer, and the trials that are trained to it."""

    trials: int = Field(
        ge=1,
        le=LARGEST,
        description="number of trials, including those promoted from the previous stage",
    )
    epochs: int = Field(ge=1, le=LARGEST)
    rows: int | None = Field(
        default=None,
        ge=2,
        description="number of training rows of each fold that the stage's trials train on, in "
        "rows; validation and test rows stay whole. A smaller stage's rows are among those of a "
        "larger one, with the shares of the classes, and spread over the groups if the split has "
        "any; if rows are split by time, they are the latest ones. Trials that are promoted to "
        "more rows train from the start. The default is all rows, because a score on fewer rows "
        "only predicts the score that is wanted",
    )
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
        "new draws have scores at both lengths too, unless the stages differ in their rows",
    )

    @property
    def promoted(self) -> int:
        """Trials that continue from the stage before."""
        return round(self.trials * self.promote)

    @property
    def on_rows(self) -> str:
        """Its rows in words, behind its epochs."""
        return " on all rows" if self.rows is None else f" on {count_of(self.rows, 'row')}"

    @property
    def on_fewer(self) -> str:
        """The same, "" where it has all."""
        return "" if self.rows is None else self.on_rows

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        (first_key, first), *_ = tables.items()
        if first.controls:
            rule = "must be 0: there is no previous stage"
            yield Problem(f"{first_key}.controls", rule, str(first.controls))
        for (_, earlier), (key, later) in pairwise(tables.items()):
            yield from later._problems_after(earlier, key)

    def _problems_after(self, earlier: Stage, key: str) -> Iterator[Problem]:
        known = count_of(earlier.epochs, "epoch")
        if earlier.rows is None and self.rows is not None:
            rule = "must be left out: the previous stage has all rows"
            yield Problem(f"{key}.rows", rule, str(self.rows))
        elif earlier.rows is not None and self.rows is not None and self.rows < earlier.rows:
            rule = f"must be at least the {earlier.rows} of the previous stage"
            yield Problem(f"{key}.rows", rule, str(self.rows))
        elif self.rows != earlier.rows and self.epochs < earlier.epochs:
            rule = f"must be at least the {known} of the previous stage"
            yield Problem(f"{key}.epochs", rule, str(self.epochs))
        if self.rows == earlier.rows and self.epochs <= earlier.epochs:
            rule = f"must be above the {known} of the previous stage"
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

    def problems(self, facts: Facts) -> Iterator[Problem]:
        if self.rows is not None and facts.pruned:
            rule = "must be left out beside [pruner], whose rungs are epochs on all rows"
            yield Problem(FIRST_ROWS, rule, str(facts.rows[0]))

    def problems_of_arms(self, facts: Facts, arms: Sequence[Arm]) -> Iterator[Problem]:
        if self.rows is not None and arms[-1].selection.unknown:
            rule = "must be left out: the trainer brings its own data, whose rows nobody knows"
            yield Problem(FIRST_ROWS, rule, str(facts.rows[0]), "give stages other epochs alone")

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


def ends(stages: Iterable[Stage]) -> list[tuple[int, int]]:
    """The epoch before each stage's first one, and its last, counted over a trial's trainings.

    Stages of equal rows are one training that goes on. With other rows a training begins anew,
    and its epochs are counted on, so that a longer or larger training always ends later.
    """
    found: list[tuple[int, int]] = []
    start = end = 0
    rows: int | None = None
    for place, stage in enumerate(stages):
        if place and stage.rows != rows:
            start = end
        end, rows = start + stage.epochs, stage.rows
        found.append((start, end))
    return found
