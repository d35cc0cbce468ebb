"""Where a schedule stands: which occurrences are taken note of, what waits, what is carried over.

Pure functions of the time they are given: the process that runs them has the only clock.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, NonNegativeInt

from hpsearch.studyfile.tables.schedule import Schedule

LATE = timedelta(seconds=90)  # an occurrence that is noticed later than this was missed
CLOCK_SET_BACK = timedelta(days=1)  # a mark further in the future was made by a wrong clock
MOST_PENDING = 100  # runs that missed = "all" makes up for
RETRY = timedelta(seconds=10)  # before a run whose process died is gone on with; then twice that
MOST_DEATHS = 5  # in a row; then the next occurrence is waited for
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # that the clock of a machine shows

Moment = Annotated[AwareDatetime, Field(ge=EARLIEST)]


@dataclass(frozen=True)
class LastRun:
    """A run that is over.

    Attributes:
        started: when, in UTC and ISO format.
        ended: as `started`.
        line: what became of it.
        exit_code: as that of `hpsearch batch`.
    """

    started: str
    ended: str
    line: str
    exit_code: int


@dataclass(frozen=True)
class Standing:
    """What is remembered of one schedule between any two moments.

    Attributes:
        seen: occurrences up to this time are taken note of; each is, once.
        timing: the expression that they are occurrences of; another one begins anew.
        pending: occurrences that wait for their run.
        carried: the last run was cut short and is to be gone on with.
        paused: occurrences are let pass.
        asked: somebody wants it to run now, at whatever time.
        running: a run was begun; one that is found so at a start was cut by a kill.
        not_before: when a run may be tried again.
        deaths: processes that died in a row.
        occurrence: names what the run stands for, until it is over, whatever cuts it.
        last: None: it never ran to an end.
    """

    seen: Moment
    timing: str = ""
    pending: NonNegativeInt = 0
    carried: bool = False
    paused: bool = False
    asked: bool = False
    running: bool = False
    not_before: Moment | None = None
    deaths: NonNegativeInt = 0
    occurrence: str = ""
    last: LastRun | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        times = {"seen": self.seen.isoformat()}
        if self.not_before:
            times["not_before"] = self.not_before.isoformat()
        return asdict(self) | times


def noticed(standing: Standing, schedule: Schedule, now: datetime) -> tuple[Standing, str]:
    """The standing after a look at the clock, and what there is to say about it.

    A clock that is set back repeats nothing: its occurrences were taken note of. One that jumps
    ahead, or a machine that slept, makes them late, and the schedule says what becomes of those.
    """
    if standing.seen > now + CLOCK_SET_BACK:
        said = (
            f"the clock was at {standing.seen:%Y-%m-%d %H:%M} UTC before; the schedule continues "
            "from now"
        )
        return replace(standing, seen=now), said
    timing = f"{schedule.cron} {schedule.timezone}"
    if standing.timing != timing:
        return replace(standing, seen=now, timing=timing), ""
    cron = schedule.occurrences
    if cron is None or standing.seen >= now:
        return standing, ""
    found = list(islice(cron.between(standing.seen, now), MOST_PENDING))
    standing = replace(standing, seen=now)
    if not found or standing.paused:
        return standing, "an occurrence passed while paused" if found else ""
    late = sum(now - when > LATE for when in found)
    if schedule.missed == "skip":
        kept = 0 if late == len(found) or standing.running else 1
        said = f"{len(found) - kept} missed, skipped" if kept < len(found) else ""
        return replace(standing, pending=max(standing.pending, kept)), said
    if schedule.missed == "once":
        missed = late or standing.running or standing.pending
        return replace(standing, pending=1), f"{len(found)} late, run once" if missed else ""
    pending = min(MOST_PENDING, standing.pending + len(found))
    return replace(standing, pending=pending), f"{pending} to run" if pending > 1 else ""


def may_run(standing: Standing, schedule: Schedule, now: datetime) -> bool:
    """Whether a run is to be started as soon as there is room for it."""
    if standing.running:
        return False
    if standing.asked:
        return True
    if standing.paused or (standing.not_before is not None and now < standing.not_before):
        return False
    if not (standing.pending or standing.carried):
        return False
    hours = schedule.hours
    return hours is None or hours.holds(now)


def started(standing: Standing, now: datetime) -> Standing:
    """The standing while it runs; the run stands for what was asked or carried, else due."""
    resumes = standing.asked or standing.carried
    return replace(
        standing,
        running=True,
        asked=False,
        carried=False,
        pending=standing.pending if resumes else max(0, standing.pending - 1),
        not_before=None,
        occurrence=standing.occurrence if standing.carried else now.isoformat(),
    )


def ended(standing: Standing, *, unfinished: bool, last: LastRun) -> Standing:
    """The standing after a run that ended by itself.

    Args:
        unfinished: its window closed, or it was asked to stop: it is to be gone on with.
    """
    return replace(standing, running=False, carried=unfinished, deaths=0, last=last)


def cut(standing: Standing, now: datetime) -> Standing:
    """The standing after a run whose process died: it is gone on with, some time later."""
    deaths = standing.deaths + 1
    if deaths > MOST_DEATHS:
        return replace(standing, running=False, carried=False, deaths=0)
    wait = RETRY * 2 ** (deaths - 1)
    return replace(standing, running=False, carried=True, deaths=deaths, not_before=now + wait)
