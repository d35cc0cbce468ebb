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
    from mlflow.entities import Experiment

EXPERIMENTS = 1000  # the newest, among which one that was renamed is looked for


def experiment_of(client: MlflowClient, name: str, uid: str) -> Experiment | None:
    """The experiment of this name; if there is none, the one that was renamed.

    Args:
        client: of the store.
        name: that the study gave it.
        uid: of the study's parent run, which a renamed experiment has.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is not None:
        return experiment
    others = [e.experiment_id for e in client.search_experiments(max_results=EXPERIMENTS)]
    found = client.search_runs(others, f"tags.`{UID}` = '{uid}'", max_results=1) if others else []
    return client.get_experiment(found[0].info.experiment_id) if found else None


def run_id_of(tracking_uri: str, experiment: str, uid: str) -> str | None:
    """The id of the run of a record; None: MLflow does not have it, or not yet."""
    client = open_client(tracking_uri)
    found = client.search_runs([experiment], f"tags.`{UID}` = '{uid}'", max_results=1)
    return found[0].info.run_id if found else None


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
