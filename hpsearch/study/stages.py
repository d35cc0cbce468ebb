"""Stages: which trials are best in one, and who is promoted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hpsearch.analysis.ranking import ranked, standing
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.tables.stages import Stage


def best_first(
    records: Iterable[TrialRecord], epochs: int, directions: Sequence[str]
) -> list[TrialRecord]:
    """Records that have a score at this length, best first, earlier trials first among equals.

    Args:
        directions: of all objectives; see `ranking` for what is best of several, and where
            constraints are missed.
    """
    scored = {r.number: r for r in records if epochs in r.scores and r.outcome.ranked}
    standings = [standing(record, epochs) for record in scored.values()]
    return [scored[s.number] for s in ranked(standings, directions)]


def first_ranked(
    records: Iterable[TrialRecord], lengths: Iterable[int], directions: Sequence[str]
) -> list[TrialRecord]:
    """Those that did not fail, best first, at the first length that any has a score at."""
    sound = [record for record in records if record.outcome is not Outcome.FAILED]
    ranked = (best_first(sound, epochs, directions) for epochs in lengths)
    return next(filter(None, ranked), [])


def promoted(
    records: Iterable[TrialRecord], epochs: int, following: Stage, directions: Sequence[str]
) -> list[int]:
    """Numbers of the trials that go on from a stage of this length, best first."""
    wanted = round(following.trials * following.promote)
    paused = [r for r in records if r.outcome is Outcome.PAUSED]
    return [r.number for r in best_first(paused, epochs, directions)[:wanted]]
