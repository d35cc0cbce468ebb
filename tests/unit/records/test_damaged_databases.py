"""An SQLite file that is damaged is known, and set aside whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hpsearch.records.damaged_databases import ADVICE, damage_of, set_aside, with_advice


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "optuna.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table trials (number integer)")
        connection.executemany("insert into trials values (?)", [(n,) for n in range(5000)])
        connection.commit()
    return path


def test_a_whole_database_has_no_damage(database: Path, tmp_path: Path) -> None:
    assert damage_of(database) == ""
    assert damage_of(tmp_path / "none.db") == ""


@pytest.mark.parametrize("first", [0, 100, 20_000])
def test_a_damaged_database_is_set_aside_whole(database: Path, first: int) -> None:
    content = bytearray(database.read_bytes())
    content[first : first + 9000] = b"x" * 9000
    database.write_bytes(content)
    assert damage_of(database)
    aside = set_aside(database)
    assert not database.exists()
    assert aside.read_bytes() == content


def test_a_driver_s_words_for_damage_come_with_what_to_do() -> None:
    assert ADVICE in with_advice("(sqlite3.DatabaseError) file is not a database")
    assert with_advice("database is locked") == "database is locked"
