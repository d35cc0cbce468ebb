"""Drawing the report of a finished study once more."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from hpsearch.errors import HpsearchError, StorageError
from hpsearch.records.layout import Home
from hpsearch.records.run_lock import held
from hpsearch.records.whole_files import storage_errors
from hpsearch.reports.png_charts import Vector
from hpsearch.reports.study_report import write_figures, write_report
from hpsearch.study.recorded import find_run

COLUMN = 3.4  # inches
NARROWEST, WIDEST = 1.0, 40.0  # inches; beyond them a slip of the keyboard


def write_study_report(
    study: str,
    *,
    figures: Vector | None = None,
    width: float = COLUMN,
    light: bool = False,
    home: str | Path | None = None,
) -> Path:
    """Write a study's figures and report.html from its records; returns the page.

    Args:
        study: its name, for the newest run, or that of one of its runs.
        figures: also draw figures for a paper in this format, in figures/ beside the page.
        width: the width of these figures in inches; by default that of a column of a two-column
            paper.
        light: write a page of some hundred kilobytes, without interactive figures.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.

    Raises:
        HpsearchError: there is no such study, it has no result yet, or the width is out of range.
        StudyLockedError: another process runs it.
        StorageError: the disk is full or read-only.
    """
    if not NARROWEST <= width <= WIDEST:
        raise HpsearchError(
            f"the width of figures must be from {NARROWEST:g} to {WIDEST:g} inches, got {width:g}"
        )
    stores = Home.find(Path(home) if home else None)
    run = find_run(stores, study)
    if not os.access(run.folder.path, os.W_OK):
        raise StorageError(
            f"{run.folder.artifacts} must be writable, so that a report can be written; move the "
            "study to a folder of yours: python -m hpsearch export "
            f"{shlex.quote(run.study)} --home {shlex.quote(str(stores.path))}, then import and "
            "report with --home of that folder"
        )
    with held(stores.study(run.study)):
        result = run.result()
        if result is None:
            raise HpsearchError(
                f"study {run.name!r} is not finished, so it has no result to report: run its file "
                "again, or look at it with python -m hpsearch ui"
            )
        with storage_errors(run.folder.artifacts):
            page = write_report(run.folder, result, light=light)
            if figures is not None:
                write_figures(run.folder, result, figures, width)
            return page
