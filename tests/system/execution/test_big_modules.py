"""Modules of a user's own that hold much: workers load them, and no message has their data."""

from __future__ import annotations

import multiprocessing.connection
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from hpsearch import run_study
from tests.harness.functions import BIG, WriteModule
from tests.harness.study import records
from tests.harness.study_files import ALONE

MOST = 1_000_000  # bytes; a message has the examples of one small study at most


@pytest.mark.usefixtures("without_mlflow")
def test_the_data_of_a_module_is_in_no_message_to_a_worker(
    tmp_path: Path, home: Path, write: WriteModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection: Any = multiprocessing.connection.Connection
    send, receive, sizes = connection._send_bytes, connection._recv_bytes, list[int]()

    def sent(self: object, content: bytes) -> None:
        sizes.append(len(content))
        send(self, content)

    def received(self: object, most: int | None = None) -> BytesIO:
        found: BytesIO = receive(self, most)
        sizes.append(found.getbuffer().nbytes)
        return found

    monkeypatch.setattr(connection, "_send_bytes", sent)
    monkeypatch.setattr(connection, "_recv_bytes", received)
    path = tmp_path / "own.toml"
    path.write_text(ALONE.replace("TRAINER", write(BIG)))
    run_study(path, home=home, workers=1)
    assert [record.outcome for record in records(home, "own")] == ["complete"] * 2
    assert len(sizes) > 4
    assert max(sizes) < MOST
