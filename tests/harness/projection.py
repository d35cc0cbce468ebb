"""Records made by hand, projected into MLflow, and what MLflow has of them."""

from __future__ import annotations

import time
from pathlib import Path

import mlflow
from mlflow.entities import Run

from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
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
    member = MemberRecord(0, SeedKey(0, number, 0, 0))
    row = {"train_loss": 1.0, "validation_accuracy": 0.5 + number / 100}
    member.extend(epochs, ((epoch, row) for epoch in range(1, epochs + 1)))
    record = TrialRecord(
        f"abc:trial:{number}", "trial", number, {"lr": 0.1}, [member], {"data": "d"}
    )
    record.started = time.time()
    record.end_now()
    record.outcome = outcome
    record.scores = {epochs: 0.5}
    return record


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
