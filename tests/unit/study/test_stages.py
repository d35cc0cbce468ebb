"""Who is best at a stage's end, and who goes on."""

from __future__ import annotations

import math

from hpsearch.records.outcome import Outcome
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.stages import best_first, promoted


def trial(number: int, score: float, outcome: Outcome = Outcome.PAUSED) -> TrialRecord:
    members = [MemberRecord(0, SeedKey(0, number, 0, 0), epoch=2)]
    scores = {} if math.isnan(score) else {2: score}
    return TrialRecord("u", "trial", number, {}, members, {}, scores=scores, outcome=outcome)


TRIALS = [
    trial(0, 0.5),
    trial(1, 0.75),
    trial(2, 0.9, Outcome.DIVERGED),
    trial(3, 0.75),
    trial(4, 0.8, Outcome.PRUNED),
    trial(5, math.nan),
    trial(6, 0.25),
]


def test_the_best_come_first_and_the_earlier_among_equals() -> None:
    found = best_first(reversed(TRIALS), 2, ["maximize"])
    assert [record.number for record in found] == [4, 1, 3, 0, 6]
    found = best_first(TRIALS, 2, ["minimize"])
    assert [record.number for record in found] == [6, 0, 1, 3, 4]
    assert best_first(TRIALS, 4, ["maximize"]) == []


def test_the_share_of_the_next_stage_is_promoted_of_those_that_wait() -> None:
    assert promoted(TRIALS, 2, 2, ["maximize"]) == [1, 3]
    assert promoted(TRIALS, 2, 5, ["maximize"]) == [1, 3, 0, 6]


def test_trials_that_an_earlier_chapter_left_behind_are_promoted_among_the_others() -> None:
    (left,) = (record for record in TRIALS if record.outcome is Outcome.PRUNED)
    waiting = [record for record in TRIALS if record is not left]
    assert promoted(waiting, 2, 2, ["maximize"], [left]) == [4, 1]
