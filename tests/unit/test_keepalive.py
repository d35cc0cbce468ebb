"""Connections to PostgreSQL that a firewall must not forget."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy

from hpsearch.addresses import KEEPALIVE, keep_connections

psycopg = pytest.importorskip(
    "psycopg", reason="no driver here: pip install 'hpsearch[postgresql]' runs these tests"
)


def test_connections_are_kept_alive_but_for_what_the_address_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    def connect(*_: object, **named: Any) -> None:
        asked.append(named)
        raise psycopg.OperationalError("nobody is there")

    monkeypatch.setattr(psycopg, "connect", connect)
    for _ in range(2):  # each store asks for it
        keep_connections()
    engine = sqlalchemy.create_engine("postgresql+psycopg://me@db/optuna?keepalives_idle=7")
    with pytest.raises(sqlalchemy.exc.OperationalError):
        engine.connect()
    (named,) = asked
    assert {name: named[name] for name in KEEPALIVE} == KEEPALIVE | {"keepalives_idle": "7"}


def test_other_databases_are_left_alone() -> None:
    keep_connections()
    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        assert connection.execute(sqlalchemy.text("select 1")).scalar() == 1
