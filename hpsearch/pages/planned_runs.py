"""What the start page says of batches and schedules: from their files in the home alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from hpsearch.errors import HpsearchError, StudyFileError
from hpsearch.pages import wording
from hpsearch.records.layout import Home
from hpsearch.records.whole_files import read_json
from hpsearch.scheduler.agenda import NEVER
from hpsearch.scheduler.batch_reading import irregular, load_file
from hpsearch.scheduler.batch_report import BatchReport, StudyRow
from hpsearch.scheduler.desk import HEALTHY_SECONDS, Desk
from hpsearch.scheduler.schedules import described
from hpsearch.scheduler.standing import EARLIEST, Standing
from hpsearch.studyfile.tables.schedule import Schedule
from hpsearch.timetable import Cron

COMING = 3  # occurrences that are shown of each schedule


@dataclass(frozen=True)
class BatchRow:
    """A batch, as its last call left it.

    Attributes:
        line: what became of it.
        ended: when.
        studies: a row each; as long as the batch runs, of the call before.
    """

    name: str
    line: str
    ended: datetime | None
    studies: Sequence[StudyRow]
    failed: bool


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule.

    Attributes:
        file: where it stands.
        text: its expression in words.
        coming: its next occurrences.
        state: "runs now", "paused", "waits" or "".
        last: what became of the last run; "" for none.
        last_ended: when.
    """

    name: str
    file: str
    text: str
    coming: Sequence[datetime]
    state: str
    last: str
    last_ended: datetime | None
    failed: bool
    problem: str = ""


@dataclass(frozen=True)
class Scheduler:
    """All schedules of a home.

    Attributes:
        health: whether a process runs them, in a sentence.
        runs: whether one does.
        problems: files that the process can't schedule, a sentence each.
    """

    rows: Sequence[ScheduleRow]
    health: str
    runs: bool
    problems: Sequence[str] = ()


def batch_rows(home: Home) -> list[BatchRow]:
    """The batches of a home, the last one first."""
    found = []
    for files in home.all_batches():
        try:
            said = read_json(files.summary)
            if said is None:
                continue
            report = BatchReport.from_dict(said)
            ended = wording.moment(files.summary.stat().st_mtime)
            failed = report.exit_code == 1
            found.append(BatchRow(report.batch, report.line, ended, report.studies, failed))
        except (HpsearchError, OSError, ValueError, KeyError, TypeError) as error:
            line = f"its summary can't be read: {type(error).__name__}: {error}"
            found.append(BatchRow(files.path.name, line, None, (), failed=True))
    return sorted(found, key=lambda row: row.ended or EARLIEST, reverse=True)


def scheduler(home: Home, now: datetime) -> Scheduler:
    """The schedules that a process of this home has run, with their next occurrences."""
    desk = Desk.of(home)
    try:
        standings, told = desk.standings(), desk.health()
    except HpsearchError as error:
        return Scheduler((), "", runs=False, problems=[str(error)])
    runs = told is not None and told["age"] <= HEALTHY_SECONDS
    rows = [_schedule_row(Path(key), standing, now, runs) for key, standing in standings.items()]
    found = [row for row in rows if row is not None]
    found.sort(key=lambda row: (row.coming[0] if row.coming else NEVER, row.name))
    if told is None or not runs:
        health = "No scheduler is running: start python -m hpsearch schedule."
        return Scheduler(found, health, runs=False)
    problems = [f"{name}: {text}" for name, text in told["problems"].items()]
    return Scheduler(found, f"The scheduler is running (process {told['pid']}).", True, problems)


def _schedule_row(path: Path, standing: Standing, now: datetime, runs: bool) -> ScheduleRow | None:
    """None of a file that is gone, or has no [schedule] any more."""
    if not path.exists():
        return None
    text, problem, coming = "", "", []
    try:
        if kind := irregular(path):
            raise StudyFileError(f"{path} must be a file, got {kind}")
        said = load_file(path).get("schedule")
        if said is None:
            return None
        schedule = Schedule.model_validate(said)
        text = described(schedule)
        cron = schedule.occurrences
        if cron is not None and not standing.paused:
            coming = list(islice(_coming(cron, now), COMING))
    except (HpsearchError, ValueError) as error:  # pydantic's own is a ValueError
        why = str(error).splitlines()[0]
        problem = f"is not scheduled until its [schedule] is corrected: {why}"
    last = standing.last
    return ScheduleRow(
        name=path.stem,
        file=str(path),
        text=text,
        coming=coming,
        state=_state(standing, runs),
        last=last.line if last else "",
        last_ended=datetime.fromisoformat(last.ended) if last else None,
        failed=last is not None and last.exit_code == 1,
        problem=problem,
    )


def _coming(cron: Cron, now: datetime) -> Iterator[datetime]:
    moment = cron.after(now)
    while moment is not None:
        yield moment
        moment = cron.after(moment)


def _state(standing: Standing, runs: bool) -> str:
    if standing.running and runs:
        return "runs now"
    if standing.paused:
        return "paused"
    waits = standing.pending or standing.carried or standing.asked
    return "waits" if waits else ""
