"""Sending what is recorded to MLflow once more, into the same store or another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.api.support.projected import projected
from hpsearch.api.support.stores import tracking_of
from hpsearch.errors import (
    DamagedError,
    HpsearchError,
    StudyFileError,
    StudyLockedError,
    TrackingError,
)
from hpsearch.records.layout import Home
from hpsearch.records.run_lock import held
from hpsearch.study.recorded import Recorded, find_runs

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("study", "records", "experiment_id", "parent_run_id", "problem")


def sync(
    study: str | None = None,
    *,
    home: str | Path | None = None,
    tracking_uri: str | None = None,
) -> pd.DataFrame:
    """Bring MLflow up to date with the records, with every run and every point exactly once.

    Args:
        study: its name, or that of one of its runs; None: all studies.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        tracking_uri: MLflow's URI; None: HPSEARCH_TRACKING_URI, else SQLite in `home`. An empty
            server gets everything.

    Returns:
        A row per run: study, records, experiment_id, parent_run_id, and problem, "" if nothing is
        missing; a study that is running is left to its own projector, and its problem says so.

    Raises:
        HpsearchError: there is no such study, or nothing was recorded yet.
    """
    import pandas as pd

    stores = Home.find(Path(home) if home else None)
    uri = tracking_of(stores, tracking_uri)
    runs = find_runs(stores, study)
    if not runs:
        raise HpsearchError(
            f"{stores.path} has no studies: run one with python -m hpsearch study, or name "
            "another folder with --home"
        )
    return pd.DataFrame([_sync(stores, run, uri) for run in runs], columns=list(COLUMNS))


def _sync(home: Home, run: Recorded, uri: str) -> dict[str, object]:
    from hpsearch.tracking.projector import has_parent

    problem, ids = "", dict[str, Any]()
    try:
        with held(home.study(run.study)):
            run.folder.sweep()
            if has_parent(run.folder):
                send(home, run, uri)
                ids = run.folder.required(run.folder.files.mlflow)
    except (StudyFileError, StudyLockedError, TrackingError, DamagedError) as error:
        problem = str(error)
    records = len(run.folder.files.records())
    return {
        "study": run.name,
        "records": records,
        "experiment_id": ids.get("experiment_id", ""),
        "parent_run_id": ids.get("parent_run_id", ""),
        "problem": problem,
    }


def send(home: Home, run: Recorded, uri: str) -> None:
    """Send one run whose study is held, and note that all of it is there.

    Raises:
        TrackingError: MLflow can't be reached or refuses.
    """
    from hpsearch.tracking.parent_run import read_parent
    from hpsearch.tracking.replay import replay

    folder = run.folder
    parent = read_parent(folder)
    if parent["status"] == "RUNNING":  # it was killed: nobody runs it, or we would not hold it
        tags = parent["tags"] | {"hpsearch.outcome": "interrupted"}
        folder.write_sealed(folder.files.parent, parent | {"status": "KILLED", "tags": tags})
    replay(folder, home, uri)
    folder.write_sealed(folder.files.projected, projected(folder, run.file, uri))
