"""A connection to an MLflow store."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from hpsearch.addresses import first_line, keep_connections, without_password
from hpsearch.errors import TrackingError
from hpsearch.tracking.stores.sqlite_store import prepare_sqlite

if TYPE_CHECKING:
    from mlflow import MlflowClient

ANSWER_SECONDS = 10.0  # for the host of a store to take a connection; far networks need 1
DATABASES = ("postgresql", "mysql", "mssql")  # with a server
WEB_PORTS = {"http": 80, "https": 443}


def open_client(tracking_uri: str) -> MlflowClient:
    """A client of the store; an SQLite file is made if it is not there.

    Models are registered there, too, whatever MLFLOW_REGISTRY_URI says.

    Args:
        tracking_uri: absolute.

    Raises:
        TrackingError: nobody answers at its address, or its database lets nobody in.
    """
    import mlflow

    _check_answers(tracking_uri)
    prepare_sqlite(tracking_uri)
    return mlflow.MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)


def _check_answers(tracking_uri: str) -> None:
    """Connect once: MLflow tries for minutes, without a word, before it says that it can't."""
    parts = urlsplit(tracking_uri)
    try:
        if parts.scheme not in WEB_PORTS:
            _check_database(tracking_uri)
        elif parts.hostname and not {parts.scheme, "all"} & getproxies().keys():
            _check_host(parts.hostname, parts.port or WEB_PORTS[parts.scheme])
    except Exception as error:
        reason = first_line(error, tracking_uri)
        place = without_password(tracking_uri)
        raise TrackingError(f"no connection to MLflow at {place}: {reason}") from error


def _check_host(host: str, port: int) -> None:
    with closing(socket.create_connection((host, port), timeout=ANSWER_SECONDS)):
        pass


def _check_database(address: str) -> None:
    """One connection to a database with a server; a file and what is no database pass."""
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.pool import NullPool

    if not address.startswith(DATABASES):
        return
    url = make_url(address)
    keep_connections()
    if url.host and url.port:  # a driver may wait for minutes where packets are dropped
        _check_host(url.host, url.port)
    with closing(create_engine(url, poolclass=NullPool).connect()):
        pass
