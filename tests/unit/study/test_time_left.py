"""How long a study will still take, at the pace of what it trained."""

from __future__ import annotations

import pytest

from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.time_left import seconds_left
from tests.harness.records import study, trial

START = 1000.0
FINALS = {"top": 1, "seeds": 2, "default": False}
# Epochs: 4 x 10; 2 promoted x 20 and 2 new x 30; 2 confirmation runs x 30. Together 200.
FILE = study(10, 30, confirmation=FINALS)


def left(*trials: TrialRecord, after: float = 10.0, **others: list[TrialRecord]) -> float | None:
    records = {"trial": list(trials), **others}
    return seconds_left(FILE, 1, records, since=START, now=START + after)  # type: ignore[arg-type]


def reached(number: int, when: float = START + 1) -> TrialRecord:
    """A trial at the end of the first stage."""
    return trial(number, {10: 0.5}, outcome=Outcome.PAUSED, marks=[[10, when]])


def test_nothing_is_said_before_the_pace_is_known() -> None:
    assert left() is None
    assert left(reached(0), after=2.0) is None


def test_what_is_left_takes_as_long_as_what_was_trained() -> None:
    assert left(reached(0), reached(1)) == pytest.approx((200 - 20) / (20 / 10))
    begun = trial(2, {}, epoch=5, outcome=Outcome.RUNNING)
    assert left(reached(0), reached(1), begun) == pytest.approx((200 - 25) / (25 / 10))


def test_what_was_trained_before_the_start_says_nothing_of_the_pace() -> None:
    before = [reached(number, START - 1) for number in range(3)]
    assert left(*before) is None
    assert left(*before, reached(3)) == pytest.approx((200 - 40) / (10 / 10))


def test_a_trial_that_ended_early_has_nothing_left() -> None:
    failed = trial(1, {}, epoch=5, outcome=Outcome.FAILED, marks=[[5, START + 1]])
    assert left(reached(0), failed) == pytest.approx((200 - 20) / (15 / 10))


def test_later_parts_count_too() -> None:
    pruned = [trial(n, {10: 0.5}, outcome=Outcome.PRUNED, marks=[[10, START + 1]]) for n in (0, 1)]
    promoted = [
        trial(n, {10: 0.5, 30: 0.6}, marks=[[10, START + 1], [30, START + 2]]) for n in (2, 3)
    ]
    new = [trial(n, {30: 0.6}, stage=1, marks=[[30, START + 2]]) for n in (4, 5)]
    searched = [*pruned, *promoted, *new]
    assert left(*searched) == pytest.approx(60 / (140 / 10))
    confirmed = trial(2, {30: 0.5}, marks=[[30, START + 3]])
    assert left(*searched, confirmation=[confirmed]) == pytest.approx(30 / (170 / 10))
    assert left(*searched, confirmation=[confirmed] * 2) == 0


def test_the_model_on_all_rows_is_the_last_part() -> None:
    def left_of(model: str, **others: list[TrialRecord]) -> float:
        confirmation = {**FINALS, "model": model}
        file = study(10, 30, confirmation=confirmation, data={"name": "digits"})
        records = {"trial": [reached(0)], **others}
        found = seconds_left(file, 1, records, since=START, now=START + 10)  # type: ignore[arg-type]
        assert found is not None
        return found

    assert left_of("all-rows") - left_of("refit") == pytest.approx(30 / (10 / 10))
    fitted = trial(2, {}, epoch=30, marks=[[30, START - 1]])  # by the start before
    assert left_of("all-rows", **{"all-rows": [fitted]}) == pytest.approx(left_of("refit"))
