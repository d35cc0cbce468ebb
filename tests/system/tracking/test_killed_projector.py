"""The projector killed again and again, and the server beside it: scripts/torture_projector.py."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hpsearch.audit.mlflow_comparison import Comparison
from hpsearch.records.home import Home
from hpsearch.records.trial_record import RunFolder
from hpsearch.tracking import projection as projection_module
from hpsearch.tracking.projection import Projection
from hpsearch.tracking.replay import replay
from hpsearch.tracking.run_content import points
from hpsearch.tracking.server import ENVIRONMENT
from tests.unit.tracking.test_projector import add, folder, make

__all__ = ["folder"]  # a fixture
TRIALS = 10


class Server:
    """An MLflow server on loopback, on SQLite."""

    def __init__(self, place: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.place = place
        self.database = place / "mlflow.db"
        place.mkdir()
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--artifacts-destination", str(self.place / "artifacts")]
        store = {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{self.database}"}
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, **ENVIRONMENT, **store},
                cwd=self.place,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return
            except OSError:
                assert self.process.poll() is None, (self.place / "log").read_text()
                assert time.monotonic() < until
                time.sleep(0.2)

    def kill(self) -> None:
        processes = [*psutil.Process(self.process.pid).children(recursive=True), self.process]
        for process in processes:
            process.kill()
        self.process.wait()

    def count(self, query: str) -> tuple[int, int]:
        with sqlite3.connect(self.database) as connection:
            first, second = connection.execute(query).fetchone()
        connection.close()
        return first, second


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "server")
    yield made
    made.kill()


def test_after_kills_of_projector_and_server_every_run_and_point_is_there_once(
    folder: RunFolder, home: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection_module, "RESPAWN_SECONDS", 0.0)
    records = [make(number, "complete", epochs=40) for number in range(TRIALS)]
    projection = Projection(folder, Home(home), server.url, print)
    projection.start()
    for number, record in enumerate(records):
        add(folder, record)
        if number % 2 == 0:
            time.sleep(1.5 + 0.4 * number)  # from before its first import to amid the sending
            projection._process.kill()
            projection._process.wait()
            projection.keep_alive()
        if number == TRIALS // 2:
            server.kill()
            server.start()
    projection.finish(seconds=60)
    replay(folder, Home(home), server.url)
    runs, uids = server.count(
        "select count(*), count(distinct value) from tags join runs using (run_uuid)"
        " where key = 'hpsearch.uid' and lifecycle_stage = 'active'"
    )
    assert runs == uids == TRIALS + 1
    there, once = server.count(
        "select count(*), count(distinct run_uuid || key || '/' || step) from metrics"
    )
    assert there == once == sum(1 for record in records for _ in points(record, 0))
    assert list(Comparison("demo", folder, server.url).differences()) == []
