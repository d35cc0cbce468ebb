"""What tuning is worth, in the report of a study and where it is looked up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from hpsearch import show_study
from hpsearch.console import print_report
from hpsearch.records.layout import Artifact, Home
from hpsearch.reports.overtuned import overtuning_warnings
from hpsearch.reports.study_report import write_report
from hpsearch.reports.study_view import StudyView
from hpsearch.study.recorded import find_run
from tests.harness.study import run

COMPARED = """
name = "compared"
compare = ["trainer"]
objective = { metric = "validation_accuracy" }
sampler = { name = "random" }
data = { name = "digits", shots = 4, split = { kind = "k-fold", folds = 2 } }
network = { name = "two-layer", hidden = 10 }
confirmation = { top = 3, seeds = 2, test_seeds = 1 }
stages = [{ trials = 6, epochs = 2 }, { trials = 4, epochs = 4 }]
[space]
trainer = { choices = ["sgd", "adam"] }
learning_rate = { low = 0.001, high = 0.1, log = true }
batch_size = 10
"""


def test_a_report_says_what_tuning_is_worth(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "compared.toml"
    path.write_text(COMPARED)
    result = run(path, home)
    folder = find_run(Home(home), "compared").folder
    page = write_report(folder, result).read_text()
    table = pd.read_csv(folder.files.artifact(Artifact.EXPECTED_BEST))
    assert table.groupby(["case", "epochs", "order"]).size().to_dict() == {
        ("trainer=adam", 2, "all orders"): 6,
        ("trainer=adam", 4, "as it happened"): 4,
        ("trainer=sgd", 2, "all orders"): 6,
        ("trainer=sgd", 4, "as it happened"): 4,
    }
    short = table[table["epochs"] == 2]
    assert (short["low"] <= short["best"]).all()
    assert (short["best"] <= short["high"]).all()
    for arm in result.arms:
        mine = table[table["case"] == f"trainer={arm.values['trainer']}"]
        scores = [
            r.scores
            for r in folder.read_all("trial")
            if r.params["trainer"] == arm.values["trainer"]
        ]
        for epochs in (2, 4):
            best = max(score[epochs] for score in scores if epochs in score)
            assert mine[mine["epochs"] == epochs]["best"].iloc[-1] == pytest.approx(best)
    assert "<summary>What tuning is worth</summary>" in page
    assert "averaged over all orders of the 6 draws, which ignore results" in page
    assert "by trials (scores after 4 epochs)" in page


def test_successive_bests_that_are_not_confirmed_are_warned_of_wherever_a_study_is_shown(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "compared.toml"
    path.write_text(COMPARED)
    rising = [  # one rate after the other learns more
        "compare=[]",
        'sampler={name="listed"}',
        'space.trainer="adam"',
        "stages=[{trials=3, epochs=4}]",
        "enqueue=[{learning_rate=0.001}, {learning_rate=0.01}, {learning_rate=0.05}]",
    ]
    result = run(path, home, *rising)
    folder = find_run(Home(home), "compared").folder
    view = StudyView.of(folder, result)
    # What was confirmed is made to fall from one best to the next.
    fallen = {
        number: replace(estimate, mean=-view.by_number[int(number)].scores[4])
        for number, estimate in result.confirmed.items()
    }
    page = write_report(folder, replace(result, confirmed=fallen)).read_text()
    (told,) = overtuning_warnings(folder)
    assert "may fit only the validation rows (overtuning)" in told
    assert told in page
    report = show_study("compared", home=home)
    print_report(report)
    assert f"WARNING  {told}" in capsys.readouterr().out
    assert report.as_dict()["overtuning"] == [told]
