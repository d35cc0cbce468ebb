"""A connection to an MLflow store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpsearch.tracking.sqlite_store import prepare_sqlite

if TYPE_CHECKING:
    from mlflow import MlflowClient


def open_client(tracking_uri: str) -> MlflowClient:
    """A client of the store; an SQLite file is made if it is not there.

    Models are registered there, too, whatever MLFLOW_REGISTRY_URI says.

    Args:
        tracking_uri: absolute.
    """
    import mlflow

    prepare_sqlite(tracking_uri)
    return mlflow.MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
