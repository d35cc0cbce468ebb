"""The ways from a study to what else there is of it: MLflow's pages and the report."""

from __future__ import annotations

from urllib.parse import quote

from hpsearch.addresses import has_password
from hpsearch.pages.study_row import Link, StudyRow
from hpsearch.records.layout import Artifact, Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.study_names import file_name
from hpsearch.tracking.links import run_page, short_address
from hpsearch.tracking.run_lookup import curve_page, run_id_of
from hpsearch.tracking.stores.own_store import tracked
from hpsearch.tracking.views import Look, View, pages_of

STUDIES = "/studies"  # the start page
BEST, RUN = "best", "run"  # names of views beside those of `View`


def report_address(study: str, run: int) -> str:
    """The address of a run's report."""
    return f"{STUDIES}/{quote(file_name(study), safe='')}/{run}/report.html"


def ways_on(home: Home, folder: RunFolder, row: StudyRow) -> list[Link]:
    """The links of a row, the most wanted first. They are short: a page has thousands of them."""
    study, run = row.study, row.run
    server, found = _server(home, folder), []
    if server is not None:
        found = [Link(title, short_address(study, run, name)) for name, title in _titles(row)]
    if server == "" and row.best_trial is not None:
        found.insert(1, Link("Best trial's curve", short_address(study, run, BEST)))
    if folder.files.artifact(Artifact.REPORT).exists():
        found.append(Link("Report", report_address(study, run)))
    return found


def view_page(home: Home, folder: RunFolder, row: StudyRow, view: str) -> str:
    """The address of a page of a run in MLflow; "" where it is not there, or not yet."""
    server = _server(home, folder)
    pages = None if server is None else pages_of(folder)
    if pages is None:
        return ""
    if view == BEST:
        page = "" if row.best_trial is None else _curve_page(home, folder, row.best_trial)
    elif view == RUN:
        page = pages.run
    else:
        page = next((page for name, page in pages.views.items() if name == view), "")
    return f"{server}/{page}" if page else ""


def _titles(row: StudyRow) -> list[tuple[str, str]]:
    """The views of a run, each with the title of its link, the trials first."""
    found = [(View.TRIALS, "Trials"), (View.CURVES, "Curves")]
    found += [(View.TESTS, "Fresh splits and test")] if row.state == "finished" else []
    if any(row.counts.get(outcome) for outcome in (Outcome.FAILED, Outcome.DIVERGED)):
        found.append((View.TROUBLES, "Failed and diverged"))
    return [*((str(view), title) for view, title in found), (RUN, "Summary")]


def _curve_page(home: Home, folder: RunFolder, number: int) -> str:
    """A trial's curve of what the study optimises; "" where this home's MLflow has none."""
    ids, record = tracked(folder), folder.read("trial", number)
    if not ids or record is None or ids["tracking_uri"] != home.tracking_uri:
        return ""
    experiment = ids["experiment_id"]
    run_id = run_id_of(home.tracking_uri, experiment, record.uid)
    if run_id is None:
        return ""
    parent = folder.required(folder.files.parent, "run_id", "look")
    metric = Look.of(parent, ids["parent_run_id"]).metric
    if not metric:
        return run_page(experiment, run_id, "model-metrics")
    return curve_page(experiment, run_id, metric)


def _server(home: Home, folder: RunFolder) -> str | None:
    """What stands before a run's pages in MLflow: nothing where this server has them; None: they
    are not there yet, or can't be linked."""
    uri = str(tracked(folder).get("tracking_uri", ""))
    if uri == home.tracking_uri:
        return ""
    return uri.rstrip("/") if uri.startswith("http") and not has_password(uri) else None
