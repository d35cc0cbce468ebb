"""The MLflow store of a home that was moved or copied since: it is still its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from filelock import FileLock, Timeout

from hpsearch.records.layout import SQLITE, Home, StudyFiles
from hpsearch.records.run_folder import RunFolder

# Of MLflow's tables: where addresses of artifacts stand.
ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def tracked(folder: RunFolder) -> dict[str, Any]:
    """What mlflow.json says of a run: tracking_uri, experiment_id, parent_run_id, views.

    {} before MLflow has it. A store that was this home's own where the home lay then, is the one
    that lies in it now.

    Raises:
        DamagedError: it is not what was written.
    """
    ids = dict(folder.read_sealed(folder.files.mlflow) or {})
    home, uri = folder.files.study.home, str(ids.get("tracking_uri", ""))
    if uri.startswith(SQLITE) and uri != home.tracking_uri:
        named_so = Path(uri.removeprefix(SQLITE)).name == home.mlflow.name
        if named_so and _has_run(home.mlflow, str(ids.get("parent_run_id"))):
            ids["tracking_uri"] = home.tracking_uri
    return ids


def _has_run(database: Path, run_id: str) -> bool:
    if not database.exists():
        return False
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("select 1 from runs where run_uuid = ?", (run_id,))
            return found.fetchone() is not None
    except sqlite3.Error:  # what is wrong with it is said by whoever needs it
        return False


def follow_home(home: Home, mine: StudyFiles | None = None) -> None:
    """Have the home's store name artifacts where the home lies now.

    Only those that lie there: their runs have a folder. Nothing is changed while a study of this
    home runs, or one is sent to MLflow, e.g. in a container that has the home under another path.

    Args:
        mine: a study that this process holds.
    """
    if not home.mlflow.exists() or not home.artifacts.is_dir():
        return
    try:
        with ExitStack() as held, closing(sqlite3.connect(home.mlflow, timeout=60)) as connection:
            kept = (home.artifacts, home.default_artifacts)
            moved = [(old, here) for here in kept for old in _moved(connection, here)]
            for lock in _locks(home, mine) if moved else ():
                held.enter_context(FileLock(lock).acquire(timeout=0))
            for old, here in moved:
                _rename(connection, old, here.as_uri())
            connection.commit()
    except (Timeout, OSError, sqlite3.Error):  # read-only, or in use: addresses stay as they are
        return


def _locks(home: Home, mine: StudyFiles | None) -> Iterator[Path]:
    """Those of whoever may have artifacts written."""
    yield from sorted(home.path.glob(home.projector_lock("*").name))
    yield from (study.lock for study in home.all_studies() if study != mine)


def _moved(connection: sqlite3.Connection, here: Path) -> Iterator[str]:
    """Addresses of what was this folder of the home elsewhere."""
    wanted = "select distinct artifact_location from experiments where artifact_location like ?"
    for (place,) in connection.execute(wanted, (f"file:///%/{here.name}",)):
        if place == here.as_uri() or _is_same(place, here):
            continue
        runs = "select run_uuid from runs where substr(artifact_uri, 1, ?) = ?"
        found = connection.execute(runs, (len(place) + 1, f"{place}/"))
        if any((here / run_id).is_dir() for (run_id,) in found):
            yield place


def _is_same(address: str, folder: Path) -> bool:
    """Whether it is another path of this folder, e.g. by a link."""
    path = Path(url2pathname(urlsplit(address).path))
    return path.exists() and path.samefile(folder)


def _rename(connection: sqlite3.Connection, old: str, new: str) -> None:
    for table, column in ADDRESSES:
        connection.execute(
            f"update {table} set {column} = ? || substr({column}, ?) "
            f"where {column} = ? or substr({column}, 1, ?) = ?",
            (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
        )
