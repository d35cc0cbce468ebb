"""What programs leave, in a real MLflow store."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from hpsearch import run_study
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.models.program_files import send_program_files
from hpsearch.tracking.parent_run import read_parent
from tests.harness.programs import TESTED, study_of_shell, study_with_test, write_study
from tests.harness.stores import new_home

SCRIPT = """
mkdir -p "$3/artifacts/deep"
echo seen > "$3/artifacts/deep/note.txt"
head -c 2000000 /dev/zero > "$3/artifacts/large.bin"
echo weights > "$3/checkpoint"
echo "{\\"epoch\\": $2, \\"loss\\": $1}"
"""
FEW = ["stages=[{trials=2, epochs=1}]", "confirmation.top=1", "confirmation.seeds=2"]


def names(client: MlflowClient, run_id: str, path: str | None = None) -> set[str]:
    found: set[str] = set()
    for one in client.list_artifacts(run_id, path):
        found |= names(client, run_id, one.path) if one.is_dir else {one.path}
    return found


def test_files_of_the_winners_refits_are_sent(tmp_path: Path) -> None:
    script = TESTED.replace(
        "mode=$1;", "mkdir -p $4/artifacts; echo $1 > $4/artifacts/$1.txt\nmode=$1;"
    )
    path = study_with_test(tmp_path, script, "probe = false", "dry_start = 0")
    few = [*FEW, "confirmation.test_seeds=2"]
    report = run_study(path, overrides=few, home=tmp_path / "home", workers=0)
    client = MlflowClient(report.tracking_uri)
    runs = client.search_runs([report.experiment_id], "tags.`hpsearch.kind` = 'test'")
    assert len(runs) == 2
    for run in runs:
        files = names(client, run.info.run_id, "files")
        assert files == {"files/train.txt", "files/test.txt"}


def test_files_of_the_best_and_the_winners_checkpoint_are_sent(tmp_path: Path) -> None:
    lines = ['checkpoint = "{folder}/checkpoint"', "artifacts_mb = 1", "probe = false"]
    path = study_of_shell(tmp_path, SCRIPT, *lines)
    home = tmp_path / "home"
    report = run_study(path, overrides=FEW, home=home, workers=0)
    client = MlflowClient(report.tracking_uri)
    mine = names(client, report.parent_run_id)
    assert {"program/command.txt", "program/checkpoint"} <= mine
    best = f"tags.`hpsearch.trial` = '{report.result.best_number}'"
    kind = "tags.`hpsearch.kind` = 'trial'"
    (trial,) = client.search_runs([report.experiment_id], f"{best} and {kind}")
    files = names(client, trial.info.run_id, "files")
    assert files == {"files/deep/note.txt", "files/left_out.txt"}
    version = client.get_model_version_by_alias("small", "winner")
    assert version.run_id == report.parent_run_id


@pytest.mark.parametrize("path", ["{secret}", "../../../../../../secret.txt"])
def test_no_path_of_an_archive_leads_out_of_a_trials_folder(path: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("mine")
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.create_experiment("small", (tmp_path / "files").as_uri())
    run_id = client.create_run(experiment).info.run_id
    folder = RunFolder(tmp_path / "studies" / "small" / "1")
    folder.files.record("trial", 0).member(0).mkdir(parents=True)
    said = {
        "number": 0,
        "trials": [0],
        "artifacts_mb": 1,
        "checkpoint_mb": 1,
        "command": "x",
        "description": "",
        "checkpoint": path.format(secret=secret),
    }
    parent = {"uid": "u", "run_id": "r", "experiment": "small", "program": said}
    send_program_files(client, folder, parent, {"u": run_id})
    assert not [one for one in names(client, run_id) if "secret" in one]


MLFLOW = """
import mlflow

def train(params, seed):
    mlflow.set_experiment("mine")
    while True:
        mlflow.log_metric("own", params["x"])
        yield {"score": params["x"]}
