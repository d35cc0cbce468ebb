"""An MLflow store in an SQLite file that reads and writes don't wait for each other in."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from hpsearch.records.databases import make_file
from hpsearch.records.layout import Home


def prepare_sqlite(tracking_uri: str) -> None:
    """WAL mode and one fsync a checkpoint for an SQLite store: readers and writer don't wait."""
    if not tracking_uri.startswith("sqlite:///"):
        return
    import sqlalchemy

    path = Path(tracking_uri.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create_sqlite(path)
    with sqlite3.connect(path, timeout=60) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        _place_default(connection, path.parent)
    connection.close()
    if not sqlalchemy.event.contains(sqlalchemy.engine.Engine, "connect", _relax):
        sqlalchemy.event.listen(sqlalchemy.engine.Engine, "connect", _relax)


def _create_sqlite(path: Path) -> None:
    """A new store under another name first: MLflow can't go on with half-made tables."""
    import mlflow

    young = path.with_name(f".{path.name}.new")
    for rest in path.parent.glob(f"{young.name}*"):
        rest.unlink()
    make_file(young)
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{young}").search_experiments(max_results=1)
    young.rename(path)


def _place_default(connection: sqlite3.Connection, folder: Path) -> None:
    """Have MLflow's Default experiment keep its files beside the store: MLflow names the folder
    that is the current one when the store is made, a study's, and they would go with the study."""
    with suppress(sqlite3.OperationalError):  # it has another schema, or may only be read
        connection.execute(
            "update experiments set artifact_location = ? "
            "where experiment_id = 0 and artifact_location like '%/mlruns/0' "
            "and instr(artifact_location, ?) > 0",
            (Home(folder).default_artifacts.as_uri(), f"{folder}/studies/"),
        )


def _relax(connection: Any, _: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return  # another database of this process
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=60000")


def is_there(tracking_uri: str) -> bool:
    """Whether there is a store to look into; looking would make an SQLite file."""
    prefix = "sqlite:///"
    if tracking_uri.startswith(prefix):
        return Path(tracking_uri.removeprefix(prefix)).exists()
    return bool(tracking_uri)
