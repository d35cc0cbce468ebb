"""SQLite files of a home that are damaged: known, and set aside to be made again from records."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from hpsearch.records.whole_files import storage_errors

BESIDE = ("", "-wal", "-shm")  # what belongs to an SQLite file
SIGNS = ("malformed", "not a database", "file is encrypted")
ADVICE = "python -m hpsearch doctor --repair sets it aside and rebuilds it from the records"


def damage_of(database: Path) -> str:
    """What is wrong with the file as a database, "" if nothing is, or it is in use."""
    if not database.exists():
        return ""
    try:
        with closing(sqlite3.connect(database, timeout=5)) as connection:
            (found,) = connection.execute("pragma quick_check(1)").fetchone()
    except sqlite3.OperationalError:  # locked, or its folder is read-only
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else str(found).splitlines()[-1]


def with_advice(said: str) -> str:
    """What a database's driver says, with what to do if the file is damaged."""
    return f"{said}; {ADVICE}" if any(sign in said for sign in SIGNS) else said


def set_aside(database: Path) -> Path:
    """Give a damaged file another name, which is returned; nothing is deleted.

    Raises:
        StorageError: the folder is read-only.
    """
    aside = database.with_name(f"{database.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    with storage_errors(database):
        for end in BESIDE:
            old = database.with_name(database.name + end)
            if old.exists():
                old.rename(aside.with_name(aside.name + end))
    return aside
