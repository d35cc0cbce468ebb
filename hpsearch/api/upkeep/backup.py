"""Back up a home as one folder or file, and restore a home from it."""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.addresses import without_password
from hpsearch.api.doctor import doctor
from hpsearch.api.support.stores import STORAGE, storage_of
from hpsearch.errors import DamagedError, HpsearchError
from hpsearch.records.format import converted, stamped
from hpsearch.records.layout import SQLITE, Home
from hpsearch.records.packing import is_packed, pack_folder, unpack_folder
from hpsearch.records.snapshot import copy_home
from hpsearch.records.whole_files import read_json, write_json
from hpsearch.study.recorded import find_runs
from hpsearch.tracking.stores.own_store import follow_home, tracked

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Backup:
    """A copy of a home.

    Attributes:
        path: the folder or file.
        runs: the number of runs in it.
        bytes: its size.
        elsewhere: databases that are not in it, by address, with what to run for each.
    """

    path: Path
    runs: int
    bytes: int
    elsewhere: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self) | {"path": str(self.path)}


def backup(
    dest: str | Path, *, home: str | Path | None = None, storage: str | None = None
) -> Backup:
    """Copy a whole home, even while its studies run; `restore` makes a home from the copy.

    The copy has no databases on servers, no study files, and none of the modules and data beside
    them.

    Args:
        dest: a folder, or a file that ends in .tar.gz or .tar.zst. It appears when it is complete.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        storage: Optuna's storage URL, where the studies were run; None: HPSEARCH_STORAGE, else
            SQLite in `home`. Used only to say whether it is in the copy.

    Raises:
        HpsearchError: the home has no study, or `dest` exists or lies in the home.
    """
    stores, path = Home.find(Path(home) if home else None), Path(dest).expanduser().absolute()
    runs = find_runs(stores)
    if not runs:
        raise HpsearchError(
            f"{stores.studies} must hold a study to be backed up, got none: name another folder "
            "of stores with --home"
        )
    if path.resolve().is_relative_to(stores.path.resolve()):
        raise HpsearchError(
            f"a backup must lie outside the home {stores.path}, got {path}: name another place"
        )
    _check_free(path, "a backup's place")
    elsewhere = dict(_elsewhere(stores, storage))
    with _young(path) as young:
        copy_home(stores, Home(young))
        about = {"hpsearch": version("hpsearch"), "made": datetime.now(UTC).isoformat()}
        write_json(Home(young).backup, stamped(about | {"elsewhere": elsewhere}))
        if is_packed(path):
            packed = young.with_name(f"{young.name}{path.name}")
            try:
                pack_folder(young, packed)
                packed.rename(path)
            finally:
                packed.unlink(missing_ok=True)
        else:
            young.rename(path)
    size = path.stat().st_size if path.is_file() else Home.size_of(path)
    return Backup(path, len(runs), size, elsewhere)


def restore(source: str | Path, *, home: str | Path) -> pd.DataFrame:
    """Make a home from a backup, and bring the home's own stores up to date with its records.

    Returns:
        The remaining differences, a row for each, as from `doctor` after a repair.

    Raises:
        HpsearchError: `source` is no backup, a newer hpsearch made it, or the home is not empty.
    """
    path, stores = Path(source).expanduser().absolute(), Home.find(Path(home))
    _check_free(stores.path, "a home that is restored")
    if not path.exists():
        raise HpsearchError(f"the backup must exist, got {path}")
    with _young(stores.path) as young:
        try:
            if path.is_dir():
                shutil.copytree(path, young, dirs_exist_ok=True, symlinks=True)
            else:
                unpack_folder(path, young)
        except (tarfile.TarError, EOFError) as error:
            raise HpsearchError(f"{path} must be a whole backup, got: {error}") from error
        about = Home(young).backup
        if not about.exists():
            raise HpsearchError(
                f"{path} must be made by python -m hpsearch backup, got no {about.name} in it. If "
                "it is only a copy of mlruns/studies, copy it back, then run "
                "python -m hpsearch doctor --repair"
            )
        converted(read_json(about), str(path))
        about.unlink()
        young.rename(stores.path)
    stores.create()
    follow_home(stores)
    # Only in its own stores: those on servers may have changed since.
    found = doctor(
        home=stores.path,
        storage=stores.storage_url,
        tracking_uri=stores.tracking_uri,
        repair=True,
    )
    return found[~found["repaired"].astype(bool) & (found["place"] != "host")]


def _check_free(path: Path, what: str) -> None:
    """Refuse a place that holds something."""
    taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if taken:
        raise HpsearchError(f"{what} must be empty or not exist yet, got {path}: name another one")


@contextmanager
def _young(path: Path) -> Iterator[Path]:
    """A folder beside the place, to be renamed to it; deleted if it is not."""
    young = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(young, ignore_errors=True)
        young.mkdir()
        yield young
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = getattr(error, "filename", None) or path
        raise HpsearchError(
            f"{place} must be readable or writable, got: {reason}; nothing was left at {path}"
        ) from error
    finally:
        shutil.rmtree(young, ignore_errors=True)


def _elsewhere(home: Home, storage: str | None) -> Iterator[tuple[str, str]]:
    """Databases of the home's studies that are not in the home, and what to run for each."""
    url = storage_of(home, storage)
    if url != home.storage_url:
        yield (
            without_password(url),
            "Optuna's studies: back it up with its own tool (pg_dump), or fill it again after a "
            f"restore with python -m hpsearch doctor --repair and {STORAGE} set",
        )
    for run in find_runs(home):
        try:
            uri = str(tracked(run.folder).get("tracking_uri", ""))
        except DamagedError:
            continue
        if uri and uri != home.tracking_uri:
            what = "its file" if uri.startswith(SQLITE) else "its database and its artifacts"
            yield (
                uri,
                f"MLflow: back up {what} with its own tools, or fill it again after a restore "
                "with python -m hpsearch sync --tracking-uri",
            )
