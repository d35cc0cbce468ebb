"""Sync: all records into the same or another MLflow store, each run and each point once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hpsearch import delete_study, doctor, sync
from hpsearch.errors import HpsearchError, TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder


def content(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that a store says, but for the ids it gave."""
    connection = sqlite3.connect(database)
    by_run = "(select name from runs r where r.run_uuid = t.run_uuid)"
    queries = {
        "runs": "select name, status, start_time, end_time from runs",
        "metrics": f"select {by_run}, key, value, step, timestamp from metrics t",
        "params": f"select {by_run}, key, value from params t",
        "tags": f"select {by_run}, key, value from tags t where key not in"
        " ('mlflow.parentRunId', 'mlflow.note.content')",
    }
    found = {name: sorted(connection.execute(query)) for name, query in queries.items()}
    connection.close()
    return found


def test_a_fresh_store_gets_what_the_first_has(
    copied_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"sqlite:///{tmp_path / 'fresh.db'}"
    monkeypatch.chdir(tmp_path)
    (row,) = sync(home=copied_home, tracking_uri=uri).to_dict("records")
    assert row["problem"] == ""
    assert not (tmp_path / "mlruns").exists()  # MLflow's own place for a database's artifacts
    assert row["records"] == len(list(copied_home.glob("studies/*/*/*/*/record.json")))
    first = content(Home(copied_home).mlflow)
    assert content(tmp_path / "fresh.db") == first
    sync(home=copied_home, tracking_uri=uri)
    sync(home=copied_home)
    assert content(tmp_path / "fresh.db") == content(Home(copied_home).mlflow) == first
    assert doctor(home=copied_home, tracking_uri=uri).empty


def test_stores_named_in_the_environment_are_those_of_every_command(
    copied_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, storage, uri = Home(copied_home), tmp_path / "optuna.db", tmp_path / "mlflow.db"
    (copied_home / "optuna.db").rename(storage)
    home.mlflow.rename(uri)
    assert not doctor(home=copied_home).empty
    home.mlflow.unlink()
    monkeypatch.setenv("HPSEARCH_STORAGE", f"sqlite:///{storage}")
    monkeypatch.setenv("HPSEARCH_TRACKING_URI", f"sqlite:///{uri}")
    sync(home=copied_home)
    assert doctor(home=copied_home).empty
    deletion = delete_study("small", home=copied_home)
    assert deletion is not None
    assert deletion.optuna_studies
    assert not deletion.not_stored
    assert not home.mlflow.exists()


def test_no_password_of_a_store_is_repeated(
    copied_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HPSEARCH_TRACKING_URI", "sqlite:////proc/no/mlflow.db?password=s3cret")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:s3cret@lab:5000")
    with pytest.raises(
        TrackingError, match=r"mlflow\.db\?password=\*\*\* must be readable"
    ) as caught:
        doctor(home=copied_home)
    assert "s3cret" not in str(caught.value)
    (row,) = sync(home=copied_home).to_dict("records")
    assert "must be reachable" in row["problem"]
    assert "s3cret" not in row["problem"]
    monkeypatch.delenv("HPSEARCH_TRACKING_URI")
    (found,) = doctor(home=copied_home).to_dict("records")
    assert found["subject"] == "MLFLOW_TRACKING_URI"
    assert "http://me:***@lab:5000" in found["problem"]


def test_a_study_that_was_killed_is_shown_as_interrupted(copied_home: Path) -> None:
    folder = RunFolder(copied_home / "studies/small/1")
    parent = folder.required(folder.files.parent)
    folder.write_sealed(folder.files.parent, parent | {"status": "RUNNING"})
    sync(home=copied_home)
    connection = sqlite3.connect(Home(copied_home).mlflow)
    assert connection.execute("select status from runs where name = 'small'").fetchall() == [
        ("KILLED",)
    ]
    connection.close()


def test_files_that_a_kill_left_half_written_are_gone_after_a_sync(copied_home: Path) -> None:
    (copied_home / "studies/small/1/.mlflow.json.4711").write_text("{")
    (copied_home / "studies/small/1/trials/00000/.state-3-0.npz.4711").write_text("")
    sync(home=copied_home)
    assert doctor(home=copied_home).empty


def test_an_unreachable_server_is_named_in_the_study_s_row(copied_home: Path) -> None:
    (row,) = sync(home=copied_home, tracking_uri="http://127.0.0.1:9").to_dict("records")
    assert "must be reachable and writable" in row["problem"]


def test_nothing_recorded_is_said_with_the_way_to_it(tmp_path: Path) -> None:
    with pytest.raises(HpsearchError, match="python -m hpsearch study"):
        sync(home=tmp_path)
