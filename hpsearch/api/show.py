"""What a study has found, looked up in its records."""

from __future__ import annotations

from pathlib import Path

from hpsearch.api.support.kept_reports import kept_report, report_of_file
from hpsearch.api.support.report import Report
from hpsearch.api.support.stores import tracking_of
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
    file: Path, *, home: str | Path | None = None, tracking_uri: str | None = None
) -> Report | None:
    """What `run_study` would return for the file of a finished study, if nothing has changed since
    it was asked last; None where that is not known, and only `run_study` can tell.

    It takes half the time, as nothing of the search is loaded.

    Args:
        file, home, tracking_uri: as for `run_study`.
    """
    stores = Home.find(Path(home) if home else None)
    return report_of_file(file, stores, tracking_of(stores, tracking_uri))
