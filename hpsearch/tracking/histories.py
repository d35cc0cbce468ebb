"""What MLflow holds of a run: its metrics point by point, and its artifacts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hpsearch.tracking.writers.choice import known_database

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Point = tuple[int, float]  # step and value
Histories = Callable[[str, Iterable[str]], dict[str, list[Point]]]


def artifacts_of(run: Run, tracking_uri: str) -> set[str]:
    """The names at the top of its artifacts, without asking for the run again."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    place = get_artifact_repository(run.info.artifact_uri, tracking_uri=tracking_uri)
    return {file.path for file in place.list_artifacts()}


def histories_of(client: MlflowClient) -> Histories:
    """Gives every point of the metrics of a run by their names, from a run's id and the names.

    A database that we open ourselves is asked once a run; MLflow's client, once a metric.
    """
    store = known_database(client)
    if store is None:
        return lambda run_id, names: {
            name: [(m.step, m.value) for m in client.get_metric_history(run_id, name)]
            for name in names
        }

    def read(run_id: str, names: Iterable[str]) -> dict[str, list[Point]]:
        from mlflow.store.tracking.dbmodels.models import SqlMetric
        from sqlalchemy import select

        found: dict[str, list[Point]] = {name: [] for name in names}
        columns: tuple[Any, ...] = (SqlMetric.key, SqlMetric.step, SqlMetric.value)
        wanted = select(*columns, SqlMetric.is_nan)
        with store.ManagedSessionMaker(read_only=True) as session:
            rows = session.execute(wanted.where(SqlMetric.run_uuid == run_id)).all()
        for name, step, value, is_nan in rows:
            if name in found:
                found[name].append((step, math.nan if is_nan else value))
        return found

    return read
