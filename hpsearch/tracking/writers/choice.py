"""Which writer a store gets."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

from hpsearch.tracking.writers.base import RunWriter
from hpsearch.tracking.writers.client_writer import ClientWriter
from hpsearch.tracking.writers.table_writer import TableWriter

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

# Of MLflow's schema (alembic). Before another one joins them: run test_writers.py with its MLflow,
# on SQLite and PostgreSQL, and read what changed in MLflow's log_batch.
KNOWN_REVISIONS = frozenset({"dc11669786a5"})  # MLflow 3.17
DIALECTS = ("sqlite", "postgresql")  # with ON CONFLICT


def writer_for(client: MlflowClient, experiment: str) -> RunWriter:
    """Into the tables of a database that we open ourselves and know; else by MLflow's client.

    Args:
        experiment: its id.
    """
    store = known_database(client)
    return ClientWriter(client, experiment) if store is None else TableWriter(store, experiment)


def known_database(client: MlflowClient) -> SqlAlchemyStore | None:
    """The store of a client whose tables we may use; None: MLflow's client is to be used."""
    store = database_store(client)
    revision = "" if store is None else _revision(store)
    if store is not None and revision not in KNOWN_REVISIONS:
        _say(unknown_schema(revision))
        return None
    return store


def schema_problem(client: MlflowClient) -> str:
    """Why a database does not get its runs by the quick way; "" where it does, or none is."""
    store = database_store(client)
    revision = "" if store is None else _revision(store)
    return "" if store is None or revision in KNOWN_REVISIONS else unknown_schema(revision)


def unknown_schema(revision: str) -> str:
    """One sentence."""
    known = " or ".join(sorted(KNOWN_REVISIONS))
    return (
        f"the schema's revision must be {known} for runs to be written directly into the tables, "
        f"got {revision or 'none'}; they are written by MLflow's own calls, several times slower"
    )


def database_store(client: MlflowClient) -> SqlAlchemyStore | None:
    """The store of a client that is a database with the statements we need; None: another one."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = client._tracking_client.store
    ours = type(store) is SqlAlchemyStore and store.engine.dialect.name in DIALECTS
    return store if ours else None


def _revision(store: SqlAlchemyStore) -> str:
    """That of its schema now; "" where it has none."""
    from alembic.migration import MigrationContext

    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


@cache  # once a process
def _say(text: str) -> None:
    logging.getLogger(__name__).debug(text)
