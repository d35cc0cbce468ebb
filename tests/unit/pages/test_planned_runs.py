"""Batches and schedules of a home, as their files say."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

from hpsearch.pages.planned_runs import batch_rows, scheduler
from hpsearch.records.layout import Home
from hpsearch.scheduler.batch_report import BatchReport, StudyRow
from hpsearch.scheduler.desk import Desk, Health
from hpsearch.scheduler.standing import LastRun, Standing

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)  # a Saturday


def file(folder: Path, name: str, schedule: str) -> str:
    """A study file with a [schedule], which alone is read of it."""
    path = folder / f"{name}.toml"
    path.write_text(f'trainer = "not_there:train"\n[schedule]\ntimezone = "UTC"\n{schedule}\n')
    return str(path)


def test_the_next_runs_and_the_last_result_of_a_schedule(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    last = LastRun("2026-11-27T02:00:00+00:00", "2026-11-27T02:09:00+00:00", "night: 1 failed", 1)
    night = file(tmp_path, "night", 'cron = "0 2 * * mon-fri"\nwindow = "02:00-06:00"')
    paused = file(tmp_path, "paused", 'cron = "0 3 * * *"')
    asked = file(tmp_path, "asked", "")
    Desk.of(home).keep(
        {
            night: Standing(NOW, last=last),
            paused: Standing(NOW, paused=True),
            asked: Standing(NOW, asked=True),
            str(tmp_path / "gone.toml"): Standing(NOW),
        }
    )
    found = scheduler(home, NOW)
    rows = {row.name: row for row in found.rows}
    assert [*rows] == ["night", "asked", "paused"]  # the next to run first
    assert [when.isoformat() for when in rows["night"].coming] == [
        f"2026-{day}T02:00:00+00:00" for day in ("11-30", "12-01", "12-02")
    ]
    assert rows["night"].text == "cron 0 2 * * mon-fri, window 02:00-06:00, UTC"
    assert rows["night"].last == "night: 1 failed"
    assert rows["night"].failed
    assert (rows["paused"].state, rows["paused"].coming) == ("paused", [])
    assert (rows["asked"].state, rows["asked"].coming) == ("waits", [])
    assert not found.runs
    assert "start python -m hpsearch schedule" in found.health


def test_a_process_that_runs_the_schedules_is_told_of(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    night = file(tmp_path, "night", 'cron = "0 2 * * *"')
    desk = Desk.of(home)
    desk.keep({night: Standing(NOW, running=True)})
    desk.tell_health(Health(time.time(), 7, "night", ["night"], {"bad": "no TOML"}))
    found = scheduler(home, NOW)
    assert found.health == "The scheduler is running (process 7)."
    assert found.problems == ["bad: no TOML"]
    assert found.rows[0].state == "runs now"
    desk.tell_health(Health(time.time() - 3600, 7, "night", ["night"], {}))
    assert scheduler(home, NOW).rows[0].state == ""  # it was cut by a kill


def test_what_is_wrong_with_a_schedule_is_said(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    Desk.of(home).keep({file(tmp_path, "bad", 'cron = "never"'): Standing(NOW)})
    (row,) = scheduler(home, NOW).rows
    assert "is not scheduled until its [schedule] is corrected" in row.problem
    home.schedule.standing.write_text("{")
    found = scheduler(home, NOW)
    assert found.rows == ()
    assert str(home.schedule.standing) in found.problems[0]


def test_the_last_results_of_batches(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert batch_rows(home) == []
    files = home.batch("night", "abc")
    files.path.mkdir(parents=True)
    assert batch_rows(home) == []  # its first call runs
    rows = (StudyRow("a", "finished", validation=0.9), StudyRow("b", "failed", "no luck"))
    report = BatchReport("night", "n.toml", rows, 61.0)
    files.summary.write_text(json.dumps(report.as_dict()))
    broken = home.batch("other", "abc")
    broken.path.mkdir()
    broken.summary.write_text("{")
    night, other = batch_rows(home)
    assert (night.name, night.line, night.failed) == ("night", report.line, True)
    assert [study.outcome for study in night.studies] == ["finished", "failed"]
    assert night.ended is not None
    assert "can't be read" in other.line
