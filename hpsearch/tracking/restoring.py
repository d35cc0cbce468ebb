"""Sealed records from their copies in MLflow, for those whose files were damaged."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hpsearch.addresses import first_line, without_password
from hpsearch.errors import DamagedError, TrackingError
from hpsearch.records.layout import KINDS, RecordFiles
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.records.whole_files import write_below
from hpsearch.tracking.client import open_client
from hpsearch.tracking.parent_run import UID
from hpsearch.tracking.projector import runs_of
from hpsearch.tracking.run_content import TRIAL_JSON

if TYPE_CHECKING:
    from mlflow import MlflowClient


def restore_records(
    folder: RunFolder, tracking_uri: str, study: str, run_id: str, places: Iterable[RecordFiles]
) -> None:
    """Write the records again that MLflow has a whole copy of; the others stay away.

    Args:
        folder: of the run.
        study: whose experiment it is in MLflow.
        run_id: of the run.
        places: where the records were, which nothing is left of.

    Raises:
        TrackingError: MLflow can't be read.
    """
    from mlflow.exceptions import MlflowException

    missing = {place.path: place for place in places}
    try:
        client = open_client(tracking_uri)
        experiment = client.get_experiment_by_name(study)
        found = [] if experiment is None else runs_of(client, experiment.experiment_id, run_id)
        for run in found:
            place = missing.get(_place_of(folder, run.data.tags[UID]))
            if place is not None and run.info.status != "RUNNING":
                _restore(client, run.info.run_id, place)
    except MlflowException as error:
        raise TrackingError(
            f"MLflow at {without_password(tracking_uri)} must be readable, "
            f"got {type(error).__name__}: {first_line(error, tracking_uri)}"
        ) from error


def _place_of(folder: RunFolder, uid: str) -> Path:
    """Where the record with a uid lies (records.TrialRecord.uid)."""
    _, said, *numbers = uid.split(":")
    for kind in KINDS:
        if kind == said:
            number, seed = [*map(int, numbers), 0][:2]
            return folder.files.record(kind, number, seed).path
    return folder.path  # the study's own run


def _restore(client: MlflowClient, run_id: str, place: RecordFiles) -> None:
    from mlflow.exceptions import MlflowException

    with TemporaryDirectory(prefix="hpsearch-") as temporary:
        try:
            copy = Path(client.download_artifacts(run_id, TRIAL_JSON, temporary))
            record = TrialRecord.from_json(copy.read_bytes(), TRIAL_JSON)
            files = [
                Path(client.download_artifacts(run_id, name, temporary)) for name in record.files
            ]
        except (MlflowException, DamagedError, OSError):  # a copy that lacks something is none
            return
        if not record.sealed:
            return
        for file in files:
            write_below(place.file(file.name), file.read_bytes())
        write_below(place.json, record.to_json(place.json))
