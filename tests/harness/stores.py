"""Homes whose databases are there already, empty: to make them takes longer than most tests."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from filelock import FileLock

from tests.harness.started import sitecustomize as started
from tests.harness.study_files import REPOSITORY

KEPT = REPOSITORY / ".pytest_cache"  # between runs of the tests, too


def new_home(folder: Path) -> Path:
    """A folder of stores as a first study leaves it, without the study, unless it is there."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for name in ("optuna", "mlflow"):
            add_store(folder, name)
    return folder


def add_store(folder: Path, name: str) -> None:
    """Put an empty database into a folder: "optuna" or "mlflow"."""
    shutil.copy(_empty(name), folder / f"{name}.db")


@contextmanager
def copied_stores() -> Iterator[None]:
    """A block in which new SQLite stores of MLflow, here and in processes, are copies of one."""
    kept = str(_empty("mlflow"))

    def change(module: ModuleType) -> None:
        started.tables_of(kept, module)
        started.known_head(module)

    finder = started.Changed({started.STORES: change})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(started.KEPT_STORE, kept)
        patch.setattr(sys, "meta_path", [finder, *sys.meta_path])
        if loaded := sys.modules.get(started.STORES):
            change(loaded)
        yield


@cache
def _empty(name: str) -> Path:
    """A database of this library's version, made by what the product makes it with."""
    kept = KEPT / f"{name}-{version(name)}.db"
    if not kept.exists():
        KEPT.mkdir(exist_ok=True)
        with FileLock(f"{kept}.lock"):
            if not kept.exists():
                _make(name, kept)
    return kept


def _make(name: str, kept: Path) -> None:
    with TemporaryDirectory(dir=KEPT) as folder:
        made, whole = Path(folder, "made.db"), Path(folder, "whole.db")
        if name == "mlflow":
            from hpsearch.tracking.stores.sqlite_store import prepare_sqlite

            prepare_sqlite(f"sqlite:///{made}")
        else:
            from hpsearch.study.storage.trials import open_storage

            open_storage(f"sqlite:///{made}")
        connection = sqlite3.connect(made)
        connection.execute("VACUUM INTO ?", (str(whole),))  # one file, what lies beside it is in
        connection.close()
        whole.rename(kept)
