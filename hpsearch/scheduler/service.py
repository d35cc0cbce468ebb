"""The long-running process: starts what is due, one run at a time, until it is told to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from hpsearch.counts import count_of
from hpsearch.errors import HpsearchError
from hpsearch.scheduler.agenda import Agenda
from hpsearch.scheduler.batch_report import BatchReport
from hpsearch.scheduler.desk import Desk, Health, LeftOrder
from hpsearch.scheduler.schedules import FileNews, Scheduled, ScheduleFolder
from hpsearch.scheduler.standing import LastRun, Standing, cut, ended, may_run, noticed, started

TICK_SECONDS = 1.0  # between two looks at the clock, the files and the orders
HEALTH_SECONDS = 10.0  # between two writes of the health file; a minute of silence is illness
Log = Callable[..., None]  # event, schedule and message; more as keywords


class Clock:
    """The time of the machine; tests have another one."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


class RunUnderWay(Protocol):
    """A run of a schedule in a process of its own, e.g. `occurrence.Occurrence`."""

    def news(self) -> list[dict[str, Any]]: ...

    def over(self) -> bool: ...

    def stop(self) -> None: ...


@dataclass
class Service:
    """The process while it holds the desk."""

    files: ScheduleFolder
    desk: Desk
    options: Mapping[str, Any]
    log: Log
    clock: Clock
    start: Callable[[dict[str, Any]], RunUnderWay]
    _standings: dict[str, Standing] = field(default_factory=dict)
    _agenda: Agenda = field(default_factory=Agenda)
    _run: RunUnderWay | None = None
    _running: Scheduled | None = None  # what _run runs
    _began: datetime | None = None
    _result: dict[str, Any] = field(default_factory=dict)  # what it ended with
    _trouble: str = ""
    _healthy: float = -float("inf")

    def run(self, news: Sequence[FileNews]) -> None:
        """Tick until something raises.

        Args:
            news: of the files, when they were read first.
        """
        self._standings = {
            # A run that was under way when the process before was killed.
            key: replace(s, running=False, carried=True) if s.running else s
            for key, s in self.desk.recovered_standings(self._warn).items()
        }
        self._say_files(news)
        self.log(
            "started",
            message=f"{count_of(len(self.files.found), 'schedule')}, process {os.getpid()}",
        )
        try:
            while True:
                try:
                    self._say_files(self.files.reload())
                    self.tick(self.clock.now())
                    self._trouble = ""
                except HpsearchError as error:  # a full disk, a folder that is away: it may return
                    self._say_trouble(str(error))
                self.clock.sleep(TICK_SECONDS)
        finally:
            self._end()

    def tick(self, now: datetime) -> None:
        """One look at everything."""
        before = dict(self._standings)
        for item in self.files.found.values():
            if item.key not in self._standings:
                self._standings[item.key] = Standing(seen=now)
        for order in self.desk.orders(self._warn):
            self._obey(order)
            self.desk.keep(self._standings)  # before the order is taken away
        for item in self.files.found.values():
            if self._agenda.is_due(item, now):
                self._notice(item, now)
        if self._run is not None:
            self._look_at_run(now)
        if self._run is None:
            self._start_next(now)
        if self._standings != before or time.monotonic() - self._healthy > HEALTH_SECONDS:
            self.desk.keep(self._standings)
            self._tell_health()

    def _notice(self, item: Scheduled, now: datetime) -> None:
        """Take note of the occurrences of one schedule."""
        standing, message = noticed(self._standings[item.key], item.schedule, now)
        self._standings[item.key] = standing
        self._agenda.note(item, standing, now)
        if message:
            self.log("missed", item.name, message)

    def _warn(self, text: str) -> None:
        self.log("problem", message=text)

    def _say_files(self, news: Sequence[FileNews]) -> None:
        for one in news:
            wrong = one.name in self.files.problems
            self.log("problem" if wrong else "file", one.name, one.message)

    def _say_trouble(self, text: str) -> None:
        if text != self._trouble:
            self._warn(text)
        self._trouble = text

    def _obey(self, left: LeftOrder) -> None:
        standing = self._standings.get(left.key)
        if standing is None:
            return  # its file is gone
        if left.order == "run-now":
            standing = replace(standing, asked=True)
        else:
            standing = replace(standing, paused=left.order == "pause")
        self._standings[left.key] = standing
        self.log("order", self._name(left.key), left.order)

    def _name(self, key: str) -> str:
        return next((i.name for i in self.files.found.values() if i.key == key), key)

    def _start_next(self, now: datetime) -> None:
        """Start the run that waits the longest of those that may start."""
        able = [
            item
            for item in self.files.found.values()
            if may_run(self._standings[item.key], item.schedule, now)
        ]
        if not able:
            return
        item = min(able, key=lambda i: (not self._standings[i.key].asked, self._last_end(i)))
        standing = self._standings[item.key]
        why = "asked" if standing.asked else "carried over" if standing.carried else "due"
        # On the disk before it begins: a kill from here on is known of.
        begun = started(standing, now)
        self.desk.keep(self._standings | {item.key: begun})
        options = {**self.options, "path": str(item.path), "schedule": item.name}
        options["occurrence"] = begun.occurrence
        if standing.asked:
            options["window"] = ""  # now means now
        self._run, self._running, self._began = self.start(options), item, now
        self._result = {}
        self._standings[item.key] = begun
        self.log("run", item.name, f"started ({why})")

    def _last_end(self, item: Scheduled) -> str:
        """When it ran last; "" for never: first in the queue."""
        last = self._standings[item.key].last
        return last.ended if last else ""

    def _look_at_run(self, now: datetime) -> None:
        """Pass its news on; when it is over, note how it went."""
        assert self._run is not None
        assert self._running is not None
        over = self._run.over()
        for news in self._run.news():
            if "study" in news:
                text = f"study {news['number']} of {news['of']}: {news['study']}"
                self.log("study", self._running.name, text)
            elif "warning" in news:
                self.log("warning", self._running.name, news["warning"])
            else:
                self._result = news  # the process may take a moment to end after that
        if over:
            self._note_end(self._result, now)
            self._run = self._running = None

    def _note_end(self, result: dict[str, Any], now: datetime) -> None:
        item = self._running
        assert item is not None
        standing = self._standings[item.key]
        if "report" in result:
            report = BatchReport.from_dict(result["report"])
            line, code = report.line, report.exit_code
            # A budget that is used up waits for the next occurrence, a window for its opening.
            unfinished = report.cut in ("window", "asked")
            more = {"report": result["report"]}
        elif "error" in result and not result["later"]:
            line, code, unfinished, more = result["error"], 1, False, {}
        else:
            line = result.get("error", "its process died")
            self._standings[item.key] = cut(standing, now)
            again = self._standings[item.key].not_before
            when = (
                f"; tried again at {again:%H:%M:%S} UTC" if again else "; given up until it is due"
            )
            self.log("cut", item.name, line + when)
            return
        assert self._began is not None
        last = LastRun(self._began.isoformat(), now.isoformat(), line, code)
        self._standings[item.key] = ended(standing, unfinished=unfinished, last=last)
        self.log("end", item.name, line, exit_code=code, **more)
        if "report" in result and report.retention:
            self.log("retention", item.name, f"retention: {report.retention}")

    def _tell_health(self) -> None:
        self._healthy = time.monotonic()
        running = self._running.name if self._running else None
        names, problems = sorted(self.files.found), self.files.problems
        self.desk.tell_health(Health(time.time(), os.getpid(), running, names, problems))

    def _end(self) -> None:
        """Stop the run under way; the next start goes on with it."""
        if self._run is not None and self._running is not None:
            self.log("run", self._running.name, "stopped; the next start resumes it")
            self._run.stop()
            standing = self._standings[self._running.key]
            self._standings[self._running.key] = replace(standing, running=False, carried=True)
        self.desk.keep(self._standings)
        self.log("stopped")
