"""SQLite files of a home: given back to the disk, copied while they are written to."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

FREE_SHARE = 0.25  # of a file's pages; below it, writing the file anew costs more than it frees
BUSY_SECONDS = 5.0  # for another writer; the next call tries again


def make_file(database: Path) -> None:
    """Make the file of a database that is not there yet, as any new file: by itself, SQLite would
    not let the group write, whatever the umask says."""
    if not database.exists():
        database.touch()


def how_to_write(database: Path) -> str:
    """How this user can write a database of another; "" if ownership is not the cause."""
    try:
        if os.access(database, os.W_OK):
            return ""
        if database.stat().st_uid == os.geteuid():
            return ""
        owner = database.owner()
    except (OSError, KeyError):  # it is gone, or its owner has no name here
        return ""
    return f"The file is {owner}'s: have {owner} run chmod g+w {shlex.quote(str(database))}"


def shrink(database: Path) -> int:
    """Give the pages of deleted rows back to the disk; returns how many bytes that freed.

    Nothing is done where few pages are free, where the file is in use or the disk is full.
    """
    if not database.exists():
        return 0
    before = database.stat().st_size
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(database, timeout=BUSY_SECONDS)) as connection,
    ):
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        if free > FREE_SHARE * pages:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return max(0, before - database.stat().st_size)


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment, also while others write to it, or on a disk that
    can't be written.

    Raises:
        OSError: it can't be read.
        sqlite3.Error: it is no database.
    """
    make_file(target)
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=60)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
    except sqlite3.OperationalError:  # SQLite must write beside it to read it, and may not
        if os.access(source.parent, os.W_OK):
            raise
        shutil.copyfile(source, target)
