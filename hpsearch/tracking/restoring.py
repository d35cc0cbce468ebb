"""Sealed records from their copies in MLflow, for those whose files are lost."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hpsearch.errors import DamagedError, FormatError
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.records.whole_files import write_below
from hpsearch.tracking.parent_run import UID
from hpsearch.tracking.run_content import TRIAL_JSON

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def has_copy(client: MlflowClient, run: Run) -> bool:
    """Whether a run of a record has ended, and so holds all of it."""
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    return run.info.status != "RUNNING" and TRIAL_JSON in files


def restore(client: MlflowClient, folder: RunFolder, run: Run) -> bool:
    """Write a record from its copy; False where the copy is not whole, or is another's."""
    from mlflow.exceptions import MlflowException

    with TemporaryDirectory(prefix="hpsearch-") as temporary:
        try:
            copy = Path(client.download_artifacts(run.info.run_id, TRIAL_JSON, temporary))
            record = TrialRecord.from_json(copy.read_bytes(), TRIAL_JSON)
            files = [
                Path(client.download_artifacts(run.info.run_id, name, temporary))
                for name in record.files
            ]
        except (MlflowException, DamagedError, FormatError, OSError):
            return False
        if not record.sealed or record.uid != run.data.tags[UID]:
            return False
        place = folder.files.record(record.kind, record.number, record.seed_number)
        for file in files:
            write_below(place.file(file.name), file.read_bytes())
        write_below(place.json, record.to_json(place.json))
    return True
