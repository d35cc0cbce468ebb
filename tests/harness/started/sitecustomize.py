"""Runs first in every Python process that tests start, whose PYTHONPATH names this folder.

Figures are one pixel there, files need not outlive the machine, new stores of MLflow are copies,
errors of test scores are of few resamples, and where a test says so MLflow hears of no study: all
take longer than what most tests show.
tests/conftest.py does the same in the process of the tests.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cache, partial
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

WITHOUT_MLFLOW = "HPSEARCH_TESTS_WITHOUT_MLFLOW"  # where it is set, no projector is started
KEPT_STORE = "HPSEARCH_TESTS_MLFLOW_STORE"  # the file of an empty store of MLflow
STORES = "mlflow.store.db.utils"

# The smallest PNG there is.
BLANK = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)
DRAWING = {
    "hpsearch.reports.arms": ("draw_arms", "write_png"),
    "hpsearch.reports.confusion": ("_draw",),
    "hpsearch.reports.png_charts": ("draw_png", "svg_of"),
}
RESAMPLES = 8  # of test rows, for the error of a score


def draw_nothing(place: object, *drawn: object) -> bytes:
    if isinstance(place, Path):
        place.write_bytes(BLANK)
    return BLANK


def _blank(module: ModuleType) -> None:
    for function in DRAWING[module.__name__]:
        setattr(module, function, draw_nothing)


def _unprojected(module: ModuleType) -> None:
    """Studies keep their records to themselves; MLflow hears of none."""
    module.Projection.start = lambda self: None
    module.Projection.keep_alive = lambda self: None
    module.Projection.finish = lambda self, **_: True


def tables_of(kept: str, module: ModuleType) -> None:
    """New SQLite stores of MLflow get the tables of one that was made before.

    MLflow runs its migrations of years for 3 s instead.

    Args:
        kept: its file.
        module: mlflow.store.db.utils
    """
    make = module._initialize_tables

    def initialize(engine: Any) -> None:
        if engine.dialect.name != "sqlite":
            make(engine)
            return
        with closing(sqlite3.connect(kept)) as source, engine.connect() as connection:
            new = connection.connection.driver_connection
            source.backup(new)
            new.execute("delete from experiments")  # it makes a default one where its files lie
            new.commit()

    vars(module)["_initialize_tables"] = initialize


def known_head(module: ModuleType) -> None:
    """MLflow reads its migrations once, not again for every store that is opened.

    Args:
        module: mlflow.store.db.utils
    """
    vars(module)["_get_latest_schema_revision"] = cache(module._get_latest_schema_revision)


class Changed:
    """Finds modules that are changed as soon as they are loaded.

    Args:
        changes: what does so, by the module's name.
    """

    def __init__(self, changes: Mapping[str, Callable[[ModuleType], None]]) -> None:
        self._changes = changes

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        change = self._changes.get(name)
        spec = PathFinder.find_spec(name, path, target) if change is not None else None
        if change is not None and spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                change(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _changes() -> dict[str, Callable[[ModuleType], None]]:
    found: dict[str, Callable[[ModuleType], None]] = dict.fromkeys(DRAWING, _blank)
    found["hpsearch.analysis.test_rows"] = lambda module: setattr(module, "RESAMPLES", RESAMPLES)
    if WITHOUT_MLFLOW in os.environ:
        found["hpsearch.tracking.projection"] = _unprojected
    if KEPT_STORE in os.environ:
        found[STORES] = partial(tables_of, os.environ[KEPT_STORE])
    return found


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, Changed(_changes()))
    os.fsync = lambda fd: None
