"""What a look at the clock, a start and an end make of where a schedule stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hpsearch.scheduler.standing import (
    LATE,
    MOST_DEATHS,
    MOST_PENDING,
    RETRY,
    LastRun,
    Standing,
    cut,
    ended,
    may_run,
    noticed,
    started,
)
from hpsearch.studyfile.tables.schedule import Schedule

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOURLY = "0 * * * *"
SEEN = Standing(NOON, f"{HOURLY} UTC")
LAST = LastRun("2026-11-21T11:00:00+00:00", "2026-11-21T11:30:00+00:00", "a: 1 finished", 0)


def hourly(missed: str = "once", **table: object) -> Schedule:
    said = {"cron": HOURLY, "timezone": "UTC", "missed": missed}
    return Schedule.model_validate(said | table)


# The policy; how long after the last look; pending before and after; what is said.
LOOKS: list[tuple[str, timedelta, int, int, str]] = [
    ("skip", 59 * MINUTE, 0, 0, ""),
    ("skip", HOUR, 0, 1, ""),
    ("skip", HOUR + LATE, 0, 1, ""),
    ("skip", HOUR + 2 * MINUTE, 0, 0, "1 missed, skipped"),
    ("skip", HOUR + 2 * MINUTE, 1, 1, "1 missed, skipped"),
    ("skip", 3 * HOUR, 0, 1, "2 missed, skipped"),
    ("once", HOUR, 0, 1, ""),
    ("once", HOUR + 2 * MINUTE, 0, 1, "1 late, run once"),
    ("once", HOUR, 1, 1, "1 late, run once"),
    ("once", 3 * HOUR, 0, 1, "3 late, run once"),
    ("all", HOUR, 0, 1, ""),
    ("all", HOUR + 2 * MINUTE, 0, 1, ""),
    ("all", HOUR, 1, 2, "2 to run"),
    ("all", 3 * HOUR, 2, 5, "5 to run"),
    ("all", 9 * DAY, 2, MOST_PENDING, f"{MOST_PENDING} to run"),
]


@pytest.mark.parametrize(("missed", "later", "before", "after", "said"), LOOKS)
def test_occurrences_wait_for_their_runs_as_the_policy_says(
    missed: str, later: timedelta, before: int, after: int, said: str
) -> None:
    found, message = noticed(replace(SEEN, pending=before), hourly(missed), NOON + later)
    assert (found.pending, found.seen, message) == (after, NOON + later, said)
    assert noticed(found, hourly(missed), NOON + later) == (found, "")


def test_an_occurrence_that_comes_while_one_runs_is_missed() -> None:
    runs = replace(SEEN, running=True)
    assert noticed(runs, hourly("skip"), NOON + HOUR)[1] == "1 missed, skipped"
    found, message = noticed(runs, hourly("once"), NOON + HOUR)
    assert (found.pending, message) == (1, "1 late, run once")


def test_what_passes_while_paused_is_said_and_never_made_up_for() -> None:
    found, message = noticed(replace(SEEN, paused=True), hourly("all"), NOON + HOUR)
    assert (found.pending, found.seen) == (0, NOON + HOUR)
    assert message == "an occurrence passed while paused"
    assert noticed(found, hourly("all"), NOON + HOUR + MINUTE)[1] == ""


def test_a_clock_that_was_set_back_by_more_than_a_day_counts_from_now() -> None:
    ahead = replace(SEEN, seen=NOON + DAY)
    assert noticed(ahead, hourly(), NOON) == (ahead, "")
    found, message = noticed(ahead, hourly(), NOON - MINUTE)
    assert found.seen == NOON - MINUTE
    assert (
        message == "the clock was at 2026-11-22 12:00 UTC before; the schedule continues from now"
    )


@pytest.mark.parametrize("table", [{"cron": "30 * * * *"}, {"timezone": "Europe/Berlin"}])
def test_another_expression_or_zone_counts_from_its_first_look(table: dict[str, str]) -> None:
    found, message = noticed(SEEN, hourly(**table), NOON + 5 * HOUR)
    assert (found.seen, found.pending, message) == (NOON + 5 * HOUR, 0, "")


def test_a_run_starts_when_it_is_asked_for_or_due_and_allowed() -> None:
    due, asked = replace(SEEN, pending=1), replace(SEEN, asked=True)
    for ready in (due, asked, replace(SEEN, carried=True)):
        assert may_run(ready, hourly(), NOON)
        assert not may_run(replace(ready, running=True), hourly(), NOON)
    assert not may_run(SEEN, hourly(), NOON)
    assert not may_run(replace(due, paused=True), hourly(), NOON)
    assert may_run(replace(asked, paused=True), hourly(), NOON)
    waits = replace(due, not_before=NOON)
    assert not may_run(waits, hourly(), NOON - MINUTE)
    assert may_run(waits, hourly(), NOON)
    night = hourly(window="02:00-06:00")
    assert not may_run(due, night, NOON)
    assert may_run(due, night, NOON - 8 * HOUR)
    assert may_run(asked, night, NOON)


def test_a_start_takes_one_occurrence_and_what_is_gone_on_with_none() -> None:
    now = NOON + MINUTE
    runs = replace(SEEN, running=True, occurrence=now.isoformat())
    assert started(replace(SEEN, pending=2, not_before=NOON), now) == replace(runs, pending=1)
    assert started(replace(SEEN, pending=2, asked=True), now) == replace(runs, pending=2)
    assert started(replace(SEEN, asked=True), now) == runs
    carried = replace(SEEN, pending=2, carried=True, occurrence="then")
    assert started(carried, now) == replace(runs, pending=2, occurrence="then")


def test_an_end_forgets_the_deaths_before_it() -> None:
    runs = replace(SEEN, running=True, deaths=3)
    assert ended(runs, unfinished=False, last=LAST) == replace(SEEN, last=LAST)
    assert ended(runs, unfinished=True, last=LAST) == replace(SEEN, carried=True, last=LAST)


def test_after_each_death_twice_as_long_is_waited_and_after_the_last_no_more() -> None:
    standing = replace(SEEN, running=True)
    for death in range(MOST_DEATHS):
        standing = cut(replace(standing, running=True, not_before=None), NOON)
        wait = RETRY * 2**death
        assert standing == replace(SEEN, carried=True, deaths=death + 1, not_before=NOON + wait)
    assert cut(replace(standing, running=True, not_before=None), NOON) == SEEN
