"""The methods of a study, written from its records."""

from __future__ import annotations

import shlex
from pathlib import Path

from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home
from hpsearch.reports.methods.methods import Methods
from hpsearch.study.recorded import Recorded, find_run


def study_methods(study: str, *, home: str | Path | None = None) -> Methods:
    """Write up a study for a paper: text, tables, BibTeX. Nothing is run or written to disk.

    Args:
        study: its name, for its newest run, or "name/2" for a specific run.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.

    Raises:
        StudyFileError: there is no such study.
        HpsearchError: its search is not finished.
        DamagedError: a record was changed or damaged.
    """
    run = find_run(Home.find(Path(home) if home else None), study)
    result = run.result()
    failure = "" if result else _failure(run)
    return Methods.of(run, result, failure)


def _failure(run: Recorded) -> str:
    """Why a run without a result has none.

    Raises:
        HpsearchError: its search is not over.
    """
    failed = run.folder.read_sealed(run.folder.files.failed, "reason")
    if failed is None:
        raise HpsearchError(
            f"study {run.name!r} is not finished, so its methods can't be written: run its file "
            f"again, or see its progress with python -m hpsearch status {shlex.quote(run.study)}"
        )
    return str(failed["reason"])
