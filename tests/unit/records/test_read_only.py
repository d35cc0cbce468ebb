"""A home that may be read and not written."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hpsearch.errors import StudyLockedError
from hpsearch.records.layout import Home
from hpsearch.records.read_only import readable_databases
from hpsearch.records.run_lock import held, unchanged


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With a database that somebody writes into."""
    stores = Home(tmp_path)
    with closing(sqlite3.connect(stores.mlflow)) as connection:
        connection.execute("pragma journal_mode=wal")
        connection.execute("create table runs (run_uuid text)")
        connection.execute("insert into runs values ('a')")
        connection.commit()
    return stores


def refuse_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and may(path, mode))


def test_a_home_that_is_read_only_has_copies_of_its_databases(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with readable_databases(home) as stores:
        assert stores == home
    refuse_writes(monkeypatch)
    with readable_databases(home) as stores:
        assert stores != home
        with closing(sqlite3.connect(stores.mlflow)) as copy:
            assert copy.execute("select run_uuid from runs").fetchall() == [("a",)]
        assert not stores.optuna.exists()
    assert not stores.path.exists()


def test_a_study_that_may_not_be_locked_is_read_while_nobody_runs_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = home.study("small")
    study.path.mkdir(parents=True)
    with held(study):
        refuse_writes(monkeypatch)
        with (
            pytest.raises(StudyLockedError, match="is already running: process"),
            unchanged(study),
        ):
            pass
    before = sorted(study.path.iterdir())
    with unchanged(study):
        assert sorted(study.path.iterdir()) == before
