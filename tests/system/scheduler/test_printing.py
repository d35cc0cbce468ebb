"""Calendars for systemd, as systemd understands them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from hpsearch.records.layout import Home
from hpsearch.scheduler.printing import KINDS, Call, on_calendar, scheduler_service
from hpsearch.scheduler.schedules import Scheduled
from hpsearch.studyfile.tables.schedule import Schedule
from hpsearch.timetable import Cron

START = datetime(2026, 11, 27, 12, tzinfo=UTC)
ELAPSE = r"(?:Next elapse|Iter[.a-z]* #\d+): \w+ ([\d-]+ [\d:]+) UTC"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize(
    "cron",
    [
        "0 2 * * *",
        "30 2 * * 1-5",
        "0 0 * * sun",
        "*/15 8-18 1,15 */3 *",
        "5 8-18/2 */10 * *",
        "0 2 1 jan,JUL *",
        "0 2 1 oct-dec *",
        "10-50/20 2 * 3-9/2 *",
    ],
)
def test_systemd_starts_it_when_the_schedule_would(cron: str) -> None:
    command = ["systemd-analyze", "calendar", "--iterations=9", f"--base-time={START:%F %T} UTC"]
    command.append(on_calendar(cron, "UTC"))
    utc = {**os.environ, "TZ": "UTC"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=utc)
    found = [datetime.fromisoformat(f"{text}+00:00") for text in re.findall(ELAPSE, done.stdout)]
    between = Cron(cron, UTC).between(START, START + timedelta(days=4000))
    assert found == list(islice(between, 9))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_units_as_they_are(tmp_path: Path) -> None:
    home = Home(tmp_path / '50% "a" $b')
    item = Scheduled("a%b", tmp_path / "a%b.toml", Schedule(cron="0 2 * jan mon-fri"), 1)
    text = scheduler_service(tmp_path, Call(home)) + "\n" + KINDS["systemd"](item, Call(home))
    units = re.findall(r"^# /etc/systemd/system/(\S+)\n(.*?)(?=^# /etc|\Z)", text, re.M | re.S)
    assert [Path(name).suffix for name, _ in units] == [".service", ".service", ".timer"]
    paths = [tmp_path / name for name, _ in units]
    for path, (_, content) in zip(paths, units, strict=True):
        path.write_text(content)
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert not ours, done.stderr
