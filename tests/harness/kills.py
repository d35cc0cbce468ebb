"""Studies killed at any moment and started again, until they are over."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil


def start(
    path: Path, home: Path, workers: int, options: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    command += ["--workers", str(workers), "--json", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def gone(pid: int) -> bool:
    """Whether a process ends; who is killed is there until its new parent has taken notice."""
    try:
        psutil.Process(pid).wait(timeout=30)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def projected(home: Path) -> list[tuple[str, ...]]:
    """Every run in MLflow: kind, trial, status, and how many points and params it has."""
    database = sqlite3.connect(home / "mlflow.db")
    rows = database.execute(
        "select r.name, r.status,"
        " (select count(*) from metrics m where m.run_uuid = r.run_uuid"
        "  and m.key not like 'seconds%'),"
        " (select count(*) from params p where p.run_uuid = r.run_uuid) from runs r order by 1"
    ).fetchall()
    database.close()
    return rows


def kill_something(process: subprocess.Popen[bytes], rng: random.Random) -> bool:
    """Kill the coordinator, or one of its workers or its projector; False if all is over."""
    if process.poll() is not None:
        return False
    children = psutil.Process(process.pid).children(recursive=True)
    victim = rng.choice([psutil.Process(process.pid), *children])
    try:
        os.kill(victim.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def run_killed(
    path: Path, home: Path, workers: int, kills: int, options: Sequence[str] = ()
) -> None:
    """Run a study to its end through so many kills of the coordinator, a worker or the projector.

    The first comes when new trials are trained, so that a short study has it in its middle; the
    others come at any time, also while the study starts.

    Args:
        workers: of the study; what is killed when follows from it, too.
        options: of every start.
    """
    rng, killed = random.Random(workers), 0
    trials = "studies/*/1/trials/*/record.json"
    before = len(list(home.glob(trials)))
    process = start(path, home, workers, options)
    while process.poll() is None and len(list(home.glob(trials))) == before:
        time.sleep(0.02)
    while killed < kills:
        time.sleep(rng.uniform(0.2, 2.5) if killed else rng.uniform(0.0, 0.5))
        if process.poll() is not None and process.returncode == 0:
            break
        killed += kill_something(process, rng)
        if process.poll() is not None:
            process.communicate()
            process = start(path, home, workers, options)
    _, err = process.communicate()
    while process.returncode == -signal.SIGKILL:
        process = start(path, home, workers, options)
        _, err = process.communicate()
    assert process.returncode == 0, err.decode()
    assert killed >= kills, f"the study was over after {killed} kills"
