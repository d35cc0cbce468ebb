"""Running a batch: its studies one after another, within its window and budget."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hpsearch import run_study
from hpsearch.api.upkeep.prune import prune
from hpsearch.errors import (
    HpsearchError,
    StorageError,
    StudyFileError,
    StudyLockedError,
    StudyStopped,
    WorkerError,
    headline,
)
from hpsearch.records.layout import Home
from hpsearch.records.whole_files import write_json
from hpsearch.scheduler.batch_reading import BatchStudy, ReadBatch, read_batch
from hpsearch.scheduler.batch_report import BatchReport, StudyRow
from hpsearch.scheduler.notification import notify, unset
from hpsearch.scheduler.rounds import BatchState
from hpsearch.study.events import Event
from hpsearch.timetable import Window, zone_named

AWAY = (StorageError, WorkerError)  # what time may mend
NAP_SECONDS = 0.5  # between two looks at whether to stop, while a retry waits
REASONS = {
    "window": "its window is closed",
    "budget": "the budget is spent",
    "asked": "stopped on request",
    "failure": "an earlier study failed",
}


def run_batch(
    path: str | Path,
    *,
    home: str | Path | None = None,
    workers: int | None = None,
    executor: str | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
    fresh: bool = False,
    window: str | None = None,
    schedule: str = "",
    occurrence: str = "",
    on_study: Callable[[str, int, int], None] = lambda name, number, of: None,
    on_event: Callable[[Event], None] = lambda event: None,
    warn: Callable[[str], None] = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> BatchReport:
    """Run the studies of a batch file as run_study does, and resume unfinished ones.

    Args:
        path: the batch file; or a study file, as a batch of one.
        home, workers, executor, storage, tracking_uri: for every study, as for run_study.
        fresh: start a new run of every study; otherwise as in the file's [schedule], and an
            unfinished round of fresh runs is resumed.
        window: hours such as "02:00-06:00" instead of those in the file; "": no window.
        schedule: the name of the calling schedule, for the tags in MLflow.
        occurrence: a unique id of the scheduled occurrence; a round of fresh runs that ended in
            this occurrence is not repeated if the scheduler, killed before the end, calls again.
        on_study: called with the name of a study, its number from 1, and the number of studies.
        on_event, warn: called with the events and warnings of a study.
        stop: called as in run_study; the batch ends soon after it returns True.
        now: the time, in UTC.

    Returns:
        The outcome of each study; a failed study is reported there and raises nothing.

    Raises:
        StudyFileError: lists every mistake in the batch and its studies; nothing was started.
        RunningError: another process runs this batch.
        KeyboardInterrupt: interrupted; the same call resumes the batch.
    """
    read, stores = read_batch(Path(path)), Home.find(Path(home) if home else None)
    hours = _window(read, window)
    if silent := unset(read.file):
        warn(silent)
    stores.create()
    state = BatchState.open(stores, read.file.name, read.path, warn)

    def noted(event: Event) -> None:
        state.owe()  # what is found finished has no events
        on_event(event)

    try:
        ended = bool(occurrence) and state.last == occurrence
        if fresh or (read.file.schedule.fresh and state.round is None and not ended):
            state.begin(study.name for study in read.studies)
        options = {
            "home": stores.path,
            "workers": workers,
            "executor": executor,
            "storage": storage,
            "tracking_uri": tracking_uri,
            "tags": _tags(read, schedule),
            "on_event": noted,
            "warn": warn,
        }
        run = _BatchRun(read, state, hours, now, stop, warn, options, schedule, occurrence)
        report = run.report(on_study)
        if report.cut != "asked":  # who stops it waits for its end
            kept = _retained(read, stores, storage, tracking_uri, warn)
            report = replace(report, retention=kept)
            write_json(state.files.summary, report.as_dict())
        if state.owed or any(row.outcome != "found" for row in report.studies):
            notify(report, read.file.notify, warn)
        state.pay()
        return report
    finally:
        state.close()


def _retained(
    read: ReadBatch,
    home: Home,
    storage: str | None,
    tracking_uri: str | None,
    warn: Callable[[str], None],
) -> str:
    """Apply the file's [retention] to its studies; what it deleted, "" where there is none."""
    table = read.file.retention
    names = [s.name for s in read.studies if home.study(s.name).numbers()]
    if table is None or not names:
        return ""
    try:
        found = prune(home, names, table, storage, tracking_uri)
    except HpsearchError as error:  # the next call tries again
        warn(f"[retention]: {error}")
        return f"not applied: {headline(error)}"
    assert found is not None
    for note in found.notes() if found.deleted else ():
        warn(f"[retention]: {note}")
    return found.line


def _window(read: ReadBatch, named: str | None) -> Window | None:
    if named is None:
        return read.file.schedule.hours
    if not named:
        return None
    try:
        return Window.parse(named, zone_named(read.file.schedule.timezone))
    except ValueError as error:
        raise StudyFileError(f"--window {error}, got {named!r}") from None


