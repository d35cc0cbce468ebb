"""MLflow as a user's own code finds it: a store of its own, never ours by accident."""

from __future__ import annotations

import atexit
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from shutil import copyfile, rmtree
from types import ModuleType
from typing import Any

from hpsearch.processes import changed_environment, temporary_folder
from hpsearch.trainers.programs.program_start import OF_MLFLOW, has_private_store, private_store

URI = "MLFLOW_TRACKING_URI"
LEAVE_SECONDS = 5.0  # for a worker to tell a store of the user's that its runs are over
SERVICE = "mlflow.tracking._tracking_service.utils"  # the module that opens stores
FILES = "mlflow-artifacts"  # beside a private store; MLflow's own choice is ./mlruns
TABLES = "mlflow-tables.db"  # of an empty store, for the next ones of this process
_private: set[str] = set()  # the stores of members of this process
_callers: list[str] = []  # runs that were open in this process before the first member
_last: list[tuple[str, Any]] = []  # the member that was trained last here, if any, and its folder


@contextmanager
def private_mlflow(folder: str, member: Any) -> Iterator[None]:
    """Have MLflow write to a store in this folder, in the block, whatever code in it calls.

    Args:
        folder: of the member that is trained; "": one of this process.
        member: what tells it from others.
    """
    folder = folder or _own_folder()
    _leave_others((folder, member))
    Path(folder).mkdir(parents=True, exist_ok=True)
    _private.add(private_store(folder))
    _watch_loading()
    try:
        with changed_environment({**dict.fromkeys(OF_MLFLOW), URI: private_store(folder)}):
            yield
    finally:
        with suppress(OSError):
            Path(folder).rmdir()  # where nothing was kept in it


class _WhenLoaded:
    """Finds MLflow's module that opens stores, and has it keep files of private ones there."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == SERVICE else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _keep_files_beside(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


@lru_cache(maxsize=1)
def _watch_loading() -> None:
    """Change MLflow where a user's code loads it; nothing here does."""
    if service := sys.modules.get(SERVICE):
        _keep_files_beside(service)
    else:
        sys.meta_path.insert(0, _WhenLoaded)


def _keep_files_beside(service: Any) -> None:
    """Have files of runs in a private store lie beside it, and its tables copied from the first.

    MLflow has no setting for the files that would spare stores that the code names itself. Its
    migrations of a new store take seconds, for each trial.
    """

    try:  # in another version files lie in ./mlruns
        usual, register = service._get_sqlalchemy_store, service._tracking_store_registry.register
    except AttributeError:
        return

    def open_store(store_uri: str, artifact_uri: str | None = None) -> Any:
        if store_uri not in _private:
            return usual(store_uri, artifact_uri)
        place = Path(store_uri.removeprefix("sqlite:///"))
        tables = Path(_own_folder(), TABLES)
        is_new = not place.exists()
        if is_new and tables.exists():
            part = place.with_suffix(".part")
            copyfile(tables, part)
            part.rename(place)
        files = artifact_uri or (place.parent / FILES).as_uri()
        store = usual(store_uri, files)
        if is_new and not tables.exists():
            _copy_tables(place, tables)
        return store

    register("sqlite", open_store)


def _copy_tables(store: Path, to: Path) -> None:
    """Copy a store that has no run yet; MLflow adds a default experiment to whatever lacks one."""
    with suppress(sqlite3.Error, OSError):
        part = to.with_suffix(".part")
        with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("delete from experiments")
            copy.commit()
        part.rename(to)


@lru_cache(maxsize=1)
def _own_folder() -> str:
    """A folder that is there as long as this process."""
    place = temporary_folder()
    atexit.register(rmtree, place, ignore_errors=True)
    return place


def end_open_runs() -> None:
    """End the runs that the last member's code left open in this process, in their own store."""
    _leave_others(None)


def _open_runs() -> list[str]:
    """Those of this process, the innermost last."""
    fluent: Any = sys.modules.get("mlflow.tracking.fluent")
    return [] if fluent is None else [run.info.run_id for run in fluent._active_run_stack.get()]


def _leave_others(now: tuple[str, Any] | None) -> None:
    """End the runs that another member's code left open in this process, in their own store."""
    last, _last[:] = _last[:], [now] if now else []
    if not last:  # what is open now is the caller's, who trains in this process
        _callers[:] = _open_runs()
    # Theirs, if they loaded it; nothing here does.
    mlflow: Any = sys.modules.get("mlflow")
    fluent: Any = sys.modules.get("mlflow.tracking.fluent")
    if mlflow is None or fluent is None or last in ([], [now]):
        return
    store, address = private_store(last[0][0]), ""
    with changed_environment({URI: store}), suppress(Exception):
        address = mlflow.get_tracking_uri()
        is_gone = address == store and not has_private_store(last[0][0])  # with its trial
        while len(_open_runs()) > len(_callers) and not is_gone:
            mlflow.end_run()
    del fluent._active_run_stack.get()[len(_callers) :]
    if address in ("", store):  # else the code set one, which holds for later members too
        fluent._active_experiment_id = None
