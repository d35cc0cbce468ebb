"""Schedules against a clock of the test's: missed runs, windows, jumps, summer time."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hpsearch.api.schedule import check_health, coming_runs, leave_order, run_schedule
from hpsearch.errors import HpsearchError, RunningError, StudyFileError
from hpsearch.records.layout import Home
from hpsearch.scheduler.batch_report import BatchReport, StudyRow
from hpsearch.scheduler.desk import Desk
from hpsearch.scheduler.schedules import ScheduleFolder
from hpsearch.scheduler.standing import MOST_PENDING
from hpsearch.timetable import Cron
from tests.harness.study_files import SMALL

MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Over(Exception):
    """The test's time is over."""


class TestClock:
    """Goes some minutes at every sleep; does something at some times; ends."""

    __test__ = False

    def __init__(
        self, first: str, last: str, then: dict[str, Callable[[], Any]], step: int
    ) -> None:
        self.time, self.last, self.step = utc(first), utc(last), step * MINUTE
        self.then = {utc(text): action for text, action in then.items()}

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += self.step
        if action := self.then.pop(self.time, None):
            action()
        if self.time > self.last:
            raise Over


class Night:
    """A folder of schedules and what ran when; a run takes as long as said."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "studies", folder / "home"
        self.folder.mkdir()
        self.ran: list[str] = []
        self.occurrences: list[str] = []
        self.stopped = 0
        self.minutes = 0
        self.dallies = 0  # minutes between a run's last word and its process's end
        self.cut = ""
        self.retention = ""
        self.words: list[dict[str, Any]] = []  # what a run tells before its report
        self.logged: list[tuple[str, str]] = []

    def write(self, name: str, schedule: str) -> None:
        text = SMALL.replace('name = "small"', f'name = "{name}"')
        (self.folder / f"{name}.toml").write_text(
            f'{text}[schedule]\ntimezone = "UTC"\n{schedule}'
        )

    def run(
        self,
        first: str,
        last: str,
        then: dict[str, Callable[[], Any]] | None = None,
        step: int = 1,
    ) -> None:
        self.clock = TestClock(first, last, then or {}, step)
        with pytest.raises(Over):
            run_schedule(
                self.folder,
                home=self.home,
                clock=self.clock,  # type: ignore[arg-type]
                start=self.start,
                log=lambda event, schedule="", message="", **more: self.logged.append(
                    (event, message)
                ),
            )

    def start(self, options: dict[str, Any]) -> Any:
        self.ran.append(f"{options['schedule']} {self.clock.now():%d %H:%M}")
        self.occurrences.append(options["occurrence"])
        return Run(self, self.clock.now() + self.minutes * MINUTE)

    def jump(self, minutes: int) -> Callable[[], None]:
        def action() -> None:
            self.clock.time += minutes * MINUTE

        return action


class Run:
    """A run of so many minutes that ends as the night says."""

    def __init__(self, night: Night, end: datetime) -> None:
        self.night, self.end, self.told = night, end, False

    def over(self) -> bool:
        return self.night.clock.now() >= self.end + self.night.dallies * MINUTE

    def news(self) -> list[dict[str, Any]]:
        if self.told or self.night.clock.now() < self.end or self.night.cut == "died":
            return []
        self.told = True
        row = StudyRow("a", "stopped" if self.night.cut else "finished")
        kept = self.night.retention
        report = BatchReport("a", "a.toml", [row], 1.0, self.night.cut, retention=kept)
        return [*self.night.words, {"report": report.as_dict()}]

    def stop(self) -> None:
        self.night.stopped += 1


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def test_runs_start_when_they_are_due_and_not_before(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    night.run("2026-11-21 01:00", "2026-11-23 03:00", step=10)
    assert night.ran == ["a 21 02:00", "a 22 02:00", "a 23 02:00"]


def test_summer_time_neither_drops_nor_doubles_a_run(night: Night) -> None:
    night.write("a", 'cron = "30 2 * * *"')
    path = night.folder / "a.toml"
    path.write_text(path.read_text().replace('"UTC"', '"Europe/Berlin"'))
    night.run("2026-03-28 12:00", "2026-03-30 12:00", step=15)
    night.run("2026-10-24 12:00", "2026-10-26 12:00", step=15)
    assert night.ran == ["a 29 01:30", "a 30 00:30", "a 24 12:00", "a 25 00:30", "a 26 01:30"]


def test_a_clock_set_back_repeats_nothing(night: Night) -> None:
    night.write("a", 'cron = "0 * * * *"')
    back = {"2026-11-21 02:30": night.jump(-60)}
    night.run("2026-11-21 00:30", "2026-11-21 03:30", back)
    assert night.ran == ["a 21 01:00", "a 21 02:00", "a 21 03:00"]


def test_a_clock_that_was_years_ahead_does_not_stop_the_schedule(night: Night) -> None:
    night.write("a", 'cron = "0 * * * *"')
    night.run("2031-01-01 00:30", "2031-01-01 00:40")
    night.run("2026-11-21 00:30", "2026-11-21 01:30")
    assert night.ran == ["a 21 01:00"]
    assert any("the clock was at 2031" in message for _, message in night.logged)


@pytest.mark.parametrize(("missed", "runs"), [("skip", 0), ("once", 1), ("all", 5)])
def test_runs_missed_while_nothing_ran_follow_the_policy(
    night: Night, missed: str, runs: int
) -> None:
    night.write("a", f'cron = "0 2 * * *"\nmissed = "{missed}"')
    night.run("2026-11-10 01:00", "2026-11-10 01:30")
    night.run("2026-11-15 01:00", "2026-11-15 01:30")  # 5 nights later
    assert len(night.ran) == runs


@pytest.mark.parametrize(("noticed", "runs"), [("02:01", 1), ("02:02", 0)])
def test_a_minute_late_is_not_missed(night: Night, noticed: str, runs: int) -> None:
    night.write("a", 'cron = "0 2 * * *"\nmissed = "skip"')
    night.run("2026-11-10 01:00", "2026-11-10 01:30")
    night.run(f"2026-11-10 {noticed}", "2026-11-10 02:10")
    assert len(night.ran) == runs


def test_a_clock_that_jumps_ahead_makes_up_for_what_it_skipped(night: Night) -> None:
    night.write("a", 'cron = "*/10 * * * *"\nmissed = "once"')
    ahead = {"2026-11-21 00:05": night.jump(120)}
    night.run("2026-11-21 00:01", "2026-11-21 02:08", ahead)
    assert night.ran == ["a 21 02:05"]


def test_years_of_missed_runs_are_not_all_made_up_for(night: Night) -> None:
    night.write("a", 'cron = "* * * * *"\nmissed = "all"')
    night.run("2024-11-21 00:00", "2024-11-21 00:00")
    night.run("2026-11-21 00:00", "2026-11-21 00:00")
    (standing,) = Desk.of(Home(night.home)).standings().values()
    assert standing.pending == MOST_PENDING - len(night.ran)


@pytest.mark.parametrize(
    ("missed", "expected"),
    [
        ("skip", ["00:10", "00:40"]),
        ("once", ["00:10", "00:35"]),
        ("all", ["00:10", "00:35"]),
    ],
)
def test_runs_never_overlap(night: Night, missed: str, expected: list[str]) -> None:
    night.write("a", f'cron = "*/10 * * * *"\nmissed = "{missed}"')
    night.minutes = 25
    night.run("2026-11-21 00:01", "2026-11-21 00:45")
    assert night.ran == [f"a 21 {when}" for when in expected]


def test_schedules_take_turns(night: Night) -> None:
    for name in ("a", "b"):
        night.write(name, 'cron = "0 * * * *"')
    night.minutes = 20
    night.run("2026-11-21 00:30", "2026-11-21 02:30")
    assert night.ran == ["a 21 01:00", "b 21 01:20", "a 21 02:00", "b 21 02:20"]


def test_a_run_waits_for_its_window_and_what_that_cuts_goes_on_in_the_next(night: Night) -> None:
    night.write("a", 'cron = "0 1 * * mon"\nwindow = "02:00-06:00"')  # the 23rd is a Monday
    night.minutes, night.cut = 240, "window"
    done = {"2026-11-24 12:00": lambda: setattr(night, "cut", "")}
    night.run("2026-11-22 12:00", "2026-11-26 12:00", done, step=30)
    assert night.ran == ["a 23 02:00", "a 24 02:00", "a 25 02:00"]


def test_a_budget_that_is_used_up_waits_for_the_next_occurrence(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    night.cut = "budget"
    night.run("2026-11-21 01:00", "2026-11-22 03:00", step=10)
    assert night.ran == ["a 21 02:00", "a 22 02:00"]


def test_a_run_whose_process_died_is_gone_on_with_ever_later_and_then_left(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    night.cut = "died"
    night.run("2026-11-21 01:00", "2026-11-21 05:00")
    assert len(night.ran) == 6
    assert sum(event == "cut" for event, _ in night.logged) == 6


def test_a_process_that_ends_a_while_after_its_report_is_no_dead_one(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    night.dallies = 3
    night.run("2026-11-21 01:50", "2026-11-21 02:30")
    assert night.ran == ["a 21 02:00"]
    assert [event for event, _ in night.logged if event in ("cut", "end")] == ["end"]


def test_what_a_run_tells_is_logged(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    night.words = [{"study": "small", "number": 1, "of": 2}, {"warning": "MLflow is away"}]
    night.retention = "2 runs deleted, 8 kept"
    night.run("2026-11-21 01:50", "2026-11-21 02:10")
    assert night.logged[2:5] == [
        ("run", "started (due)"),
        ("study", "study 1 of 2: small"),
        ("warning", "MLflow is away"),
    ]
    assert ("retention", "retention: 2 runs deleted, 8 kept") in night.logged
    assert night.logged[5] == ("end", "a: 1 finished, 1.0 s")


def test_an_end_in_the_middle_is_gone_on_with_at_the_next_start(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    night.minutes = 60
    night.run("2026-11-21 01:00", "2026-11-21 02:30")
    assert night.stopped == 1
    night.run("2026-11-21 12:00", "2026-11-21 14:00")
    assert night.ran == ["a 21 02:00", "a 21 12:00"]
    assert [message for event, message in night.logged if event == "run"] == [
        "started (due)",
        "stopped; the next start resumes it",
        "started (carried over)",
    ]


def test_what_is_gone_on_with_is_the_same_occurrence_and_the_next_day_another(
    night: Night,
) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    night.minutes = 30
    night.run("2026-11-21 01:50", "2026-11-21 02:10")  # ends in the middle of the run
    night.run("2026-11-21 02:20", "2026-11-22 02:10", step=10)
    first, again, second = night.occurrences
    assert first == again != second


def test_orders_from_another_shell(night: Night) -> None:
    night.write("a", 'cron = "0 * * * *"\nwindow = "00:00-12:00"')

    def order(what: Any) -> Callable[[], object]:
        return lambda: leave_order(what, "a", night.folder, home=night.home)

    orders = {
        "2026-11-21 01:30": order("pause"),
        "2026-11-21 03:30": order("run-now"),
        "2026-11-21 04:30": order("resume"),
        "2026-11-21 12:30": order("run-now"),
    }
    night.run("2026-11-21 00:30", "2026-11-21 13:30", orders, step=10)
    said = [message for event, message in night.logged if event in ("run", "order")]
    assert said[:5] == ["started (due)", "pause", "run-now", "started (asked)", "resume"]
    hours = [f"a 21 {hour:02}:00" for hour in range(5, 12)]
    assert night.ran == ["a 21 01:00", "a 21 03:30", *hours, "a 21 12:30"]
    with pytest.raises(StudyFileError, match=r"must be one of a, got 'b'"):
        leave_order("pause", "b", night.folder, home=night.home)


def test_changed_new_and_deleted_files_are_noticed(night: Night) -> None:
    night.write("a", 'cron = "0 * * * *"')
    path = night.folder / "a.toml"

    def change(text: str) -> Callable[[], object]:
        old, new = text.split(" > ")
        return lambda: path.write_text(path.read_text().replace(old, new))

    night.run(
        "2026-11-21 00:30",
        "2026-11-21 05:30",
        {
            "2026-11-21 01:30": change("0 * * * * > 0 25 * * *"),
            "2026-11-21 03:30": change("0 25 * * * > 15 * * * *"),
            "2026-11-21 04:30": path.unlink,
        },
        step=5,
    )
    assert night.ran == ["a 21 01:00", "a 21 04:15"]
    problems = [message for event, message in night.logged if event == "problem"]
    assert len(problems) == 1
    assert "schedule.cron: must be a cron expression" in problems[0]


def test_a_folder_that_is_away_for_a_while_is_said_once_and_waited_for(night: Night) -> None:
    night.write("a", 'cron = "0 * * * *"')
    away = night.folder.with_name("away")
    night.run(
        "2026-11-21 00:30",
        "2026-11-21 03:30",
        {
            "2026-11-21 01:30": lambda: night.folder.rename(away),
            "2026-11-21 02:30": lambda: away.rename(night.folder),
        },
    )
    assert night.ran == ["a 21 01:00", "a 21 02:30", "a 21 03:00"]
    assert sum(event == "problem" for event, _ in night.logged) == 1


def test_the_coming_runs_in_order_with_where_they_stand(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"\nwindow = "02:00-06:00"')
    night.write("b", 'cron = "0 1,3 * * *"')
    night.run("2026-11-20 12:00", "2026-11-20 12:05")
    leave_order("pause", "b", night.folder, home=night.home)
    night.run("2026-11-20 12:06", "2026-11-20 12:08")
    frame = coming_runs(night.folder, home=night.home, count=3, now=utc("2026-11-20 12:00"))
    assert list(frame["schedule"]) == ["b", "a", "b"]
    assert list(frame["when"])[1] == "2026-11-21T02:00:00+00:00"
    assert list(frame["standing"]) == ["paused", "", "paused"]


def test_one_process_a_home_runs_the_schedules(night: Night) -> None:
    night.write("a", "")
    Home(night.home).create()
    desk = Desk.of(Home(night.home))
    assert not desk.taken
    with desk.take():
        assert desk.taken
        with pytest.raises(RunningError, match="already being run by another"):
            run_schedule(night.folder, home=night.home)


def test_files_without_a_schedule_are_not_scheduled(night: Night) -> None:
    (night.folder / "plain.toml").write_text(SMALL)
    (night.folder / "broken.toml").write_text("name = [")
    files = ScheduleFolder(night.folder)
    lines = files.reload()
    assert not files.found
    assert list(files.problems) == ["broken"]
    assert len(lines) == 1
    assert files.reload() == []


def test_a_schedule_that_waits_is_not_looked_at_every_second(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[datetime] = []
    after = Cron.after

    def counted(cron: Cron, when: datetime) -> datetime | None:
        looks.append(when)
        return after(cron, when)

    monkeypatch.setattr(Cron, "after", counted)
    for name in "abc":
        night.write(name, 'cron = "0 2 * * *"')
    night.run("2026-11-21 03:00", "2026-11-22 01:00")
    assert len(looks) == 3  # at the start, and then not before they are due
    night.run("2026-11-22 01:00", "2026-11-22 03:00")
    assert night.ran == ["a 22 02:00", "b 22 02:01", "c 22 02:02"]


def test_a_changed_expression_counts_from_the_change(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    change = {"2026-11-21 05:30": lambda: night.write("a", 'cron = "0 5-7 * * *"')}
    night.run("2026-11-21 03:00", "2026-11-21 08:00", change)
    assert night.ran == ["a 21 06:00", "a 21 07:00"]


@pytest.mark.parametrize(
    ("cron", "ran"), [("5 * * * *", ["01:00", "02:05"]), ("0 25 * * *", ["01:00"])]
)
def test_a_file_edited_while_its_run_is_under_way_is_the_next_run_s(
    night: Night, cron: str, ran: list[str]
) -> None:
    night.write("a", 'cron = "0 * * * *"')
    night.minutes = 30
    edit = {"2026-11-21 01:10": lambda: night.write("a", f'cron = "{cron}"')}
    night.run("2026-11-21 00:30", "2026-11-21 02:50", edit)
    assert night.ran == [f"a 21 {when}" for when in ran]
    assert night.stopped == 0
    ends = [message for event, message in night.logged if event == "end"]
    assert len(ends) == len(ran)
    assert all("1 finished" in message for message in ends)


@contextmanager
def pipe_at(path: Path) -> Iterator[None]:
    """A named pipe. Who opens it to read finds its end, so that a test of that ends too."""
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: os.close(os.open(path, os.O_WRONLY)))
    writer.start()
    try:
        yield
    finally:
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        writer.join()
        os.close(reader)


def test_a_named_pipe_among_the_files_is_a_problem_and_the_others_run(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    (night.folder / "e.toml").mkdir()
    with pipe_at(night.folder / "d.toml"):
        night.run("2026-11-21 01:00", "2026-11-21 03:00")
    assert night.ran == ["a 21 02:00"]
    problems = [message for event, message in night.logged if event == "problem"]
    rule = "must be a file to be read for a [schedule]"
    assert problems == [
        f"is not read: {night.folder / 'd.toml'} {rule}, got a named pipe",
        f"is not read: {night.folder / 'e.toml'} {rule}, got a folder",
    ]


def test_a_batch_whose_study_is_a_named_pipe_is_a_problem_too(night: Night) -> None:
    (night.folder / "b.toml").write_text(
        'name = "b"\n[[studies]]\nfile = "small.study"\n[schedule]\n'
    )
    with pipe_at(night.folder / "small.study"):
        night.run("2026-11-21 01:00", "2026-11-21 01:02")
    (problem,) = (message for event, message in night.logged if event == "problem")
    assert "studies.0.file: must be a file, got a named pipe, small.study" in problem


DAMAGED = {
    "cut": '{"/a.toml": {"seen": "2026-11-2',
    "empty": "",
    "of another kind": "[1, 2]",
    "without a key": '{"/a.toml": {"pending": 1}}',
    "with a wrong value": '{"/a.toml": {"seen": "2026-11-20T00:00:00Z", "pending": "many"}}',
    "with no time": '{"/a.toml": {"seen": "yesterday"}}',
    "with a time without its zone": '{"/a.toml": {"seen": "2026-11-20T00:00:00"}}',
    "with a time before all": '{"/a.toml": {"seen": "0001-01-01T00:00:00Z"}}',
    "not text": "\udcff\udcfe",
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_state_is_set_aside_and_the_schedules_go_on(night: Night, damage: str) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    files = Desk.of(Home(night.home)).files
    files.path.mkdir(parents=True)
    content = DAMAGED[damage].encode(errors="surrogateescape")
    files.standing.write_bytes(content)

    lines: list[str] = []
    coming_runs(night.folder, home=night.home, warn=lines.append)
    assert f"{files.standing} must be as hpsearch wrote it, got" in lines[0]
    night.run("2026-11-21 01:00", "2026-11-21 03:00")
    assert night.ran == ["a 21 02:00"]
    (problem,) = (message for event, message in night.logged if event == "problem")
    assert problem.startswith(f"{files.standing} must be as hpsearch wrote it, got")
    assert "none is paused" in problem
    (aside,) = files.path.glob("standing.json.damaged-*")
    assert aside.name in problem
    assert aside.read_bytes() == content
    assert json.loads(files.standing.read_text())

    coming_runs(night.folder, home=night.home, warn=lines.append)
    assert len(lines) == 1


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"order": "pause"}', '{"order": "stop", "key": "x"}', None]
)
def test_a_damaged_order_is_set_aside_and_the_next_one_obeyed(
    night: Night, content: str | None
) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    leave_order("run-now", "a", night.folder, home=night.home)
    files = Desk.of(Home(night.home)).files
    damaged = files.order("0-first")
    damaged.mkdir() if content is None else damaged.write_text(content)
    night.run("2026-11-21 03:00", "2026-11-21 03:05")
    assert night.ran == ["a 21 03:00"]
    (problem,) = (message for event, message in night.logged if event == "problem")
    assert problem.startswith(f"{damaged} must be as hpsearch wrote it, got")
    assert files.waiting_orders() == []
    assert len([*files.orders.glob("*.damaged-*")]) == 1


def test_a_damaged_health_file_is_said_and_the_next_one_is_whole(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    files = Desk.of(Home(night.home)).files
    files.path.mkdir(parents=True)
    for content in ("", "[]", '{"time": NaN}', '{"time": "now"}'):
        files.health.write_text(content)
        with pytest.raises(HpsearchError, match=r"health.json must be as hpsearch wrote it"):
            check_health(night.home)
    night.run("2026-11-21 03:00", "2026-11-21 03:05")
    assert check_health(night.home)["schedules"] == ["a"]


def test_health_that_was_told_by_a_clock_far_ahead_is_none(night: Night) -> None:
    night.write("a", 'cron = "0 2 * * *"')
    night.run("2026-11-21 03:00", "2026-11-21 03:05")
    files = Desk.of(Home(night.home)).files
    health = json.loads(files.health.read_text())
    files.health.write_text(json.dumps(health | {"time": health["time"] + 86400}))
    with pytest.raises(HpsearchError, match="must have reported within"):
        check_health(night.home)
