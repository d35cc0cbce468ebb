"""The projection into a real MLflow store: exactly once, whatever happens."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run

from hpsearch.errors import TrackingError
from hpsearch.records.home import Home
from hpsearch.records.trial_record import MemberRecord, Outcome, RunFolder, TrialRecord
from hpsearch.tracking.projection import Projection
from hpsearch.tracking.projector import Projector

PARENT = {
    "run_id": "abc",
    "uid": "abc:study",
    "experiment": "demo",
    "name": "demo",
    "started": 1_700_000_000_000,
    "ended": None,
    "status": "RUNNING",
    "tags": {"mlflow.user": "someone", "mlflow.note.content": "A study."},
    "params": {"seed": "0"},
    "metrics": {},
    "look": {"direction": "maximize", "top": []},
    "datasets": [],
}


def make(number: int, outcome: Outcome, epochs: int = 3) -> TrialRecord:
    member = MemberRecord(0, (number,))
    row = {"train_loss": 1.0, "validation_accuracy": 0.5 + number / 100}
    member.extend(epochs, ((epoch, row) for epoch in range(1, epochs + 1)))
    record = TrialRecord(
        f"abc:trial:{number}", "trial", number, {"lr": 0.1}, [member], {"data": "d"}
    )
    record.started = time.time()
    record.end_now()
    record.outcome = outcome
    record.scores = {str(epochs): 0.5}
    return record


@pytest.fixture
def folder(home: Path) -> RunFolder:
    made = RunFolder(home / "studies" / "demo" / "1")
    made.artifacts.mkdir(parents=True)
    (made.artifacts / "study.toml").write_text("# A study.")
    made.write_json("parent.json", PARENT)
    return made


def add(folder: RunFolder, *records: TrialRecord) -> None:
    for record in records:
        folder.write(record)
        folder.announce_record(record)


def projector(folder: RunFolder, home: Path) -> Projector:
    stores = Home(home)
    return Projector(folder, stores.tracking_uri, stores.artifacts.as_uri())


def runs(home: Path) -> dict[str, Run]:
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    assert len({run.data.tags["hpsearch.uid"] for run in found}) == len(found)
    return {str(run.info.run_name): run for run in found}


def points(home: Path, run: Run, name: str) -> list[tuple[int, float]]:
    history = mlflow.MlflowClient(Home(home).tracking_uri).get_metric_history(
        run.info.run_id, name
    )
    return sorted((metric.step, metric.value) for metric in history)


def test_a_record_becomes_a_child_run_with_its_curve(folder: RunFolder, home: Path) -> None:
    add(folder, make(0, "complete"))
    projector(folder, home).catch_up()
    found = runs(home)
    trial, parent = found["trial-0"], found["demo"]
    assert trial.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert trial.data.tags["mlflow.user"] == "someone"
    assert trial.data.tags["hpsearch.outcome"] == "complete"
    assert trial.data.params == {"lr": "0.1"}
    assert trial.info.status == "FINISHED"
    assert points(home, trial, "validation_accuracy") == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert trial.data.metrics["objective"] == 0.5
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    assert [file.path for file in client.list_artifacts(trial.info.run_id)] == ["trial.json"]


@pytest.mark.parametrize(
    ("outcome", "status"), [("pruned", "KILLED"), ("diverged", "FAILED"), ("failed", "FAILED")]
)
def test_only_completed_trials_carry_the_objective(
    folder: RunFolder, home: Path, outcome: Outcome, status: str
) -> None:
    add(folder, make(0, outcome))
    projector(folder, home).catch_up()
    trial = runs(home)["trial-0"]
    assert trial.info.status == status
    assert "objective" not in trial.data.metrics


def test_a_replay_by_another_process_changes_nothing(folder: RunFolder, home: Path) -> None:
    add(folder, make(0, "complete"), make(1, "paused"))
    projector(folder, home).catch_up()
    first = {name: run.to_dictionary() for name, run in runs(home).items()}
    projector(folder, home).catch_up()
    assert {name: run.to_dictionary() for name, run in runs(home).items()} == first
    assert len(points(home, runs(home)["trial-1"], "train_loss")) == 3


def test_a_paused_trial_is_shown_and_goes_on_in_the_same_run(
    folder: RunFolder, home: Path
) -> None:
    record = make(0, "paused")
    first = projector(folder, home)
    add(folder, record)
    first.catch_up()
    assert runs(home)["trial-0"].info.status == "RUNNING"
    record.members[0].extend(1, [(4, {"train_loss": 0.5, "validation_accuracy": 0.9})])
    record.scores["4"], record.outcome = 0.9, "complete"
    record.end_now()
    add(folder, record)
    first.catch_up()
    trial = runs(home)["trial-0"]
    assert trial.info.status == "FINISHED"
    assert [step for step, _ in points(home, trial, "train_loss")] == [1, 2, 3, 4]
    assert trial.data.metrics["objective"] == 0.9


def test_a_line_cut_by_a_kill_is_passed_over(folder: RunFolder, home: Path) -> None:
    add(folder, make(0, "complete"))
    with (folder.path / "journal.jsonl").open("a") as journal:
        journal.write('{"kind": "tri')
    add(folder, make(1, "complete"))
    folder.announce_record(make(1, "complete"))
    projector(folder, home).catch_up()
    assert {"trial-0", "trial-1"} <= set(runs(home))


def test_the_parent_ends_with_its_artifacts_and_metrics(folder: RunFolder, home: Path) -> None:
    ended = {"status": "FINISHED", "ended": 1_700_000_001_000, "metrics": {"objective": 0.7}}
    folder.write_json("parent.json", PARENT | ended)
    projector(folder, home).catch_up()
    parent = runs(home)["demo"]
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics == {"objective": 0.7}
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    assert [file.path for file in client.list_artifacts(parent.info.run_id)] == ["study.toml"]


def test_a_deleted_experiment_is_said_with_the_way_back(folder: RunFolder, home: Path) -> None:
    projector(folder, home).catch_up()
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    with pytest.raises(TrackingError, match="mlflow experiments restore --experiment-id"):
        projector(folder, home).catch_up()


def test_the_process_catches_up_before_it_ends(folder: RunFolder, home: Path) -> None:
    warnings: list[str] = []
    stores = Home(home)
    projection = Projection(folder, stores, stores.tracking_uri, warnings.append)
    projection.start()
    add(folder, *(make(number, "complete") for number in range(5)))
    assert projection.finish()
    assert len(runs(home)) == 6
    assert projection.ids["parent_run_id"] == runs(home)["demo"].info.run_id
    assert not warnings


def test_a_kill_while_it_catches_up_for_the_last_time_is_made_up_for(
    folder: RunFolder, home: Path
) -> None:
    stores = Home(home)
    projection = Projection(folder, stores, stores.tracking_uri, print)
    projection.start()
    add(folder, *(make(number, "complete") for number in range(5)))
    first = projection._process
    killer = threading.Timer(1.0, first.kill)  # before its first import is over
    killer.start()
    assert projection.finish()
    killer.join()
    assert first.returncode < 0
    assert len(runs(home)) == 6


def test_an_unreachable_server_is_warned_of_once_and_reported_at_the_end(
    folder: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    warnings: list[str] = []
    projection = Projection(folder, Home(home), "http://127.0.0.1:9", warnings.append)
    projection.start()
    add(folder, make(0, "complete"))
    assert not projection.finish()
    assert len(warnings) == 1
    assert "can't be written" in warnings[0]
    assert projection.problem
