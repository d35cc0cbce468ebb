"""Drawing the report of a finished study once more."""

from __future__ import annotations

from pathlib import Path

from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home
from hpsearch.records.run_lock import held
from hpsearch.records.whole_files import storage_errors
from hpsearch.reports.study_report import write_report
from hpsearch.study.recorded import find_run


def write_study_report(study: str, *, home: str | Path | None = None) -> Path:
    """Write a study's figures and report.html from its records; returns the page.

    Args:
        study: its name, for the newest run, or that of one of its runs.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ of the current directory.

    Raises:
        HpsearchError: there is no such study, or it has no result yet.
        StudyLockedError: somebody runs it.
        StorageError: the disk is full or read-only.
    """
    stores = Home.find(Path(home) if home else None)
    run = find_run(stores, study)
    with held(stores.study(run.study)):
        result = run.result()
        if result is None:
            raise HpsearchError(
                f"study {run.name!r} must have a result to report, it is not finished: run its "
                "file again, or look at it with python -m hpsearch ui"
            )
        with storage_errors(run.folder.artifacts):
            return write_report(run.folder, result)
