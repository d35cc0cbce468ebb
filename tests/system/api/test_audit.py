"""What a study says of its own search: fidelity, alarms, the pruned; in files and in MLflow."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from hpsearch import Report, run_study
from hpsearch.console import print_report
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from tests.harness.figures import drawn_figures
from tests.harness.stores import new_home

STUDY = """
# The score only rises with x, and what is best at first is worst in the end.
name = "own"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 4
[space]
trainer = "audited_trainer:train"
x = { low = 0.001, high = 0.1, log = true }
[sampler]
proposal = "model-free"
[pruner]
name = "median"
rungs = [1]
options = { n_startup_trials = 4 }
[[stages]]
trials = 14
epochs = 2
[[stages]]
trials = 8
epochs = 4
controls = 2
[confirmation]
top = 1
seeds = 2
test_seeds = 1
[execution]
workers = 0
"""
TRAINER = """
def train(params, data, seed):
    epoch = 0
    while True:
        epoch += 1
        yield {"validation_accuracy": params["x"] if epoch <= 2 else -params["x"]}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("audited")
    (folder / "audited_trainer.py").write_text(TRAINER)
    (folder / "own.toml").write_text(STUDY)
    with drawn_figures():
        return run_study(folder / "own.toml", home=new_home(folder / "home"))


@pytest.fixture(scope="module")
def runs(report: Report) -> list[Run]:
    client = MlflowClient(report.tracking_uri)
    return list(client.search_runs([report.experiment_id]))


def test_warnings_are_printed_and_in_json(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    said = report.as_dict()
    (found,) = said["fidelity"]
    assert found["predicts"] is False
    print_report(report)
    printed = capsys.readouterr().out
    assert "WARNING  2 to 4 epochs: rank correlation -" in printed
    for alarm in said["alarms"]:
        assert f"WARNING  {alarm}" in printed
    stored = json.loads((Path(report.result.folder) / "result.json").read_text())["result"]
    assert (stored["fidelity"], stored["alarms"]) == (said["fidelity"], said["alarms"])


def test_narrowing_is_a_table_json_and_a_figure(report: Report) -> None:
    top = Path(report.result.folder)
    rows = json.loads((top / "narrowing.json").read_text())
    table = pd.read_csv(top / "narrowing.csv")
    assert table["stage"].tolist() == [row["stage"] + 1 for row in rows] == [1, 2]
    assert table["n_survivors"].tolist() == [len(row["survivors"]) for row in rows]
    assert table["discarded"].tolist() == [row["discarded"] for row in rows]
    assert rows[0]["edges"] == ["high"]
    assert (top / "figures/narrowing.png").stat().st_size > 1000
    page = (top / "report.html").read_text()
    assert "do not predict 4" in page
    assert "edge alarm" in page
    stages = pd.read_csv(top / "stages.csv")
    assert stages["controls"].tolist() == [2, 0]
    assert stages["pruned at rungs"].sum() > 0


def test_the_note_and_the_trials_in_mlflow_say_so(report: Report, runs: list[Run]) -> None:
    (parent,) = (r for r in runs if r.data.tags.get("hpsearch.kind") == "study")
    assert "**Fidelity:** 2 to 4 epochs" in parent.data.tags["mlflow.note.content"]
    reasons = [r.data.tags["hpsearch.reason"] for r in runs if "hpsearch.reason" in r.data.tags]
    assert {*reasons} == {"pruned after 1 epoch by the median pruner"}
    home = Home(Path(report.result.folder).parents[3])
    records = list(RunFolder(home.studies / "own/1").read_all("trial"))
    assert len(reasons) == sum(
        record.outcome == "pruned" and bool(record.reason) for record in records
    )
    controls = [r.data.tags["hpsearch.control"] for r in runs if "hpsearch.control" in r.data.tags]
    assert controls == ["stage 2"] * 2
