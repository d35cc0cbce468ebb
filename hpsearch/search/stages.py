"""Stages: which trials are best in one, and who is promoted."""

from __future__ import annotations

from collections.abc import Iterable

from hpsearch.search.study_file import Stage
from hpsearch.tracking.record import TrialRecord


def best_first(records: Iterable[TrialRecord], epochs: int, direction: str) -> list[TrialRecord]:
    """Records that have a score at this length, best first, earlier trials first among equals."""
    sign = -1 if direction == "maximize" else 1
    scored = [r for r in records if str(epochs) in r.scores and r.outcome != "diverged"]
    return sorted(scored, key=lambda r: (sign * r.scores[str(epochs)], r.number))


def promoted(
    records: Iterable[TrialRecord], epochs: int, following: Stage, direction: str
) -> list[int]:
    """Numbers of the trials that go on from a stage of this length, best first."""
    wanted = round(following.trials * following.promote)
    paused = [r for r in records if r.outcome == "paused"]
    return [r.number for r in best_first(paused, epochs, direction)[:wanted]]
