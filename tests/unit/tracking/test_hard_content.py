"""Numbers, texts and names that MLflow is not made for: shown truthfully, nothing silently cut."""

from __future__ import annotations

import json
import math
from pathlib import Path

import mlflow

from hpsearch.audit.mlflow_comparison import Comparison
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from tests.harness.projection import add, make, points, projector, runs

LONG = "x" * 9_999 + "é"
PARAMS = {
    "long": LONG,
    "nan": math.nan,
    "inf": -math.inf,
    "text": "'quotes\" `ticks` % _ \\ \n line, 語, 🎲",
    "empty": "",
    "a name/with. parts:and-signs": 1,
    "n" * 250: True,
}


def sent(run_folder: RunFolder, home: Path, record: TrialRecord) -> mlflow.entities.Run:
    """The run that a record becomes; the doctor finds nothing wrong with it."""
    add(run_folder, record)
    projector(run_folder, home).catch_up()
    comparison = Comparison("demo", run_folder, Home(home).tracking_uri)
    assert list(comparison.differences()) == []
    return next(run for name, run in runs(home).items() if name.startswith("trial-000"))


def test_params_of_any_length_and_content(run_folder: RunFolder, home: Path) -> None:
    record = make(0, Outcome.COMPLETE)
    record.params = dict(PARAMS)
    run = sent(run_folder, home, record)
    shown = run.data.params
    assert shown.keys() == PARAMS.keys()
    assert shown["long"].startswith("x" * 5000)
    assert "cut; all 10000 characters are in the artifacts" in shown["long"]
    assert len(shown["long"]) == 6000
    assert shown["nan"] == "nan"
    assert shown["inf"] == "-inf"
    assert shown["text"] == PARAMS["text"]
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    whole = client.download_artifacts(run.info.run_id, "trial.json")
    assert json.loads(Path(whole).read_text())["params"]["long"] == LONG


def test_a_long_reason_says_that_it_is_cut(run_folder: RunFolder, home: Path) -> None:
    record = make(0, Outcome.FAILED)
    record.reason = "ValueError: " + LONG
    reason = sent(run_folder, home, record).data.tags["hpsearch.reason"]
    assert "cut; all 10012 characters are in the artifacts" in reason
    assert len(reason) == 8000


def test_what_is_not_finite_is_left_out_and_counted(run_folder: RunFolder, home: Path) -> None:
    record = make(0, Outcome.COMPLETE, epochs=4)
    record.members[0].history["train_loss"] = [1.0, math.nan, math.inf, 0.5]
    record.members[0].history["validation_loss"] = [math.inf] * 4
    run = sent(run_folder, home, record)
    assert points(home, run, "train_loss") == [(1, 1.0), (4, 0.5)]
    assert points(home, run, "validation_loss") == []
    assert "validation_loss.best" not in run.data.metrics
    assert run.data.tags["hpsearch.not_finite"] == "train_loss 2 times, validation_loss 4 times"


def test_means_that_overflow_are_left_out(run_folder: RunFolder, home: Path) -> None:
    record = make(0, Outcome.COMPLETE, epochs=2)
    record.members[0].history["train_loss"] = [1e308, 1.0]
    second = make(0, Outcome.COMPLETE, epochs=2).members[0]
    second.history["train_loss"] = [1.7e308, 3.0]
    record.members.append(second)
    run = sent(run_folder, home, record)
    assert points(home, run, "train_loss") == [(2, 2.0)]


def test_three_thousand_points_a_metric(run_folder: RunFolder, home: Path) -> None:
    run = sent(run_folder, home, make(0, Outcome.COMPLETE, epochs=3000))
    assert [step for step, _ in points(home, run, "train_loss")] == [*range(1, 3001)]


def test_odd_metric_names(run_folder: RunFolder, home: Path) -> None:
    record = make(0, Outcome.COMPLETE)
    history = record.members[0].history
    for name in ("validation_accuracy/class_a b", "x:y.z-1", "m" * 200):
        history[name] = [0.1, 0.2, 0.3]
    run = sent(run_folder, home, record)
    assert points(home, run, "x:y.z-1") == [(1, 0.1), (2, 0.2), (3, 0.3)]


def test_a_learning_rate_that_moves_has_a_curve(run_folder: RunFolder, home: Path) -> None:
    record = make(0, Outcome.COMPLETE)
    record.members[0].learning_rates = [0.1, 0.05, 0.025]
    run = sent(run_folder, home, record)
    assert points(home, run, "learning_rate") == [(1, 0.1), (2, 0.05), (3, 0.025)]


def test_a_running_trial_is_shown_live_and_no_point_comes_twice(
    run_folder: RunFolder, home: Path
) -> None:
    record = make(0, Outcome.RUNNING, epochs=2)
    record.marks.clear()
    record.scores.clear()
    row = {"train_loss": 0.5, "validation_accuracy": 0.9}
    for n_epochs in range(3, 6):
        assert record.mark_progress()
        assert not record.mark_progress()
        add(run_folder, record)
        projector(run_folder, home).catch_up()  # each time another process
        run = runs(home)["trial-000"]
        assert run.info.status == "RUNNING"
        record.members[0].extend(1, [(n_epochs, row)])
    record.outcome, record.scores = Outcome.COMPLETE, {5: 0.9}
    record.end_now()
    run = sent(run_folder, home, record)
    assert [step for step, _ in points(home, run, "train_loss")] == [1, 2, 3, 4, 5]
    assert run.info.status == "FINISHED"


def test_names_that_mlflow_refuses_are_sent_under_safe_ones(
    run_folder: RunFolder, home: Path
) -> None:
    record = make(0, Outcome.COMPLETE, epochs=2)
    record.params = {"rate [1/s]": 3, "rate (1/s)": 4, "../up": 5, "p" * 300: 6, "语": 7}
    run = sent(run_folder, home, record)
    names = {
        "rate _1/s__beaf": "3",
        "rate _1/s__e107": "4",
        "_.._up_8c72": "5",
        f"{'p' * 244}_67f1": "6",
        "语": "7",
    }
    assert run.data.params == names
    said = run.data.tags["hpsearch.names"].split("; ")
    assert "rate _1/s__beaf is rate [1/s]" in said
