"""Which finished runs of one study stay, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hpsearch.studyfile.tables.schedule import Retention

Goal = tuple[str, str]  # objective and direction


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    Attributes:
        number: of the run, from 1.
        ended: when, in UTC.
        goal: what its score is of; scores of two goals can't be compared.
        score: the winner's objective over fresh seeds.
    """

    number: int
    ended: datetime
    goal: Goal
    score: float


def reasons_to_keep(
    runs: Sequence[FinishedRun], table: Retention, now: datetime
) -> Mapping[int, str]:
    """Why runs of a study stay, by number; those that are not in it go."""
    best = _ranks(runs)
    newest = sorted((run.number for run in runs), reverse=True)
    found: dict[int, str] = {}
    for run in runs:
        rank, place = best[run.number], newest.index(run.number) + 1
        reasons = []
        if rank <= table.keep_best:
            reasons.append(f"best {rank} of {run.goal[0]}")
        if place <= table.keep_last:
            reasons.append(f"last {place}")
        if now - run.ended < table.age:
            reasons.append(f"younger than {table.older}")
        if reasons:
            found[run.number] = ", ".join(reasons)
    return found


def _ranks(runs: Sequence[FinishedRun]) -> dict[int, int]:
    """The place of each run among those of its goal, from 1; of equal ones the newer is better."""
    found: dict[int, int] = {}
    for goal in {run.goal for run in runs}:
        sign = -1 if goal[1] == "maximize" else 1

        def order(run: FinishedRun, sign: int = sign) -> tuple[float, int]:
            return math.inf if math.isnan(run.score) else sign * run.score, -run.number

        same = sorted((run for run in runs if run.goal == goal), key=order)
        found |= {run.number: place for place, run in enumerate(same, start=1)}
    return found
