"""A run in MLflow by the record that it shows, and the page of one of its curves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from hpsearch.tracking.client import open_client
from hpsearch.tracking.links import WORKFLOW
from hpsearch.tracking.names import stored_name
from hpsearch.tracking.parent_run import UID

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

EXPERIMENTS = 1000  # the newest, among which one that was renamed is looked for


def experiment_of(client: MlflowClient, name: str, uid: str) -> Experiment | None:
    """The experiment that has a study's parent run, which may have been renamed; if none has it
    yet, the one of this name.

    Args:
        client: of the store.
        name: that the study gave it.
        uid: of the parent run.
    """
    named = client.get_experiment_by_name(name)
    if named is not None and _run_of(client, [named.experiment_id], uid):
        return named
    others = [e.experiment_id for e in client.search_experiments(max_results=EXPERIMENTS)]
    found = _run_of(client, others, uid)
    return client.get_experiment(found.info.experiment_id) if found else named


def run_id_of(tracking_uri: str, experiment: str, uid: str) -> str | None:
    """The id of the run of a record; None: MLflow does not have it, or not yet."""
    found = _run_of(open_client(tracking_uri), [experiment], uid)
    return found.info.run_id if found else None


def _run_of(client: MlflowClient, experiments: list[str], uid: str) -> Run | None:
    """The run of a record in these experiments."""
    query = f"tags.`{UID}` = '{uid}'"
    found = client.search_runs(experiments, query, max_results=1) if experiments else []
    return found[0] if found else None


def curve_page(experiment: str, run_id: str, metric: str) -> str:
    """The page of one metric of a run over its epochs, from '#' on."""
    name = stored_name(metric)
    said = {
        "runs": [run_id],
        "metric": name,
        "experiments": [experiment],
        "plot_metric_keys": [name],
    }
    query = "&".join(f"{key}={quote(json.dumps(value), safe='')}" for key, value in said.items())
    return f"#/metric?{query}&x_axis=step&{WORKFLOW}"