def _tags(read: ReadBatch, schedule: str) -> dict[str, str]:
    tags = {"hpsearch.batch_name": read.file.name}
    return tags | ({"hpsearch.schedule": schedule} if schedule else {})


@dataclass
class _BatchRun:
    """One call: what has been decided, and how much time is spent."""

    read: ReadBatch
    state: BatchState
    window: Window | None
    now: Callable[[], datetime]
    stop: Callable[[], bool]
    warn: Callable[[str], None]
    options: Mapping[str, Any]
    schedule: str
    occurrence: str
    _cut: str = ""  # why the batch ended before its time
    _study_ends: float = field(default=float("inf"))  # on the clock that never jumps

    def report(self, on_study: Callable[[str, int, int], None]) -> BatchReport:
        """Run all that may run; the summary is on the disk however this ends."""
        self._started = time.monotonic()
        self._closes = self._closing()
        rows: list[StudyRow] = []
        try:
            rows.extend(self._rows(on_study))
            return self._summary(rows)
        except BaseException:
            self._cut = "asked"
            self._summary(rows)
            raise

    def _summary(self, rows: list[StudyRow]) -> BatchReport:
        left = self.read.studies[len(rows) :]
        rows = rows + [StudyRow(s.name, "waiting", REASONS["asked"]) for s in left]
        seconds = time.monotonic() - self._started
        report = BatchReport(
            self.read.file.name, str(self.read.path), rows, seconds, self._cut, self.schedule
        )
        write_json(self.state.files.summary, report.as_dict())
        return report

    def _rows(self, on_study: Callable[[str, int, int], None]) -> Iterator[StudyRow]:
        for number, study in enumerate(self.read.studies, start=1):
            self._allow_study()
            if self._must_stop():
                yield StudyRow(study.name, "waiting", REASONS[self._cut])
                continue
            on_study(study.name, number, len(self.read.studies))
            row = self._row(study)
            if row.outcome in ("finished", "found", "failed"):
                names = [s.name for s in self.read.studies]
                self.state.end(study.name, names, self.occurrence)
            yield row
            if row.outcome == "failed" and self.read.file.on_failure == "stop":
                self._cut = self._cut or "failure"

    def _row(self, study: BatchStudy) -> StudyRow:
        started, attempt = time.monotonic(), 0
        while True:
            try:
                report = run_study(
                    study.path,
                    overrides=study.overrides,
                    fresh=self.state.starts_fresh(study.name),
                    stop=self._must_stop_study,
                    **self.options,
                )
            except StudyStopped:
                why = REASONS[self._cut or "budget"]
                return StudyRow(study.name, "stopped", why, seconds=_since(started))
            except StudyLockedError as error:
                return StudyRow(study.name, "locked", str(error))
            except AWAY as error:
                attempt += 1
                if attempt > self.read.file.retries:
                    return StudyRow(study.name, "failed", str(error), seconds=_since(started))
                if not self._waited(attempt, study, error):
                    why = REASONS[self._cut or "budget"]
                    return StudyRow(study.name, "stopped", why, seconds=_since(started))
            except HpsearchError as error:
                return StudyRow(study.name, "failed", str(error), seconds=_since(started))
            except Exception as error:  # a mistake of ours must not cost the other studies
                self.warn(f"{study.name}: {traceback.format_exc()}")
                why = f"{type(error).__name__}: {error}"
                return StudyRow(study.name, "failed", why, seconds=_since(started))
            else:
                return StudyRow.of(
                    study.name,
                    report.result,
                    ran=report.ran,
                    missing=report.missing,
                    seconds=_since(started),
                    link=report.link,
                )

    def _waited(self, attempt: int, study: BatchStudy, error: Exception) -> bool:
        """Wait before another attempt; False if there is no time for it."""
        seconds = self.read.file.retry_seconds * 2 ** (attempt - 1)
        self.warn(f"{study.name}: {error}; retry in {seconds:.0f} s")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._must_stop_study():
                return False
            time.sleep(min(NAP_SECONDS, seconds))
        return True

    def _closing(self) -> datetime | None:
        """When the window closes; at once if it is not open."""
        if self.window is None:
            return None
        now = self.now()
        first, last = self.window.around(now)
        return last if first <= now else now

    def _allow_study(self) -> None:
        budget = self.read.file.budget
        if budget is not None:
            since = self._started if budget.per == "batch" else time.monotonic()
            self._study_ends = since + 60 * budget.minutes

    def _must_stop(self) -> bool:
        """Whether the whole batch is over; notes why."""
        budget = self.read.file.budget
        if self._cut:
            return True
        if self.stop():
            self._cut = "asked"
        elif self._closes is not None and self.now() >= self._closes:
            self._cut = "window"
        elif budget is not None and budget.per == "batch" and self._out_of_time():
            self._cut = "budget"
        return bool(self._cut)

    def _out_of_time(self) -> bool:
        return time.monotonic() >= self._study_ends

    def _must_stop_study(self) -> bool:
        return self._must_stop() or self._out_of_time()


def _since(started: float) -> float:
    return round(time.monotonic() - started, 1)
