"""Calendars for systemd, as systemd understands them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from hpsearch.scheduler.printing import on_calendar
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
