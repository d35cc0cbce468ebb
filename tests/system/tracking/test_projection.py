"""The projector as a process beside the study."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.projection import Projection
from tests.harness.projection import add, make, runs

pytestmark = pytest.mark.usefixtures("projector_process")


def test_a_kill_while_it_catches_up_for_the_last_time_is_made_up_for(
    run_folder: RunFolder, home: Path
) -> None:
    stores = Home(home)
    projection = Projection(run_folder, stores, stores.tracking_uri, print)
    projection.keep_alive()
    add(run_folder, *(make(number, Outcome.COMPLETE) for number in range(5)))
    first = projection._process
    assert first is not None
    killer = threading.Timer(1.0, first.kill)  # before its first import is over
    killer.start()
    assert projection.finish()
    killer.join()
    assert first.returncode < 0
    assert len(runs(home)) == 6
    assert projection.ids["parent_run_id"] == runs(home)["demo"].info.run_id


def test_an_unreachable_server_is_warned_of_once_and_reported_at_the_end(
    run_folder: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    warnings: list[str] = []
    projection = Projection(run_folder, Home(home), "http://127.0.0.1:9", warnings.append)
    add(run_folder, make(0, Outcome.COMPLETE))
    assert not projection.finish()  # which starts what nobody started
    busy = "waiting for MLflow"  # said, too, where the end takes 10 s
    (warning,) = (line for line in warnings if not line.startswith(busy))
    assert "can't write to MLflow" in warning
    assert projection.problem
