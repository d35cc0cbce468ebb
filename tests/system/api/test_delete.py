"""Deleting studies, with real stores."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import optuna
import pytest

from hpsearch import Deletion, delete_study, run_study, study_status
from hpsearch.errors import StudyFileError, StudyLockedError, TrackingError
from tests.harness.study import run

SHORT = [
    "stages=[{trials=4, epochs=2}]",
    "confirmation={top=1, seeds=2, test_seeds=1, default=false}",
]


def runs_in_mlflow(home: Path) -> list[str]:
    client = mlflow.MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    (experiment,) = client.search_experiments(filter_string="name = 'small'")
    return [found.info.run_id for found in client.search_runs([experiment.experiment_id])]


def test_one_run_is_deleted_everywhere_then_the_rest(study_file: Path, home: Path) -> None:
    for _ in range(2):
        run_study(study_file, overrides=SHORT, home=home, workers=0, fresh=True)
    storage = f"sqlite:///{home / 'optuna.db'}"
    asked: list[Deletion] = []

    def refuse(deletion: Deletion) -> bool:
        asked.append(deletion)
        return False

    assert delete_study("small/1", home=home, agree=refuse) is None
    assert len(runs_in_mlflow(home)) == 2 * (1 + 4 + 2 + 1)
    assert (asked[0].trials, asked[0].mlflow_runs, asked[0].test_uses) == (4, 8, 1)

    done = delete_study("small/1", home=home)
    assert done == asked[0]
    assert list(study_status(home=home)["run"]) == [2]
    assert len(runs_in_mlflow(home)) == 8
    (left,) = optuna.get_all_study_names(storage)
    assert left.startswith("small/2 (")

    assert delete_study("small", home=home) is not None
    assert study_status(home=home).empty
    assert runs_in_mlflow(home) == []
    assert optuna.get_all_study_names(storage) == []
    assert not (home / "studies" / "small").exists()
    with pytest.raises(StudyFileError):
        delete_study("small", home=home)
    again = run_study(study_file, overrides=SHORT, home=home, workers=0)
    assert again.result.study == "small"
    assert not again.missing


@pytest.mark.usefixtures("without_mlflow")
def test_a_running_study_is_not_deleted(study_file: Path, home: Path) -> None:
    command = [sys.executable, "-m", "hpsearch", "study", str(study_file), "--home", str(home)]
    command += ["--set", "stages.2.epochs=100000", "--workers", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not list(home.glob("studies/small/1/trials/*/record.json")):
            time.sleep(0.05)
        with pytest.raises(StudyLockedError, match=f"process {process.pid} on"):
            delete_study("small", home=home)
        assert study_status(home=home)["state"].tolist() == ["running"]
    finally:
        process.kill()
        process.wait()


def test_a_study_that_never_reached_mlflow_is_deleted(study_file: Path, home: Path) -> None:
    run(study_file, home, *SHORT)
    other = f"sqlite:///{home / 'other.db'}"
    done = delete_study("small", home=home, storage=other)
    assert done is not None
    assert (done.mlflow_runs, done.optuna_studies, len(done.not_stored)) == (0, [], 1)
    assert not (home / "other.db").exists()


def test_mlflow_away_deletes_nothing_unless_its_runs_may_stay(
    study_file: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    run(study_file, home, *SHORT)
    where = {"tracking_uri": "http://127.0.0.1:9", "experiment_id": "1"}
    (home / "studies/small/1/mlflow.json").write_text(str(where).replace("'", '"'))
    with pytest.raises(TrackingError, match="--keep-mlflow"):
        delete_study("small", home=home)
    assert study_status(home=home)["state"].tolist() == ["finished"]
    assert delete_study("small", home=home, keep_mlflow=True) is not None
    assert study_status(home=home).empty
