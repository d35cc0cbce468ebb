"""MLflow as a user's own code finds it: a store of its own, never ours by accident."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from shutil import rmtree
from typing import Any

from hpsearch.processes import changed_environment, temporary_folder
from hpsearch.trainers.programs.program_start import OF_MLFLOW, has_private_store, private_store

URI = "MLFLOW_TRACKING_URI"
LEAVE_SECONDS = 5.0  # for a worker to tell a store of the user's that its runs are over
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
    try:
        with changed_environment({**dict.fromkeys(OF_MLFLOW), URI: private_store(folder)}):
            yield
    finally:
        with suppress(OSError):
            Path(folder).rmdir()  # where nothing was kept in it


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