"""
STUDY = """
name = "small"
objective = { metric = "score", direction = "maximize" }
[space]
trainer = "calls_mlflow:train"
x = { low = 0.0, high = 1.0 }
[[stages]]
trials = 2
epochs = 1
[confirmation]
top = 1
seeds = 2
default = false
"""


def test_runs_that_a_function_leaves_open_are_each_trials_own(tmp_path: Path) -> None:
    (tmp_path / "calls_mlflow.py").write_text(MLFLOW)
    (tmp_path / "small.toml").write_text(STUDY)
    home = tmp_path / "home"
    report = run_study(tmp_path / "small.toml", home=home, workers=1)
    assert report.result.counts == {"complete": 2}
    client = MlflowClient(report.tracking_uri)
    assert [e.name for e in client.search_experiments()] == ["small", "Default"]
    folder = RunFolder(home / "studies" / "small" / "1")
    for number in range(2):
        store = folder.files.record("trial", number).member(0) / "mlflow.db"
        own = MlflowClient(f"sqlite:///{store}")
        (experiment,) = (e for e in own.search_experiments() if e.name == "mine")
        assert len(own.search_runs([experiment.experiment_id])) == 1
    assert read_parent(folder)["program"] is None


PROGRAM = """
import json, sys

lr, epochs, purpose, own = sys.argv[1:]
if purpose == "search":
    import mlflow

    mlflow.set_experiment("mine")
    with mlflow.start_run():
        mlflow.log_text("a", "note.txt")
    mlflow.set_tracking_uri(own)
    mlflow.set_experiment("other")
print(json.dumps({"epoch": int(epochs), "loss": float(lr)}))
"""


def test_files_that_a_program_logs_lie_beside_its_own_store(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROGRAM)
    own = f"sqlite:///{tmp_path}/own.db"
    words = [sys.executable, "train.py", "{lr}", "{epochs}", "{purpose}", own]
    path = write_study(
        tmp_path, f"command = {json.dumps(words)}", "probe = false", "dry_start = 0"
    )
    home = new_home(tmp_path / "home")
    few = ["stages=[{trials=1, epochs=1}]", *FEW[1:]]
    report = run_study(path, overrides=few, home=home, workers=0)
    assert report.result.counts == {"complete": 1}
    member = RunFolder(home / "studies" / "small" / "1").files.record("trial", 0).member(0)
    client = MlflowClient(f"sqlite:///{member}/mlflow.db")
    mine = client.get_experiment_by_name("mine")
    assert mine is not None
    (run,) = client.search_runs([mine.experiment_id])
    files = member / "mlflow-artifacts" / mine.experiment_id / run.info.run_id / "artifacts"
    assert (files / "note.txt").read_text() == "a"
    assert not (tmp_path / "mlruns").exists()
    # Where MLflow places the files of a store that the program names is the program's matter.
    other = MlflowClient(own).get_experiment_by_name("other")
    assert other is not None
    assert Path(other.artifact_location).parent == tmp_path / "mlruns"


TO_OURS = """
import os, mlflow
mlflow.set_tracking_uri(os.environ["OURS"])
mlflow.set_experiment("mine")

def train(params, seed):
    while True:
        mlflow.log_param("x", params["x"])
        yield {"score": params["x"]}
"""


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.usefixtures("own_mlflow")
def test_runs_that_a_function_sends_to_our_store_are_ended_and_in_its_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    name = f"sends_to_ours_{workers}"
    (tmp_path / f"{name}.py").write_text(TO_OURS)
    (tmp_path / "small.toml").write_text(STUDY.replace("calls_mlflow", name))
    home = new_home(tmp_path / "home")
    monkeypatch.setenv("OURS", f"sqlite:///{home}/mlflow.db")
    report = run_study(tmp_path / "small.toml", home=home, workers=workers)
    assert report.result.counts == {"complete": 2}
    client = MlflowClient(report.tracking_uri)
    (mine,) = (e for e in client.search_experiments() if e.name == "mine")
    runs = client.search_runs([mine.experiment_id])
    assert len(runs) == 2 + 2  # each trial and each repeat has its own
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert client.search_runs(["0"]) == []


@pytest.mark.usefixtures("own_mlflow")
def test_the_run_of_who_starts_a_study_stays_open(tmp_path: Path) -> None:
    (tmp_path / "plain_own.py").write_text(
        "import mlflow\n\ndef train(params, seed):\n    while True:\n"
        "        yield {'score': params['x']}\n"
    )
    (tmp_path / "small.toml").write_text(STUDY.replace("calls_mlflow", "plain_own"))
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mine.db")
    mlflow.set_experiment("mine")
    with mlflow.start_run() as mine:
        run_study(tmp_path / "small.toml", home=new_home(tmp_path / "home"), workers=0)
        active = mlflow.active_run()
        assert active is not None
        assert active.info.run_id == mine.info.run_id
        mlflow.log_metric("after", 1.0)
    assert mlflow.get_run(mine.info.run_id).data.metrics == {"after": 1.0}
