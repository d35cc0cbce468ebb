"""Taking the runs of a study out of MLflow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpsearch.addresses import HIDDEN, first_line, without_password
from hpsearch.errors import TrackingError
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.whole_files import storage_errors
from hpsearch.study_names import file_name
from hpsearch.tracking.client import open_client
from hpsearch.tracking.models.registered import registered, unregister
from hpsearch.tracking.notes import drop_description
from hpsearch.tracking.parent_run import RUN_ID
from hpsearch.tracking.stores.own_store import tracked
from hpsearch.tracking.stores.sqlite_store import is_there
from hpsearch.tracking.views import drop_views
from hpsearch.tracking.writers.choice import database_store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model that was made of a run.

    Attributes:
        aliases: by which it is served, such as "winner".
    """

    name: str
    version: str
    aliases: tuple[str, ...]

    def __str__(self) -> str:
        served = f" ({', '.join(self.aliases)})" if self.aliases else ""
        return f"{self.name} version {self.version}{served}"


class TrackedRuns:
    """The MLflow runs of one run of a study, as far as they were projected.

    Attributes:
        ids: of the runs.
        versions: of registered models that lie among their artifacts.

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
        self.versions: list[ModelVersion] = []
        self._marked: list[str] = []  # as deleted, by a deletion that was killed or by a repair
        self._run_id, self._home = run_id, folder.files.study.home
        if not is_there(self.tracking_uri):
            return
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        try:
            self._client = open_client(self.tracking_uri)
            self._experiment = str(said["experiment_id"])
            found = self._find()
            self.ids = [run.info.run_id for run in found if run.info.lifecycle_stage == "active"]
            self._marked = [run.info.run_id for run in found if run.info.run_id not in self.ids]
            if found:  # else the experiment may be gone, too
                name = file_name(self._client.get_experiment(self._experiment).name)
                self.versions = _versions(self._client, name, self._all, run_id)
        except Exception as error:
            raise self._trouble(error) from error

    @property
    def is_own(self) -> bool:
        """Whether they lie in the home's own store, whose space can be freed from here."""
        return self.tracking_uri == self._home.tracking_uri

    @property
    def n_bytes(self) -> int:
        """What their artifacts take up in the home's own store; 0 in another store."""
        if not self.is_own:
            return 0
        return sum(self._home.size_of(self._home.artifacts_of(run_id)) for run_id in self._all)

    @property
    def _all(self) -> list[str]:
        return [*self.ids, *self._marked]

    def _find(self) -> list[Run]:
        from mlflow.entities import ViewType

        found: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment],
                f"tags.`{RUN_ID}` = '{self._run_id}'",
                run_view_type=ViewType.ALL,
                page_token=token,
            )
            found += page
            token = page.token
            if not token:
                return found

    def delete(self, *, for_good: bool = False) -> None:
        """Mark them as deleted, and delete the versions of registered models made of them.

        Args:
            for_good: free their space too, as `mlflow gc` does; in the home's own store alone,
                others are marked.
        """
        try:
            if self.versions:
                unregister(self._client, self.versions)
            if self._all:
                drop_views(self._client, self._experiment, self._run_id)
                drop_description(self._client, self._experiment, self._run_id)
            for run_id in self.ids:
                self._client.delete_run(run_id)
            if for_good and self.is_own:
                self._free()
        except TrackingError:
            raise
        except Exception as error:
            raise self._trouble(error) from error

    def _free(self) -> None:
        """Delete the artifacts of runs that are marked, then their rows, so that a kill between
        the two leaves the run to be found again.

        `mlflow gc` follows the addresses in the database, which in a copy of a home may still be
        those of the original; here only files of this home are deleted.
        """
        store = database_store(self._client)
        assert store is not None  # SQLite's
        for run_id in self._all:
            place = self._home.artifacts_of(run_id)
            with storage_errors(place):
                if place.exists():
                    shutil.rmtree(place)
            store._hard_delete_run(run_id)  # type: ignore[no-untyped-call]

    def _trouble(self, error: Exception) -> TrackingError:
        cause = error.__cause__ if isinstance(error, TrackingError) else None
        error = cause if isinstance(cause, Exception) else error
        reason = first_line(error, self.tracking_uri)
        place = without_password(self.tracking_uri)
        hidden = HIDDEN in self.tracking_uri
        remedy = "name it with its password in HPSEARCH_TRACKING_URI" if hidden else "start it"
        return TrackingError(
            f"MLflow at {place} must be reachable to delete runs there, got "
            f"{type(error).__name__}: {reason}; {remedy}, or keep its runs with "
            "python -m hpsearch delete --keep-mlflow"
        )


def _versions(
    client: MlflowClient, name: str, run_ids: Iterable[str], run_id: str
) -> list[ModelVersion]:
    """Those of a run of a study, of any name; none where the server has no registry.

    Args:
        name: of the study's registered model, whose older versions say by their MLflow runs alone
            what they were made of.
    """
    from mlflow.exceptions import MlflowException

    wanted = set(run_ids)
    try:
        named = [v for v in client.search_model_versions(f"name = '{name}'") if v.run_id in wanted]
        found = {(v.name, str(v.version)) for v in (*named, *registered(client, run_id))}
        aliases = {name: client.get_registered_model(name).aliases for name, _ in found}
    except MlflowException:
        return []
    return [
        ModelVersion(
            name, version, tuple(a for a, of in aliases[name].items() if str(of) == version)
        )
        for name, version in sorted(found)
    ]
