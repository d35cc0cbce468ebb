"""Deleting studies: records, Optuna studies, MLflow runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hpsearch.api.support.deletion import StoredRun, sweep
from hpsearch.api.support.stores import storage_of, tracking_of
from hpsearch.counts import count_of
from hpsearch.records.layout import Home
from hpsearch.records.run_lock import lock_study, unlock_study
from hpsearch.study.recorded import find_runs
from hpsearch.tracking.deletion import TrackedRuns


@dataclass(frozen=True)
class Deletion:
    """What a deletion removes.

    Attributes:
        runs: names of the runs.
        folders: the folders of their records.
        trials: the number of records of trials in them.
        optuna_studies: their studies in Optuna's storage.
        not_stored: their studies that are not in Optuna's storage.
        of_others: folders in them with files of MLflow's Default experiment, which stores made by
            older versions put there.
        shared: files of programs in folders that Dask's workers share.
        mlflow_runs: the number of runs to mark as deleted in MLflow; `mlflow gc` frees their
            space.
        test_uses: configurations whose scores on the test set will be forgotten with the records.
        models: versions of registered models that come from the runs.
    """

    runs: list[str]
    folders: list[str]
    trials: int
    optuna_studies: list[str]
    not_stored: list[str]
    of_others: list[str]
    shared: list[str]
    mlflow_runs: int
    test_uses: int
    models: list[str]

    def lines(self) -> list[str]:
        """The deletion in lines for people."""
        said = [f"{folder}" for folder in self.folders]
        said[-1] += f"  ({count_of(self.trials, 'trial')})"
        said += [f"Optuna study {name!r}" for name in self.optuna_studies]
        said += [
            f"(no Optuna study {name!r} there; --storage names another database)"
            for name in self.not_stored
        ]
        said += [f"{folder}  (files of runs of your own in MLflow)" for folder in self.of_others]
        said += [f"{folder}  (files of programs)" for folder in self.shared]
        said += [f"{count_of(self.mlflow_runs, 'MLflow run')}, marked as deleted"] * bool(
            self.mlflow_runs
        )
        said += [f"registered model {model}" for model in self.models]
        if self.test_uses:
            uses = count_of(self.test_uses, "configuration")
            said.append(f"the count of its uses of the test set: {uses}")
        return said


def delete_study(
    study: str,
    *,
    home: str | Path | None = None,
    storage: str | None = None,
    keep_mlflow: bool = False,
    agree: Callable[[Deletion], bool] = lambda deletion: True,
) -> Deletion | None:
    """Delete a study with all its runs, or one run of it.

    MLflow's experiment is kept, with everything that other homes have put there.

    Args:
        study: its name, for all of its runs, or "name/2" for one of them.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        storage: Optuna's storage URL, where the study was run; None: HPSEARCH_STORAGE, else SQLite
            in `home`.
        keep_mlflow: leave the runs in MLflow.
        agree: called with what would be deleted; if it returns False, nothing is deleted.

    Returns:
        What was deleted; None if `agree` returned False.

    Raises:
        StudyFileError: there is no such study.
        StudyLockedError: a process runs it.
        TrackingError: MLflow can't be reached; nothing was deleted.
        StorageError: Optuna's storage can't be opened.
        HpsearchError: HPSEARCH_TRACKING_URI is not a URI.
    """
    stores = Home.find(Path(home) if home else None)
    runs = find_runs(stores, study)
    top = runs[0].folder.files.study
    lock = lock_study(top)
    try:
        sweep(top)  # files that a kill has left would be in the way
        url, uri = storage_of(stores, storage), tracking_of(stores, None)
        stored = [
            StoredRun(run, url, None if keep_mlflow else TrackedRuns(run.folder, run.id, uri))
            for run in runs
        ]
        deletion = _deletion(stored)
        if not agree(deletion):
            return None
        for one in stored:
            one.delete()
        sweep(top)
    finally:
        unlock_study(top, lock)
    return deletion


def _deletion(runs: list[StoredRun]) -> Deletion:
    tracked = [one.tracked for one in runs if one.tracked is not None]
    names = [name for one in runs for name in one.run.storage_names()]
    stored = [name for one in runs for name in one.optuna_studies()]
    return Deletion(
        runs=[one.run.name for one in runs],
        folders=[str(one.run.folder.path) for one in runs],
        trials=sum(1 for one in runs for _ in one.run.folder.read_all("trial")),
        optuna_studies=stored,
        not_stored=[name for name in names if name not in stored],
        of_others=[
            str(one.run.folder.path / "mlruns")
            for one in runs
            if any((one.run.folder.path / "mlruns").rglob("*"))
        ],
        shared=[str(folder) for one in runs for folder in one.shared_folders()],
        mlflow_runs=sum(len(runs_of.ids) for runs_of in tracked),
        test_uses=sum(one.test_uses for one in runs),
        models=[str(version) for runs_of in tracked for version in runs_of.versions],
    )
