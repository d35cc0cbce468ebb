"""What other shells ask of the schedules, and leave for the process that runs them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.errors import HpsearchError
from hpsearch.scheduler.desk import HEALTHY_SECONDS, Desk, Order
from hpsearch.scheduler.schedules import ScheduleFolder
from hpsearch.scheduler.standing import Standing
from hpsearch.tracking.home import Home

if TYPE_CHECKING:
    import pandas as pd

COMING = 10  # runs that --next shows


def coming_runs(
    folder: str | Path = "studies",
    *,
    home: str | Path | None = None,
    count: int = COMING,
    now: datetime | None = None,
) -> pd.DataFrame:
    """The coming runs of a folder's schedules: schedule, when (local), window and standing.

    Raises:
        StudyFileError: there is no such folder.
    """
    import pandas as pd

    files = ScheduleFolder(Path(folder))
    files.reload()
    standings = Desk.of(Home.find(Path(home) if home else None)).standings()
    first = now or datetime.now(UTC)
    rows = []
    for item in files.found.values():
        standing = standings.get(item.key)
        moment, cron = first, item.schedule.occurrences
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
    frame = pd.DataFrame([row[1:] for row in rows[:count]], columns=["schedule", "when", "window"])
    said = {i.name: _standing_text(standings.get(i.key)) for i in files.found.values()}
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
    """Pause, resume or run a schedule now; True if a process is there to do it at once.

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
    """What the process that runs the schedules told within the last minute.

    Raises:
        HpsearchError: it does not run, or has told nothing for longer.
    """
    said = Desk.of(Home.find(Path(home) if home else None)).health()
    if said is None or said["age"] > HEALTHY_SECONDS:
        told = "never did" if said is None else f"did {said['age']:.0f} s ago"
        raise HpsearchError(
            f"python -m hpsearch schedule must have told of itself in the last "
            f"{HEALTHY_SECONDS:.0f} s, but {told}: start it"
        )
    return said
