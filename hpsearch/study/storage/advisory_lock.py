"""Locks in a PostgreSQL database, for coordinators on machines that share no disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from hpsearch.addresses import keep_connections
from hpsearch.errors import StudyLockedError

if TYPE_CHECKING:
    import sqlalchemy

POSTGRESQL = "postgresql"


@contextmanager
def held_in_database(url: str, study: str) -> Iterator[None]:
    """Hold a study in its PostgreSQL database; in any other the lock of its folder is all.

    It is a session's lock: it ends with this process's connection, however that ends.

    Raises:
        StudyLockedError: another process holds it.
        sqlalchemy.exc.SQLAlchemyError: the database is away.
    """
    with _session(url) as session:
        if session is not None and not _taken(session, study, "pg_try_advisory_lock"):
            raise StudyLockedError(
                f"study {study!r} is already running on another machine that uses the same "
                "database: wait for it, or stop it"
            )
        yield


@contextmanager
def one_at_a_time(url: str, what: str) -> Iterator[None]:
    """Wait until no other process is in a block of this name on the same PostgreSQL database."""
    with _session(url) as session:
        if session is not None:
            _taken(session, what, "pg_advisory_lock")
        yield


@contextmanager
def _session(url: str) -> Iterator[sqlalchemy.Connection | None]:
    """A connection of its own; its end is the end of its locks."""
    if not url.startswith(POSTGRESQL):
        yield None
        return
    import sqlalchemy

    keep_connections()
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        yield connection
    finally:
        with suppress(sqlalchemy.exc.SQLAlchemyError):  # a lost connection holds no lock either
            connection.close()


def _taken(session: sqlalchemy.Connection, name: str, how: str) -> bool:
    import sqlalchemy

    digest = hashlib.sha256(f"hpsearch:{name}".encode()).digest()
    key = int.from_bytes(digest[:8], "big", signed=True)
    return session.execute(sqlalchemy.text(f"select {how}({key})")).scalar() is not False
