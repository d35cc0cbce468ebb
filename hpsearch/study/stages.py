"""Stages: which trials are best in one, and who is promoted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hpsearch.analysis.ranking import ranked, standing
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord


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
    records: Iterable[TrialRecord],
    epochs: int,
    wanted: int,
    directions: Sequence[str],
    left_behind: Iterable[TrialRecord] = (),
) -> list[int]:
    """Numbers of the trials that go on from a stage of this length, best first.

    Args:
        wanted: how many at most.
        left_behind: ended trials of earlier chapters that may go on too.
    """
    may = [*(r for r in records if r.outcome is Outcome.PAUSED), *left_behind]
    return [record.number for record in best_first(may, epochs, directions)[:wanted]]
