"""The schedule command as a process, with real runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hpsearch import leave_order
from tests.harness.commands import call_here
from tests.harness.study import run, table
from tests.harness.study_files import SMALL, TINY

COMMAND = [sys.executable, "-m", "hpsearch", "schedule"]


def start(folder: Path, home: Path) -> subprocess.Popen[str]:
    command = [*COMMAND, str(folder), "--home", str(home), "--workers", "1", "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(what: object, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while not what():  # type: ignore[operator]
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.usefixtures("without_mlflow")
def test_a_run_is_stopped_killed_and_gone_on_with_to_the_table_of_a_quiet_one(
    tmp_path: Path,
) -> None:
    folder, home, quiet = (tmp_path / name for name in ("studies", "home", "quiet"))
    folder.mkdir()
    text = TINY.replace("epochs = 8\n", "epochs = 300\n").replace("epochs = 4\n", "epochs = 100\n")
    text = text.replace("seeds = 3\ntest_seeds = 2\n", "seeds = 2\ntest_seeds = 1\n")
    text += "[evaluation]\nevery = 10\n[execution]\nslice_seconds = 0.2\n[schedule]\n"
    (folder / "small.toml").write_text(text)

    leave_order("run-now", "small", folder, home=home)  # kept until the process is there
    process = start(folder, home)
    trials = home / "studies/small/1/trials"
    wait_for(lambda: list(trials.glob("*/record.json")), process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert events[:3] == ["file", "started", "order"]
    assert events[-2:] == ["run", "stopped"]

    process = start(folder, home)  # it goes on by itself, and is killed
    begun = len(list(trials.glob("*/record.json")))
    wait_for(lambda: len(list(trials.glob("*/record.json"))) > begun, process)
    below = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(below, timeout=10)
    assert not alive

    process = start(folder, home)
    wait_for((home / "studies/small/1/artifacts/result.json").exists, process)
    standing = home / "schedule/standing.json"
    key = str(folder / "small.toml")
    wait_for(lambda: json.loads(standing.read_text())[key]["last"], process)
    alive_now = call_here("schedule", "--health", "--home", str(home))
    assert json.loads(alive_now.stdout)["pid"] == process.pid
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    (end,) = (said for line in out.splitlines() if (said := json.loads(line))["event"] == "end")
    assert end["exit_code"] == 0
    assert end["report"]["schedule"] == "small"

    run(folder / "small.toml", quiet)
    assert table(home) == table(quiet)


def test_the_coming_runs_and_units_for_other_schedulers(tmp_path: Path) -> None:
    text = SMALL + '[schedule]\ncron = "30 2 * * 1-5"\ntimezone = "Europe/Berlin"\n'
    (tmp_path / "small.toml").write_text(text)

    def call(*arguments: str) -> str:
        done = call_here("schedule", str(tmp_path), "--home", str(tmp_path / "home"), *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    rows = json.loads(call("--next", "--json"))
    assert len(rows) == 10
    assert all("T02:30:00+0" in row["when"] for row in rows)
    systemd = call("--print", "systemd")
    assert "OnCalendar=Mon,Tue,Wed,Thu,Fri *-*-* 2:30:00 Europe/Berlin" in systemd
    assert f"-m hpsearch batch {tmp_path}/small.toml --home" in systemd
    cron = call("--print", "cron")
    assert "CRON_TZ=Europe/Berlin\n30 2 * * 1-5 cd" in cron
    assert "batch" in cron
    kubernetes = call("--print", "kubernetes")
    assert 'schedule: "30 2 * * mon,tue,wed,thu,fri"\n  timeZone: Europe/Berlin' in kubernetes
