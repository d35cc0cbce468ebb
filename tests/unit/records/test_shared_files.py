"""Databases that a group shares."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hpsearch.records.databases import copy_database, how_to_write, make_file
from hpsearch.study.storage.trials import open_storage, storage_trouble
from hpsearch.tracking.stores import sqlite_store


@pytest.fixture
def of_a_group() -> Iterator[None]:
    """Files that are made may be written by the group."""
    before = os.umask(0o002)
    yield
    os.umask(before)


def is_shared(path: Path) -> bool:
    return path.stat().st_mode & 0o666 == 0o664


@pytest.mark.usefixtures("of_a_group")
def test_the_group_may_write_new_databases(tmp_path: Path) -> None:
    open_storage(f"sqlite:///{tmp_path}/optuna.db").remove_session()
    sqlite_store.prepare_sqlite(f"sqlite:///{tmp_path}/mlflow.db")
    copy_database(tmp_path / "optuna.db", tmp_path / "copy.db")
    made = {path.name: is_shared(path) for path in tmp_path.glob("*.db")}
    assert made == {"optuna.db": True, "mlflow.db": True, "copy.db": True}


def test_a_database_that_is_there_stays(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as made, made:
        made.execute("create table t (x)")
    before = (tmp_path / "a.db").stat()
    make_file(tmp_path / "a.db")
    after = (tmp_path / "a.db").stat()
    assert (after.st_mode, after.st_size, after.st_mtime_ns) == (
        before.st_mode,
        before.st_size,
        before.st_mtime_ns,
    )


def test_another_users_database_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "optuna.db"
    make_file(path)
    assert how_to_write(path) == ""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert how_to_write(path) == ""  # on a read-only disk its owner can't help
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    url, error = f"sqlite:///{path}", sqlite3.OperationalError("readonly database")
    said = str(storage_trouble(url, error))
    assert f"have {path.owner()} run chmod g+w {path}, then run the same command again" in said
    path.unlink()
    assert how_to_write(path) == ""
