"""The report of a study whose result is known, from its records."""

from __future__ import annotations

import shlex
from dataclasses import replace

from hpsearch.addresses import without_password
from hpsearch.analysis.failures import Failure, failures
from hpsearch.analysis.kept_answers import answered
from hpsearch.api.support.kept_reports import keep_report, report_stamps
from hpsearch.api.support.projected import is_projected
from hpsearch.api.support.report import Report, place_of, ui_command
from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Result
from hpsearch.records.retests import failed_refits
from hpsearch.reports.overtuned import overtuning_warnings
from hpsearch.reports.served_model import model_failed, model_problem
from hpsearch.study.code_checks import code_warnings, repeat_texts
from hpsearch.study.library_warnings import library_warnings
from hpsearch.study.recorded import Recorded, find_run
from hpsearch.tracking.links import short_address
from hpsearch.tracking.projection import Projection
from hpsearch.tracking.stores.own_store import tracked
from hpsearch.tracking.views import pages_of


def recorded_report(study: str, home: Home) -> Report:
    """The report of a run in the records; as `show_study`."""
    run = find_run(home, study)
    stamps, result = report_stamps(run.folder.files), finished_result(run)
    uri = str(tracked(run.folder).get("tracking_uri", home.tracking_uri))
    projection = Projection(run.folder, home, uri, warn=lambda line: None)
    missing = "" if is_projected(run.folder, run.file, uri) else projection.problem
    report = report_of(projection, result, ran=False, missing=missing)
    keep_report(run.folder.files, stamps, report)
    return report


def finished_result(run: Recorded) -> Result:
    """
    Raises:
        HpsearchError: it is not finished.
    """
    result = run.result()
    if result is None:
        raise HpsearchError(
            f"study {run.name!r} is not finished, so it has no winner yet: see its progress with "
            f"python -m hpsearch status {shlex.quote(run.study)}, its trials with python -m "
            f"hpsearch show {shlex.quote(run.study)} --trials"
        )
    return result


def report_of(projection: Projection, result: Result, *, ran: bool, missing: str) -> Report:
    """The report of a study whose result is known."""
    ids = projection.ids
    # The result names the folder where the study ended; the home may have moved since.
    here = str(projection.folder.files.artifacts)
    return Report(
        result=replace(result, folder=here),
        answers=answered(projection.folder),
        ran=ran,
        tracking_uri=without_password(projection.tracking_uri),
        experiment_id=ids.get("experiment_id", ""),
        parent_run_id=ids.get("parent_run_id", ""),
        missing=missing,
        ui=ui_command(projection.home, projection.tracking_uri),
        short=short_address(*place_of(projection.folder.files)),
        page=found.trials if (found := pages_of(projection.folder)) else "",
        failures=_failures(projection, result),
        code_warnings=code_warnings(projection.folder),
        repeats=repeat_texts(projection.folder),
        overtuning=overtuning_warnings(projection.folder),
        library_warnings=library_warnings(projection.folder),
        failed_refits=len(failed_refits(projection.folder, result)) if result.untested else 0,
        model_problem=model_problem(projection.folder, result.best_number),
        model_failed=model_failed(projection.folder, result.best_number),
    )


def _failures(projection: Projection, result: Result) -> list[Failure]:
    """The failures of the trials; no record is read if there are none."""
    if all(Outcome(outcome).sound for outcome in result.counts):
        return []
    return failures(projection.folder.read_all("trial"))
