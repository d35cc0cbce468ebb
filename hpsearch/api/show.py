"""What a study has found, looked up in its records."""

from __future__ import annotations

from pathlib import Path

from hpsearch.addresses import check_apart
from hpsearch.api.support.kept_reports import kept_report, report_of_file
from hpsearch.api.support.report import Report
from hpsearch.api.support.stores import storage_of, tracking_of
from hpsearch.records.layout import Home


def show_study(study: str, *, home: str | Path | None = None) -> Report:
    """The report of a finished study. Nothing is run; the report is kept for the next time.

    Args:
        study: its name, for its newest run, or "name/2" for a specific run.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.

    Raises:
        StudyFileError: there is no such study.
        HpsearchError: it is not finished.
    """
    stores = Home.find(Path(home) if home else None)
    if (kept := kept_report(study, stores)) is not None:
        return kept
    # What is loaded here takes longer than all else, see kept_reports.
    from hpsearch.api.support.study_report import recorded_report

    return recorded_report(study, stores)


def finished_report(
    file: Path,
    *,
    home: str | Path | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
) -> Report | None:
    """What `run_study` would return for the file of a finished study, in half the time.

    None if only `run_study` can tell: anything has changed since it was called for the file, or
    the study depends on code or data of the user's own.

    Args:
        file, home, storage, tracking_uri: as for `run_study`.

    Raises:
        HpsearchError: an address of a store can't be used.
    """
    stores = Home.find(Path(home) if home else None)
    database, uri = storage_of(stores, storage), tracking_of(stores, tracking_uri)
    if (database, uri) != (stores.storage_url, stores.tracking_uri):
        check_apart(database, uri)
    return report_of_file(file, stores, uri)
