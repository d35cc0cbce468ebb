"""When: cron expressions and daily windows in a time zone, on days of 23 and 25 hours too.

Every moment that is handed in or out is in UTC; only expressions are in local time.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
UNITS = {"m": _MINUTE, "h": timedelta(hours=1), "d": DAY, "w": 7 * DAY}
LONGEST = 36_500 * DAY  # a century; more is a slip of the keyboard


def zone_named(name: str | None) -> tzinfo:
    """A time zone by its name, e.g. "Europe/Berlin"; None: the machine's.

    Raises:
        ValueError: there is none of this name.
    """
    if name is None:
        from tzlocal import get_localzone

        try:
            return get_localzone()
        except ZoneInfoNotFoundError:  # TZ=JST-9, which has a rule and no name
            return datetime.now().astimezone().tzinfo or UTC
    if name not in _zone_names():
        from hpsearch.errors import nearest

        raise ValueError(
            "must be the name of a time zone such as Europe/Berlin or UTC"
            + nearest(name, _zone_names())
        )
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _zone_names() -> Set[str]:
    return available_timezones()  # looked up in files, some 50 ms each time


def span(text: str) -> timedelta:
    """A length of time such as "30d", "12h", "90m" or "2w".

    Raises:
        ValueError: it is none.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([mhdw])", text)
    length = float(match[1]) * UNITS[match[2]] if match else None
    if length is None or length > LONGEST:
        raise ValueError('must be a number with m, h, d or w, e.g. "30d" for 30 days')
    return length


@dataclass(frozen=True)
class Cron:
    """A cron expression: minute, hour, day of month, month, day of week (0 or 7: Sunday).

    As cron does, an expression with a fixed hour counts once on the day on which that hour comes
    twice; where the hour is left out by the clock, it counts as much later as the clock jumps.

    Raises:
        ValueError: it is none.
    """

    text: str
    zone: tzinfo

    def __post_init__(self) -> None:
        _trigger(self.text)

    def after(self, when: datetime) -> datetime | None:
        """The first occurrence later than `when`; None if there is none in sight."""
        # From the day before: a time that its end leaves out counts on the next.
        start = when.astimezone(self.zone).date() - DAY
        while (day := _first_day(self.text, start)) is not None:
            later = [
                moments[place]
                for moments in (_moments(self, day), _moments(self, day + DAY))
                if (place := bisect_right(moments, when)) < len(moments)
            ]
            if later:
                return min(later)
            start = day + DAY
        return None

    def between(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """The occurrences later than `first`, up to `last`."""
        while (found := self.after(first)) is not None and found <= last:
            yield found
            first = found


@lru_cache(maxsize=2048)
def _moments(cron: Cron, day: date) -> tuple[datetime, ...]:
    """The occurrences whose local time is on a day, in order; one left out may be on the next."""
    fixed_hour = not cron.text.split()[1].startswith("*")
    found: set[datetime] = set()
    for clock in _clocks(cron.text, day):
        first = clock.replace(tzinfo=cron.zone).astimezone(UTC)
        second = clock.replace(tzinfo=cron.zone, fold=1).astimezone(UTC)
        # PEP 495: of a time that comes twice fold=1 is later, of one that is left out earlier.
        if fixed_hour or first <= second:
            found.add(first)
        if first < second and not fixed_hour:
            found.add(second)
    return tuple(sorted(found))


def _clocks(text: str, day: date) -> Iterator[datetime]:
    """The times of a day on which a clock that never jumps shows what an expression says."""
    trigger, found = _trigger(text), _midnight(day)
    while True:
        found = trigger.get_next_fire_time(None, found)
        if found is None or found.date() != day:
            return
        yield found
        found += _MINUTE


def _first_day(text: str, day: date) -> date | None:
    """The first day, `day` or later, with a time that an expression says."""
    found: datetime | None = _trigger(text).get_next_fire_time(None, _midnight(day))
    return found and found.date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@lru_cache(maxsize=256)
def _trigger(text: str) -> CronTrigger:
    """What finds the times of an expression on a clock that never jumps."""
    from apscheduler.triggers.cron import CronTrigger

    fields = text.split()
    if len(fields) != 5:
        raise ValueError(
            "must be five fields: minute, hour, day of month, month, day of week, "
            'e.g. "0 2 * * mon-fri"'
        )
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        raise ValueError(
            "must leave the day of month or the day of week as *: of two, some programs "
            "need only one to match and some both"
        )
    try:
        return CronTrigger(
            minute=minute,
            hour=hour,
            day=day,
            month=month,
            day_of_week=weekday_names(weekday),
            timezone=UTC,
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"must be a cron expression ({error})") from error


def weekday_names(field: str) -> str:
    """The days of a field, each by its name: APScheduler's own numbers begin on Monday.

    Raises:
        ValueError: it is no days.
    """
    if field == "*":
        return field
    found: list[str] = []
    for part in field.lower().split(","):
        match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/([1-9]\d*))?", part)
        if match is None:
            raise ValueError(f"days of week such as mon-fri, 1-5 or sat,sun, got {part!r}")
        first, last, step = match.groups()
        start = 0 if first == "*" else _weekday(first)
        end = 6 if first == "*" or (step and not last) else _weekday(last or first)
        end += 7 * (end < start)
        found += [DAYS[day % 7] for day in range(start, end + 1, int(step or 1))]
    return ",".join(dict.fromkeys(found))


def _weekday(text: str) -> int:
    if text.isdigit() and int(text) <= 7:
        return int(text) % 7
    if text in DAYS:
        return DAYS.index(text)
    raise ValueError(f"days of week such as mon-fri, 1-5 or sat,sun, got {text!r}")


@dataclass(frozen=True)
class Window:
    """A stretch of every day, e.g. from 02:00 to 06:00; an end before the start is tomorrow's."""

    start: time
    end: time
    zone: tzinfo

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> Window:
        """From "02:00-06:00".

        Raises:
            ValueError: it is none.
        """
        match = re.fullmatch(r"\s*(\d?\d:\d\d)\s*-\s*(\d?\d:\d\d)\s*", text)
        try:
            if match is None:
                raise ValueError
            start, end = (time.fromisoformat(part.zfill(5)) for part in match.groups())
        except ValueError:
            raise ValueError('must be two times of day, e.g. "02:00-06:00"') from None
        if start == end:
            raise ValueError("must end at another time than it starts; left out: the whole day")
        return cls(start, end, zone)

    def around(self, when: datetime) -> tuple[datetime, datetime]:
        """Start and end of the stretch that holds `when`, or else of the next one."""
        today = when.astimezone(self.zone).date()
        for days in (-1, 0, 1):
            first, last = self._on(today + timedelta(days=days))
            if when < last:
                return first, last
        return self._on(today + timedelta(days=2))

    def holds(self, when: datetime) -> bool:
        """Whether it is open."""
        return self.around(when)[0] <= when

    def _on(self, day: date) -> tuple[datetime, datetime]:
        over_midnight = timedelta(days=self.end < self.start)
        first = datetime.combine(day, self.start, self.zone)
        last = datetime.combine(day + over_midnight, self.end, self.zone)
        return first.astimezone(UTC), last.astimezone(UTC)

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"
