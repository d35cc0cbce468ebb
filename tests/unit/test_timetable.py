"""Cron expressions and windows, on the days when the clocks change too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hpsearch.timetable import Cron, Window, weekday_names, zone_named

BERLIN = ZoneInfo("Europe/Berlin")


def utc(day: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)


def fires(text: str, first: datetime, last: datetime) -> list[str]:
    return [f"{when:%d %H:%M}" for when in Cron(text, BERLIN).between(first, last)]


def test_an_hour_left_out_by_the_clock_counts_an_hour_later() -> None:
    found = fires("30 2 * * *", utc("2026-03-28", "00:00"), utc("2026-03-30", "12:00"))
    assert found == ["28 01:30", "29 01:30", "30 00:30"]  # in UTC; local 02:30, 03:30, 02:30


def test_a_fixed_hour_that_comes_twice_counts_once() -> None:
    found = fires("30 2 * * *", utc("2026-10-24", "00:00"), utc("2026-10-26", "12:00"))
    assert found == ["24 00:30", "25 00:30", "26 01:30"]


def test_every_hour_is_every_hour_on_a_day_of_25() -> None:
    found = fires("0 * * * *", utc("2026-10-24", "21:59"), utc("2026-10-25", "23:00"))
    assert len(found) == 26
    assert found[2:5] == ["25 00:00", "25 01:00", "25 02:00"]


@pytest.mark.parametrize("text", ["*/7 * * * *", "0 2 * * *", "15 1-5/2 * * mon-fri", "0 0 1 * *"])
def test_occurrences_only_ever_go_forward(text: str) -> None:
    start = utc("2026-10-20", "00:00")
    found = list(Cron(text, BERLIN).between(start, start + timedelta(days=40)))
    assert found
    assert found == sorted(set(found))
    assert found[0] > start


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("*", "*"),
        ("0", "sun"),
        ("7", "sun"),
        ("1-5", "mon,tue,wed,thu,fri"),
        ("5-7", "fri,sat,sun"),
        ("fri-mon", "fri,sat,sun,mon"),
        ("*/2", "sun,tue,thu,sat"),
        ("sat,1", "sat,mon"),
    ],
)
def test_days_of_the_week_are_those_of_cron(field: str, names: str) -> None:
    assert weekday_names(field) == names


def test_sunday_is_day_0() -> None:
    (found,) = fires("0 12 * * 0", utc("2026-11-16", "00:00"), utc("2026-11-23", "00:00"))
    assert found == "22 11:00"  # a Sunday


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("0 2 * *", "five fields"),
        ("61 2 * * *", "a cron expression"),
        ("0 2 * * someday", "days of week"),
        ("0 2 1 * mon", "must leave the day of month or the day of week"),
        ("x y z a b", "must"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_rule(text: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Cron(text, BERLIN)


def test_a_day_that_never_comes_is_no_occurrence() -> None:
    assert Cron("0 0 31 2 *", BERLIN).after(utc("2026-01-01", "00:00")) is None


def test_a_window_holds_its_start_and_not_its_end() -> None:
    window = Window.parse("02:00-06:00", BERLIN)
    day = "2026-11-21"  # local time is UTC + 1
    assert not window.holds(utc(day, "00:59"))
    assert window.holds(utc(day, "01:00"))
    assert not window.holds(utc(day, "05:00"))
    assert window.around(utc(day, "03:00")) == (utc(day, "01:00"), utc(day, "05:00"))
    assert window.around(utc(day, "06:00"))[0] == utc("2026-11-22", "01:00")


def test_a_window_may_go_over_midnight() -> None:
    window = Window.parse("22:00-06:00", UTC)
    assert window.holds(utc("2026-11-21", "23:30"))
    assert window.holds(utc("2026-11-21", "05:59"))
    assert not window.holds(utc("2026-11-21", "12:00"))


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 3), ("2026-10-25", 5), ("2026-11-21", 4)]
)
def test_a_window_ends_by_the_clock_on_the_wall(day: str, hours: int) -> None:
    first, last = Window.parse("02:00-06:00", BERLIN).around(utc(day, "01:30"))
    assert last - first == timedelta(hours=hours)
    assert f"{last.astimezone(BERLIN):%H:%M}" == "06:00"


@pytest.mark.parametrize("text", ["2-6", "02:00", "25:00-03:00", "02:00-02:00", "02:00-06:61"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Window.parse(text, UTC)


def test_an_unknown_time_zone_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'"):
        zone_named("Europe/Berln")
