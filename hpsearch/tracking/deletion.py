"""Taking the runs of a study out of MLflow."""

from __future__ import annotations

import os

from hpsearch.addresses import HIDDEN, first_line, without_password
from hpsearch.errors import TrackingError
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.client import open_client
from hpsearch.tracking.notes import drop_description
from hpsearch.tracking.own_store import tracked
from hpsearch.tracking.parent_run import RUN_ID
from hpsearch.tracking.sqlite_store import is_there
from hpsearch.tracking.views import drop_views


class TrackedRuns:
    """The MLflow runs of one run of a study, as far as they were projected.

    Args:
        folder, run_id: of the run.
        known_uri: a tracking URI with its password, used where the folder names the same store.

    Raises:
        TrackingError: MLflow can't be reached.
    """

    def __init__(self, folder: RunFolder, run_id: str, known_uri: str) -> None:
        said = tracked(folder)
        self.tracking_uri = str(said.get("tracking_uri", ""))
        if self.tracking_uri == without_password(known_uri):
            self.tracking_uri = known_uri
        self.ids: list[str] = []
        self._run_id = run_id
        if not is_there(self.tracking_uri):
            return
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        self._client = open_client(self.tracking_uri)
        try:
            self._experiment = str(said["experiment_id"])
            self.ids = self._find(self._experiment, run_id)
        except Exception as error:
            raise self._trouble(error) from error

    def _find(self, experiment: str, run_id: str) -> list[str]:
        found, token = [], None
        while True:
            page = self._client.search_runs(
                [experiment], f"tags.`{RUN_ID}` = '{run_id}'", page_token=token
            )
            found += [run.info.run_id for run in page]
            token = page.token
            if not token:
                return found

    def delete(self) -> None:
        """Mark them as deleted; `mlflow gc` frees their space."""
        try:
            for run_id in self.ids:
                self._client.delete_run(run_id)
            if self.ids:
                drop_views(self._client, self._experiment, self._run_id)
                drop_description(self._client, self._experiment, self._run_id)
        except Exception as error:
            raise self._trouble(error) from error

    def _trouble(self, error: Exception) -> TrackingError:
        reason = first_line(error, self.tracking_uri)
        place = without_password(self.tracking_uri)
        hidden = HIDDEN in self.tracking_uri
        remedy = "name it with its password in HPSEARCH_TRACKING_URI" if hidden else "start it"
        return TrackingError(
            f"MLflow at {place} must be reachable to delete runs there, got "
            f"{type(error).__name__}: {reason}; {remedy}, or keep its runs with --keep-mlflow"
        )
