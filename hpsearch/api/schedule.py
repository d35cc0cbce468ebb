"""Scheduled runs: the long-running process, and orders to it from other shells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.errors import HpsearchError, StudyFileError
from hpsearch.records.layout import Home
from hpsearch.scheduler import occurrence
from hpsearch.scheduler.desk import HEALTHY_SECONDS, Desk, Order
from hpsearch.scheduler.printing import KINDS, Call, scheduler_service
from hpsearch.scheduler.schedules import ScheduleFolder
from hpsearch.scheduler.service import Clock, Log, RunUnderWay, Service
from hpsearch.scheduler.standing import Standing
from hpsearch.scheduler.state_file import DamagedFile

if TYPE_CHECKING:
    import pandas as pd

COMING = 10  # runs that --next shows
SERVICE = "systemd-service"  # of the process that runs all schedules
NEVER, NOT_SCHEDULED = "never", "not scheduled"  # of --next, in place of a time
OCCURRENCE = "hpsearch.api.occurrence_process"  # the module that runs one occurrence


def _start(options: dict[str, Any]) -> RunUnderWay:
    return occurrence.start(OCCURRENCE, options)


def run_schedule(
    folder: str | Path = "studies",
    *,
    home: str | Path | None = None,
    workers: int | None = None,
    executor: str | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
    log: Log = lambda event, schedule="", message="", **more: None,
    clock: Clock | None = None,
    start: Callable[[dict[str, Any]], RunUnderWay] = _start,
) -> None:
    """Run the scheduled study and batch files of a folder, until it is interrupted.

    Files are read again when they change. A run that its window cuts is resumed when the window
    opens again; an interrupt stops the current run, which resumes at the next start.

    Args:
        folder: a folder; its files and those of its subfolders that have a [schedule] are run.
        home, workers, executor, storage, tracking_uri: for every run, as for run_batch.
        log: called as log(event, schedule, message, **more) for every event.
        clock: the source of the time.
        start: starts a run_batch with these options in a separate process.

    Raises:
        StudyFileError: there is no such folder.
        RunningError: another process runs the schedules of this home folder.
        KeyboardInterrupt: interrupted; everything resumes at the next start.
    """
    stores = Home.find(Path(home) if home else None)
    files = ScheduleFolder(Path(folder))
    lines = files.reload()
    stores.create()
    desk = Desk.of(stores)
    options = {
        "home": str(stores.path),
        "workers": workers,
        "executor": executor,
        "storage": storage,
        "tracking_uri": tracking_uri,
    }
    with desk.take():
        Service(files, desk, options, log, clock or Clock(), start).run(lines)


def coming_runs(
    folder: str | Path = "studies",
    *,
    home: str | Path | None = None,
    count: int = COMING,
    now: datetime | None = None,
    warn: Callable[[str], None] = lambda line: None,
) -> pd.DataFrame:
    """The next runs of a folder's schedules: schedule, when (local), window and standing.

    Then follows a row for each schedule that is never due ("never", e.g. on 31 February), and for
    each file with a mistake ("not scheduled", with the mistake as its standing).

    Args:
        folder, home: as for `run_schedule`.
        count: the number of runs.
        now: the time, in UTC; None: the machine's.
        warn: called with a line if it is unknown which schedules are paused or waiting.

    Raises:
        StudyFileError: there is no such folder.
    """
    import pandas as pd

    files = ScheduleFolder(Path(folder))
    files.reload()
    try:
        standings = Desk.of(Home.find(Path(home) if home else None)).standings()
    except DamagedFile as error:
        warn(f"{error}; the scheduler moves it away when it starts")
        standings = {}
    first = now or datetime.now(UTC)
    rows, never = [], []
    for item in files.found.values():
        standing = standings.get(item.key)
        moment, cron = first, item.schedule.occurrences
        if cron is not None and cron.after(first) is None:
            never.append((item.name, NEVER, item.schedule.window or ""))
        for _ in range(count if cron else 0):
            assert cron is not None
            found = cron.after(moment)
            if found is None:
                break
            moment, local = found, found.astimezone(cron.zone)
            rows.append((moment, item.name, local.isoformat(), item.schedule.window or ""))
        if standing is not None and (standing.pending or standing.carried or standing.asked):
            rows.append((first, item.name, "waits", item.schedule.window or ""))
    rows.sort()
    shown = [row[1:] for row in rows[:count]] + never
    shown += [(name, NOT_SCHEDULED, "") for name in files.problems]
    frame = pd.DataFrame(shown, columns=["schedule", "when", "window"])
    said = {i.name: _standing_text(standings.get(i.key)) for i in files.found.values()}
    said |= files.problems
    frame["standing"] = frame["schedule"].map(said)
    return frame


def _standing_text(standing: Standing | None) -> str:
    if standing is None:
        return ""
    flags = {"paused": standing.paused, "running": standing.running, "carried": standing.carried}
    words = [word for word, true in flags.items() if true]
    if standing.pending:
        words.append(f"{standing.pending} pending")
    return ", ".join(words)


def leave_order(
    order: Order, name: str, folder: str | Path = "studies", *, home: str | Path | None = None
) -> bool:
    """Pause, resume or run a schedule now; True if a running scheduler does it at once.

    Raises:
        StudyFileError: the folder has no such schedule.
    """
    stores = Home.find(Path(home) if home else None)
    files = ScheduleFolder(Path(folder))
    files.reload()
    item = files.named(name)
    stores.create()
    desk = Desk.of(stores)
    desk.leave(order, item.key)
    return desk.taken


def check_health(home: str | Path | None = None) -> dict[str, Any]:
    """The status that the scheduler wrote within the last minute.

    Raises:
        HpsearchError: the scheduler does not run, or its status is older.
    """
    said = Desk.of(Home.find(Path(home) if home else None)).health()
    if said is None or said["age"] > HEALTHY_SECONDS:
        told = "never did" if said is None else f"did {said['age']:.0f} s ago"
        raise HpsearchError(
            "python -m hpsearch schedule must have reported within the last "
            f"{HEALTHY_SECONDS:.0f} s, but {told}: start it"
        )
    return said


def print_schedule(
    kind: str,
    folder: str | Path = "studies",
    *,
    name: str = "",
    home: str | Path | None = None,
    workers: int | None = None,
    executor: str | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
) -> str:
    """The text of a systemd service and timer, a crontab line or a Kubernetes CronJob for each
    schedule, or of one systemd service that runs them all.

    Args:
        kind: "systemd", "cron" or "kubernetes"; "systemd-service" for one service.
        folder: the folder of the schedules.
        name: the name of one schedule; "": all that have a cron expression.
        home, workers, executor, storage, tracking_uri: for every run, as for run_batch.

    Raises:
        StudyFileError: there is no such folder or schedule, none has a cron expression, or an
            expression is not supported by other schedulers.
    """
    files = ScheduleFolder(Path(folder))
    files.reload()
    stores = Home.find(Path(home) if home else None)
    call = Call(stores, workers, executor, storage, tracking_uri)
    if kind == SERVICE:
        return scheduler_service(Path(folder), call)
    items = [files.named(name)] if name else list(files.found.values())
    timed = [item for item in items if item.schedule.cron]
    if not timed:
        raise StudyFileError(f"{folder} must have a [schedule] with a cron expression, got none")
    return "\n".join(KINDS[kind](item, call) for item in timed)
