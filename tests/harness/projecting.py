"""Studies of this process projected from it: a projector of their own loads MLflow for seconds."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import SimpleNamespace

import pytest

from hpsearch.processes import changed_environment
from hpsearch.tracking import projector_process
from hpsearch.tracking.projection import DRAIN_SECONDS, Projection
from hpsearch.tracking.projector import artifact_location

# What starts, keeps and ends the process, as users have it.
METHODS = {name: getattr(Projection, name) for name in ("_spawn", "keep_alive", "finish")}


@contextmanager
def projected_here() -> Iterator[None]:
    """A block in which studies that end send their records from this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Projection, "_spawn", lambda projection: None)
        patch.setattr(Projection, "keep_alive", lambda projection: None)
        patch.setattr(Projection, "finish", _project)
        yield


def _project(projection: Projection, *, seconds: float = DRAIN_SECONDS) -> bool:
    """The life of a projector process that is told to end before its first look at the records."""
    uri, home = projection.tracking_uri, projection.home
    environment = {k: v for k, v in projector_process.ENVIRONMENT.items() if k not in os.environ}
    reports: list[bytes] = []

    def say(**report: object) -> None:
        reports.append(json.dumps(report).encode())

    with (
        pytest.MonkeyPatch.context() as patch,
        projection.folder.files.projector_log.open("a") as log,
        changed_environment(environment),
        redirect_stdout(log),
        redirect_stderr(log),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        patch.setattr(projector_process, "_listen", lambda orders: orders.put("end"))
        patch.setattr(projector_process, "_say", say)
        location = artifact_location(uri, home.artifacts)
        code = projector_process._serve(projection.folder.path, uri, location, home.path)
    projection._listen(SimpleNamespace(stdout=reports))  # type: ignore[arg-type]
    _close(uri)
    return code == 0


def _close(uri: str) -> None:
    """End the connections that MLflow keeps: a database that is copied must be whole."""
    from mlflow.store.model_registry import sqlalchemy_store as registry
    from mlflow.store.tracking import sqlalchemy_store as tracking

    for store in (registry.SqlAlchemyStore, tracking.SqlAlchemyStore):
        engine = store._engine_map.get(uri)
        if engine is not None:
            engine.dispose()
