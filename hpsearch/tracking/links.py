"""Addresses of pages of the MLflow UI, from '#' on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from hpsearch.study_names import file_name

UI_ADDRESS = "http://127.0.0.1:5000"  # where `python -m hpsearch ui` listens unless told otherwise
KIND, OUTCOME = "hpsearch.kind", "hpsearch.outcome"  # tags of runs
# A browser that was never there shows "GenAI" without it: an empty page of traces.
WORKFLOW = "workflowType=machine_learning"


def runs_page(
    experiment: str, parent: str, conditions: Sequence[str], *, order: str, ascending: bool
) -> str:
    """The run table with some of a study's runs, sorted; runs without the key come last.

    Args:
        parent: id of the study's run.
        conditions: what runs must be, as MLflow's search has it.
        order: the key, such as "metrics.`objective`".
    """
    runs = " and ".join([f"tags.`mlflow.parentRunId` = '{parent}'", *conditions])
    return (
        f"#/experiments/{experiment}/runs?searchFilter={quote(runs, safe='')}"
        f"&orderByKey={quote(order, safe='')}&orderByAsc={str(ascending).lower()}"
        f"&{WORKFLOW}"
    )


def trials_page(experiment: str, parent: str, direction: str) -> str:
    """The trials of a study, best first; only complete ones have an objective to be sorted by."""
    return runs_page(
        experiment,
        parent,
        [f"tags.`{KIND}` = 'trial'"],
        order="metrics.`objective`",
        ascending=direction == "minimize",
    )


def run_page(experiment: str, run_id: str, part: str = "") -> str:
    """A run's page.

    Args:
        part: of it, such as "model-metrics"; "": the overview.
    """
    return f"#/experiments/{experiment}/runs/{run_id}{part and '/'}{part}?{WORKFLOW}"


def compare_page(experiment: str, run_ids: Sequence[str]) -> str:
    """Some runs beside each other."""
    runs = quote(json.dumps(list(run_ids)), safe="")
    return (
        f"#/compare-runs?runs={runs}&experiments={quote(json.dumps([experiment]), safe='')}"
        f"&{WORKFLOW}"
    )


def short_address(study: str, run: int | None = None, view: str = "") -> str:
    """The address on the server of `ui` that leads to a page of a study in MLflow.

    Args:
        run: None: the newest.
        view: its name; "": the trials, best first.
    """
    parts = [quote(file_name(study), safe=""), "" if run is None else str(run), view]
    return "/s/" + "/".join(filter(None, parts))
