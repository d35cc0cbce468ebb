"""A store that can't be reached is said to be so at once."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hpsearch.errors import TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking import projection, projector_process
from hpsearch.tracking.client import open_client
from hpsearch.tracking.projection import Projection
from hpsearch.tracking.projector import Projector


@pytest.mark.parametrize("address", ["http://{}", "postgresql://me:secret@{}/x"])
def test_a_store_that_does_not_answer_is_said_at_once(address: str) -> None:
    began = time.monotonic()
    with pytest.raises(TrackingError, match=r"no connection to .*refused") as caught:
        open_client(address.format("127.0.0.1:9"))
    assert time.monotonic() < began + 5  # MLflow itself tries a database for 100 s
    assert "secret" not in str(caught.value)


def test_a_long_wait_for_the_store_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "SILENT_SECONDS", 0.1)
    lines: list[str] = []
    sends = Projection(
        *(RunFolder(tmp_path), Home(tmp_path), "postgresql://me:secret@lab/x"),
        *(pytest.fail, lines.append),
    )
    process = SimpleNamespace(poll=lambda: None, kill=lambda: None, wait=lambda: None)
    process.stdin = (tmp_path / "orders").open("wb")
    monkeypatch.setattr(sends, "_process", cast(Any, process))
    monkeypatch.setattr(sends, "_close", lambda process: process.stdin.close())
    process.returncode = 1
    sends.finish(seconds=0.4)
    (line,) = lines
    assert line.startswith("waiting for MLflow at postgresql://me:***@lab/x")
    assert "hpsearch sync" in line


def test_a_store_that_is_slow_to_refuse_is_not_tried_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def refuse(projector: Projector) -> None:
        tried.append(time.monotonic())
        time.sleep(0.1)
        raise TrackingError("no answer")

    monkeypatch.setattr(Projector, "catch_up", refuse)
    monkeypatch.setattr(projector_process, "_listen", lambda orders: orders.put("end"))
    monkeypatch.setattr(projector_process, "_say", lambda **report: None)
    monkeypatch.setattr(projector_process, "LAST_SECONDS", 0.05)
    assert projector_process._serve(tmp_path, "http://lab", "", tmp_path) == 1
    assert len(tried) <= 2  # the first may come before the order to end
