"""The Pareto front of a study as files, tables, commands and metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from hpsearch import best_configuration, run_study, show_study, study_front, study_trials
from hpsearch.cli import app
from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from tests.harness.figures import drawn_figures
from tests.harness.stores import new_home
from tests.harness.study_files import LIMIT, NAMES, TWO


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a finished study with two objectives."""
    top = tmp_path_factory.mktemp("front")
    (top / "two.toml").write_text(TWO)
    with drawn_figures():
        run_study(top / "two.toml", home=new_home(top / "home"), workers=0)
    return top / "home"


def shown(home: Path, *arguments: str) -> str:
    outcome = CliRunner().invoke(app, ["show", "small", "--home", str(home), *arguments])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_the_front_is_a_table_and_a_file(done: Path) -> None:
    result, table = show_study("small", home=done).result, study_front("small", home=done)
    assert list(table["trial"]) == [member.number for member in result.front]
    assert table["trial"].iloc[0] == result.best_number
    assert list(table[NAMES[1]]) == [m.values[NAMES[1]].mean for m in result.front]
    assert {f"{NAMES[0]}, low", f"{NAMES[0]}, search", "learning_rate"} <= {*table.columns}
    written = pd.read_csv(Path(result.folder) / "front.csv")
    pd.testing.assert_frame_equal(written, table, check_dtype=False)
    assert shown(done, "--front", "--csv") == table.to_csv(index=False)
    assert len(json.loads(shown(done, "--front", "--json"))) == len(table)
    assert Result.from_dict(json.loads(json.dumps(result.as_dict()))) == result


def test_any_member_of_the_front_can_be_gone_on_with(done: Path) -> None:
    result = show_study("small", home=done).result
    trial = result.front[-1].number
    record = RunFolder(done / "studies" / "small" / "1").read("trial", trial)
    assert record is not None
    assert json.loads(shown(done, "--best", "--trial", str(trial), "--json")) == record.params
    winner = best_configuration("small", home=done)
    assert f"The winner of small: trial {result.best_number}" in winner
    if len(result.front) > 1:
        assert "Also on the Pareto front: trials " in winner
    with pytest.raises(HpsearchError, match="has no trial 999"):
        best_configuration("small", trial=999, home=done)


def test_the_report_and_the_console_show_the_front(done: Path) -> None:
    folder = Path(show_study("small", home=done).result.folder)
    page = (folder / "report.html").read_text()
    assert page.count("<h3>Pareto front</h3>") == 2  # the table and the figure
    assert (folder / "figures" / "pareto_front.png").stat().st_size > 3000
    said = shown(done)
    assert "Pareto front, means over the confirmation runs" in said
    assert "passes/backward" in said


def test_the_table_of_trials_has_all_objectives(done: Path) -> None:
    table = study_trials("small", home=done)
    scores = ["score_2", "score_5", "passes/backward at 2", "violation at 2"]
    assert list(table.columns[6:10]) == scores
    assert (table["violation at 2"] >= 0).sum() == table["score_2"].notna().sum()


def test_mlflow_has_all_objectives(done: Path) -> None:
    client = MlflowClient(Home(done).tracking_uri)
    (experiment,) = (e for e in client.search_experiments() if e.name == "small")
    runs = client.search_runs([experiment.experiment_id], max_results=200)
    result = show_study("small", home=done).result
    (parent,) = (r for r in runs if r.data.tags["hpsearch.kind"] == "study")
    for name in NAMES:
        mean = result.front[0].values[name].mean
        assert parent.data.metrics[f"objectives/{name}"] == pytest.approx(mean)
    assert parent.data.metrics["front/configurations"] == len(result.front)
    assert parent.data.params["objective_2.metric"] == "passes/backward"
    assert parent.data.params["constraints"] == LIMIT
    assert (
        "| trial | validation_accuracy | passes/backward |"
        in (parent.data.tags["mlflow.note.content"])
    )
    complete = [r for r in runs if r.data.tags.get("hpsearch.outcome") == "complete"]
    trials = [r for r in complete if r.data.tags["hpsearch.kind"] == "trial"]
    assert trials
    for run in trials:
        assert run.data.metrics["objective"] == run.data.metrics[f"objectives/{NAMES[0]}"]
        assert run.data.metrics["violation"] >= 0


def test_one_objective_has_no_front(study_file: Path, home: Path) -> None:
    few = ["stages=[{trials=4, epochs=2}]", "confirmation={top=1, seeds=2, test_seeds=1}"]
    run_study(study_file, overrides=few, home=home, workers=0)
    with pytest.raises(HpsearchError, match="has a single objective"):
        study_front("small", home=home)
