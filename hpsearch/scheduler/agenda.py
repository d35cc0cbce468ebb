"""When the scheduler must look at each schedule next, so that one that waits costs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from hpsearch.scheduler.schedules import Scheduled
from hpsearch.scheduler.standing import Standing
from hpsearch.studyfile.tables.schedule import Schedule

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """One schedule's line.

    Attributes:
        schedule: as it was when it was looked at.
        looked: when that was.
        due: the first occurrence after that.
    """

    schedule: Schedule
    looked: datetime
    due: datetime


@dataclass
class Agenda:
    """The next occurrence of every schedule; all times are in UTC."""

    _entries: dict[str, Entry] = field(default_factory=dict)

    def is_due(self, item: Scheduled, now: datetime) -> bool:
        """Whether there may be something to notice: an occurrence, a changed file, a clock that
        was set back, or a schedule that is new."""
        entry = self._entries.get(item.key)
        if entry is None or entry.schedule is not item.schedule:
            return True
        return not entry.looked <= now < entry.due

    def note(self, item: Scheduled, standing: Standing, now: datetime) -> None:
        """Remember when to look again.

        Args:
            standing: after the look.
        """
        cron = item.schedule.occurrences
        coming = cron.after(max(now, standing.seen)) if cron else None
        self._entries[item.key] = Entry(item.schedule, now, coming or NEVER)
