"""The projector killed again and again, and the server beside it: soak/torture_projector.py."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hpsearch.audit.mlflow_comparison import Comparison
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.tracking import projection as projection_module
from hpsearch.tracking.projection import Projection
from hpsearch.tracking.replay import replay
from hpsearch.tracking.run_content import points
from tests.harness.projection import add, make
from tests.harness.servers import MLflowServer
from tests.harness.stores import add_store

pytestmark = pytest.mark.usefixtures("projector_process")
TRIALS = 6


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MLflowServer]:
    place = tmp_path / "server"
    place.mkdir()
    add_store(place, "mlflow")
    made = MLflowServer(place, f"sqlite:///{place / 'mlflow.db'}", place / "artifacts")
    made.start()
    yield made
    made.kill()


def counts(database: Path, query: str) -> tuple[int, int]:
    with closing(sqlite3.connect(database)) as connection:
        first, second = connection.execute(query).fetchone()
    return first, second


def check_once(database: Path, records: list[TrialRecord]) -> None:
    """Every run and every point of these records is there once."""
    runs, uids = counts(
        database,
        "select count(*), count(distinct value) from tags join runs using (run_uuid)"
        " where key = 'hpsearch.uid' and lifecycle_stage = 'active'",
    )
    assert runs == uids == len(records) + 1
    there, once = counts(
        database,
        "select count(*), count(distinct run_uuid || key || '/' || step) from metrics",
    )
    assert there == once == sum(1 for record in records for _ in points(record, 0))


def kill(projection: Projection) -> subprocess.Popen[bytes]:
    process = projection._process
    assert process is not None
    process.kill()
    process.wait()
    return process


def test_after_kills_of_projector_and_server_every_run_and_point_is_there_once(
    run_folder: RunFolder, home: Path, server: MLflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection_module, "RESPAWN_SECONDS", 0.0)
    records = [make(number, Outcome.COMPLETE, epochs=40) for number in range(TRIALS)]
    projection = Projection(run_folder, Home(home), server.url, print)
    projection.start()
    for number, record in enumerate(records):
        add(run_folder, record)
        if number == TRIALS // 3:
            time.sleep(3.1)  # until it sends; test_projection kills it before its import is over
            kill(projection)
            projection.keep_alive()
        if number == TRIALS // 2:
            server.kill()
            server.start()
    projection.finish(seconds=60)
    replay(run_folder, Home(home), server.url)
    check_once(server.folder / "mlflow.db", records)
    assert list(Comparison("demo", run_folder, server.url).differences()) == []


def test_after_kills_amid_a_batch_every_run_and_point_is_there_once(
    run_folder: RunFolder, home: Path
) -> None:
    """Straight into a database: killed as soon as a batch is there, before it has ended."""
    records = [make(number, Outcome.COMPLETE, epochs=200) for number in range(45)]
    uri, database = Home(home).tracking_uri, home / "mlflow.db"
    projection, seen = Projection(run_folder, Home(home), uri, print), 0
    for done in (0, 15):
        add(run_folder, *records[done : done + 15])
        projection.start()
        while seen <= done:
            time.sleep(0.01)
            query = "select count(*), 0 from tags where key = 'hpsearch.trial'"
            seen, _ = counts(database, query)
        projection._close(kill(projection))
    add(run_folder, *records[30:])
    replay(run_folder, Home(home), uri)
    check_once(database, records)
    assert list(Comparison("demo", run_folder, uri).differences()) == []
