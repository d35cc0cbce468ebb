"""What MLflow's parent run of a study holds; the coordinator writes it to parent.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hpsearch.records.layout import Artifact
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.models.program_files import send_program_files
from hpsearch.tracking.models.winner_model import send_model
from hpsearch.tracking.notes import links_line, send_description, send_finals
from hpsearch.tracking.outer_runs import missing
from hpsearch.tracking.run_content import NOTE, PARAM_LENGTH, TAG_LENGTH, fitting
from hpsearch.tracking.sent_files import send_files

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

UID, RUN_ID = "hpsearch.uid", "hpsearch.run_id"


def read_parent(folder: RunFolder) -> dict[str, Any]:
    """What the coordinator says of the whole run."""
    return folder.required(folder.files.parent, "uid", "experiment", "tags")


def send_parent(
    client: MlflowClient,
    folder: RunFolder,
    parent: Mapping[str, Any],
    experiment: str,
    ids: Mapping[str, str],
) -> None:
    """Bring the parent run to what parent.json says; again and again without a difference.

    Args:
        ids: of the runs in MLflow, by uid; the parent's among them.
    """
    from mlflow.entities import Metric, Param, RunTag

    run_id, when = ids[parent["uid"]], parent["ended"] or parent["started"]
    links = links_line(parent, experiment, ids)
    # Second, as MLflow shows the first two lines of a note and folds the rest.
    first, _, rest = parent["tags"][NOTE].partition("\n\n")
    tags = parent["tags"] | {NOTE: f"{first}\n\n{links}\n\n{rest}".rstrip()}
    client.log_batch(
        run_id,
        metrics=[Metric(k, v, when, 0) for k, v in missing(client, run_id, parent["metrics"])],
        params=[Param(k, fitting(v, PARAM_LENGTH)) for k, v in parent["params"].items()],
        tags=[RunTag(k, fitting(v, TAG_LENGTH)) for k, v in tags.items()],
    )
    if parent["datasets"]:
        client.log_inputs(run_id, [_input(said) for said in parent["datasets"]])
    send_finals(client, folder, parent, experiment, ids)
    send_description(client, parent, experiment, run_id)
    if parent["status"] == "RUNNING":
        client.update_run(run_id, status="RUNNING")
    else:
        send_files(client, run_id, folder.artifacts, Artifact.REPORT)
        send_model(client, folder, parent, run_id)
        send_program_files(client, folder, parent, ids)
        client.set_terminated(run_id, parent["status"], end_time=parent["ended"])


def _input(said: Mapping[str, Any]) -> DatasetInput:
    """A data set as MLflow lists it on the run's page."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return DatasetInput(
        Dataset(
            name=said["name"],
            digest=said["digest"],
            source_type="local",
            source=json.dumps({"uri": said["source"]}),
            profile=json.dumps(said["profile"]),
        ),
        [InputTag("mlflow.data.context", said["context"])],
    )
