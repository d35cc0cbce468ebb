"""How numbers and times read on the page."""

from __future__ import annotations

from datetime import UTC, datetime

from hpsearch.counts import count_of
from hpsearch.records.estimate import Estimate

MINUTE, HOUR = 60.0, 3600.0


def score(value: float | None) -> str:
    """A score with four digits after the point; very large and small ones as 1.23e+09."""
    if value is None:
        return ""
    plain = value == 0 or 1e-3 <= abs(value) < 1e6
    return f"{value:.4f}" if plain else f"{value:.3g}"


def interval(estimate: Estimate) -> str:
    """The ends of its 95 % interval; "" where it has none, or nothing random is in it."""
    if estimate.low is None or estimate.high is None or estimate.is_constant:
        return ""
    return f"{score(estimate.low)} … {score(estimate.high)}"


def time_left(seconds: float | None) -> str:
    """A coarse estimate, which does not change at every look; "" where it is not known."""
    if seconds is None:
        return ""
    if seconds < MINUTE:
        return "less than a minute left"
    if seconds < 90 * MINUTE:
        return f"about {max(1, round(seconds / MINUTE))} min left"
    if seconds < 48 * HOUR:
        return f"about {round(seconds / HOUR)} h left"
    return f"about {count_of(round(seconds / (24 * HOUR)), 'day')} left"


def moment(seconds: float | None) -> datetime | None:
    """A time that is known in seconds since 1970, in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def clock(when: datetime) -> str:
    """A time as the machine's clock shows it; the page's script shows that of the reader."""
    return f"{when.astimezone():%d %b %Y, %H:%M}"
