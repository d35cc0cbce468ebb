"""Deleting studies: records, Optuna studies, MLflow runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hpsearch.api.support.stores import storage_of, tracking_of
from hpsearch.records.layout import Home, shared_folder
from hpsearch.records.run_lock import lock_study, unlock_study
from hpsearch.records.whole_files import storage_errors
from hpsearch.study.recorded import Recorded, find_runs
from hpsearch.study.storage.trials import delete_stored, is_stored
from hpsearch.study.verdict import test_uses
from hpsearch.tracking.deletion import TrackedRuns


@dataclass(frozen=True)
class Deletion:
    """What a deletion removes.

    Attributes:
        runs: names of the runs.
        folders: their records, with `trials` records of trials.
        optuna_studies: their studies in Optuna's storage; those not found there are `not_stored`.
        shared: what programs left in folders that Dask's workers share.
        mlflow_runs: how many runs MLflow marks as deleted (`mlflow gc` frees their space).
        test_uses: configurations whose scores on the test set will be forgotten with the records.
    """

    runs: list[str]
    folders: list[str]
    trials: int
    optuna_studies: list[str]
    not_stored: list[str]
    shared: list[str]
    mlflow_runs: int
    test_uses: int

    def lines(self) -> list[str]:
        """For people."""
        said = [f"{folder}" for folder in self.folders]
        said[-1] += f"  ({self.trials} trials)"
        said += [f"Optuna study {name!r}" for name in self.optuna_studies]
        said += [
            f"(no Optuna study {name!r} there; --storage names another database)"
            for name in self.not_stored
        ]
        said += [f"{folder}  (files of programs)" for folder in self.shared]
        said += [f"{self.mlflow_runs} MLflow runs, marked as deleted"] * bool(self.mlflow_runs)
        if self.test_uses:
            said.append(
                f"the count of its uses of the test set: {self.test_uses} configuration(s)"
            )
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

    MLflow's experiment stays, and with it what other folders of stores have put there.

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
        HpsearchError: HPSEARCH_TRACKING_URI is no URI.
    """
    stores = Home.find(Path(home) if home else None)
    runs = find_runs(stores, study)
    top = runs[0].folder.files.study
    lock = lock_study(top)
    try:
        url = storage_of(stores, storage)
        tracked = [] if keep_mlflow else _tracked(stores, runs)
        deletion = _deletion(runs, url, sum(len(t.ids) for t in tracked))
        if not agree(deletion):
            return None
        for one in tracked:
            one.delete()
        for stored in deletion.optuna_studies:
            delete_stored(url, stored)
        for folder in deletion.shared:
            with storage_errors(Path(folder)):
                shutil.rmtree(folder)
        with storage_errors(top.path):
            for run in runs:  # at once no run any more, whatever happens to the files
                gone = run.folder.path.rename(top.deleted(run.number))
                shutil.rmtree(gone)
            if not top.numbers():
                shutil.rmtree(top.path)
    finally:
        unlock_study(top, lock)
    return deletion


def _tracked(stores: Home, runs: list[Recorded]) -> list[TrackedRuns]:
    uri = tracking_of(stores, None)
    return [TrackedRuns(run.folder, run.id, uri) for run in runs]


def _shared(run: Recorded) -> list[str]:
    """Folders of a run's programs beside its own; none that an archive names."""
    if run.folder_of_file is None:
        return []
    tops = {table.shared for table in run.file.all_programs.values() if table.shared}
    study = run.folder.path.parent.name
    folders = [shared_folder(top, study, run.id) for top in sorted(tops)]
    return [str(folder) for folder in folders if folder.is_dir()]


def _deletion(runs: list[Recorded], url: str, mlflow_runs: int) -> Deletion:
    names = [name for run in runs for name in run.storage_names()]
    stored = [name for name in names if is_stored(url, name)]
    return Deletion(
        runs=[run.name for run in runs],
        folders=[str(run.folder.path) for run in runs],
        trials=sum(1 for run in runs for _ in run.folder.read_all("trial")),
        optuna_studies=stored,
        not_stored=[name for name in names if name not in stored],
        shared=[folder for run in runs for folder in _shared(run)],
        mlflow_runs=mlflow_runs,
        test_uses=sum(test_uses(run.folder) for run in runs),
    )
