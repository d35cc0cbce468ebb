"""Cron expressions and windows, on the days when the clocks change too."""

import time
from collections.abc import Iterator, Set
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

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


def test_the_midnight_after_a_missing_hour_is_not_passed_over() -> None:
    cron = Cron("30 0 * * *", BERLIN)
    assert cron.after(utc("2026-03-29", "00:30")) == utc("2026-03-29", "22:30")


MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
YEAR = utc("2026-01-01", "00:00")
# An expression; its minutes and hours; whether it is one with a fixed hour.
AROUND_CHANGES: dict[str, tuple[Set[int], Set[int], bool]] = {
    "0 0 * * *": ({0}, {0}, True),
    "30 0 * * *": ({30}, {0}, True),
    "45 1-3 * * *": ({45}, {1, 2, 3}, True),
    "*/20 2 * * *": ({0, 20, 40}, {2}, True),
    "5 23 * * *": ({5}, {23}, True),
    "0 * * * *": ({0}, {*range(24)}, False),
    "15,45 */2 * * *": ({15, 45}, {*range(0, 24, 2)}, False),
}


def changes_of(zone: ZoneInfo) -> list[datetime]:
    """The first minutes of 2026 at which a zone's clock shows another offset."""
    days = [YEAR + n * DAY for n in range(366)]
    return [
        next(m for m in minutes(a, b) if offset(m, zone) != offset(a, zone))
        for a, b in pairwise(days)
        if offset(a, zone) != offset(b, zone)
    ]


def minutes(first: datetime, last: datetime) -> Iterator[datetime]:
    """Every minute later than `first`, up to `last`."""
    while first < last:
        first += MINUTE
        yield first


def offset(moment: datetime, zone: tzinfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def shown_by(zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[datetime, datetime]]:
    """Each minute with what the clock on the wall shows."""
    return [(m, m.astimezone(zone).replace(tzinfo=None)) for m in minutes(first, last)]


def test_a_zone_that_has_a_rule_and_no_name_is_the_clock_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "JST-9")
    monkeypatch.setattr("tzlocal.unix._cache_tz", None)
    time.tzset()
    try:
        zone = zone_named(None)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert offset(datetime(2026, 7, 1, tzinfo=UTC), zone) == timedelta(hours=9)


def walked(
    wall: list[tuple[datetime, datetime]], in_hour: Set[int], hours: Set[int], *, fixed: bool
) -> list[datetime]:
    """The occurrences, found by looking at the clock every minute."""

    def matches(clock: datetime) -> bool:
        return clock.minute in in_hour and clock.hour in hours

    found: set[datetime] = set()
    latest = wall[0][1] - MINUTE  # that the clock has shown
    for moment, clock in wall:
        if matches(clock) and not (fixed and clock <= latest):
            found.add(moment)
        left_out = minutes(latest, clock - MINUTE) if fixed else ()
        found |= {moment + (missing - latest - MINUTE) for missing in left_out if matches(missing)}
        latest = max(latest, clock)
    return sorted(found)


def test_occurrences_around_all_changes_of_all_clocks_are_those_of_a_walk_by_the_minute() -> None:
    zones = [ZoneInfo(name) for name in sorted(available_timezones())]
    changes = [(change, zone) for zone in zones for change in changes_of(zone)]
    assert len(changes) > 200
    # Many zones change at one time and by the same; one of them shows how all do.
    alike = {(c, offset(c - MINUTE, zone), offset(c, zone)): (c, zone) for c, zone in changes}
    for change, zone in alike.values():
        first, last = change - DAY, change + 1.5 * DAY
        wall = shown_by(zone, first, last)
        for text, (in_hour, hours, fixed) in AROUND_CHANGES.items():
            expected = walked(wall, in_hour, hours, fixed=fixed)
            assert [*Cron(text, zone).between(first, last)] == expected, (zone, change, text)


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
