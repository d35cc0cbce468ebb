"""A home that this process may read and not write: another user's, or on a read-only disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hpsearch.records.databases import copy_database
from hpsearch.records.layout import Home


def is_read_only(home: Home) -> bool:
    """Whether its databases can't be used where they lie: SQLite writes beside what it reads."""
    databases = [path for path in (home.optuna, home.mlflow) if path.exists()]
    return not all(os.access(path, os.W_OK) for path in (home.path, *databases))


@contextmanager
def readable_databases(home: Home) -> Iterator[Home]:
    """The home; one that is read-only: a temporary folder with copies of its databases alone."""
    if not is_read_only(home):
        yield home
        return
    with TemporaryDirectory(prefix="hpsearch-copies-") as folder:
        copies = Home(Path(folder))
        for old, new in ((home.optuna, copies.optuna), (home.mlflow, copies.mlflow)):
            if old.exists():
                copy_database(old, new)
        yield copies
