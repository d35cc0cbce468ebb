"""MLflow as a user's own code finds it: a store of its own, never ours by accident."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hpsearch.trainers.program import OF_MLFLOW, PRIVATE_STORE, private_store

URI = "MLFLOW_TRACKING_URI"


@contextmanager
def private_mlflow(folder: str) -> Iterator[None]:
    """Have MLflow write to a store in this folder, in the block, whatever code in it calls.

    Args:
        folder: of the member that is trained; "": MLflow is left as it is.
    """
    if not folder:
        yield
        return
    names = (URI, *OF_MLFLOW)
    before = {name: os.environ.pop(name, None) for name in names}
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.environ[URI] = private_store(folder)
    try:
        yield
    finally:
        os.environ.pop(URI)
        os.environ.update({name: value for name, value in before.items() if value is not None})
        with suppress(OSError):
            Path(folder).rmdir()  # where nothing was kept in it


def note_of_runs(folder: str) -> str:
    """A line for the log where the store is used; "" where it is not."""
    place = Path(folder, PRIVATE_STORE)
    return f"its MLflow runs are in {place}\n" if folder and place.exists() else ""
