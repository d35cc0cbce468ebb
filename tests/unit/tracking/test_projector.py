"""The projection into a real MLflow store: exactly once, whatever happens."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlflow
import pytest

from hpsearch.audit.mlflow_comparison import Comparison
from hpsearch.errors import TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from tests.harness.projection import PARENT, add, make, points, projector, runs


def test_a_record_becomes_a_child_run_with_its_curve(run_folder: RunFolder, home: Path) -> None:
    add(run_folder, make(0, Outcome.COMPLETE))
    projector(run_folder, home).catch_up()
    found = runs(home)
    trial, parent = found["trial-000"], found["demo"]
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
    ("outcome", "status"),
    [(Outcome.PRUNED, "FINISHED"), (Outcome.DIVERGED, "FAILED"), (Outcome.FAILED, "FAILED")],
)
def test_only_completed_trials_carry_the_objective(
    run_folder: RunFolder, home: Path, outcome: Outcome, status: str
) -> None:
    add(run_folder, make(0, outcome))
    projector(run_folder, home).catch_up()
    trial = runs(home)[f"trial-000-{outcome}"]
    assert trial.info.status == status
    assert trial.data.tags["hpsearch.outcome"] == outcome
    assert "objective" not in trial.data.metrics


def test_a_name_says_how_a_trial_ended_when_it_has(run_folder: RunFolder, home: Path) -> None:
    record, first = make(7, Outcome.PAUSED), projector(run_folder, home)
    add(run_folder, record)
    first.catch_up()
    assert "trial-007" in runs(home)
    record.become(Outcome.PRUNED)
    record.end_now()
    add(run_folder, record)
    projector(run_folder, home).catch_up()
    assert runs(home).keys() == {"demo", "trial-007-pruned"}


def test_names_of_many_trials_sort(run_folder: RunFolder, home: Path) -> None:
    look = PARENT["look"] | {"digits": 4}  # type: ignore[operator]
    run_folder.write_json(run_folder.files.parent, PARENT | {"look": look})
    add(run_folder, make(0, Outcome.COMPLETE), make(1234, Outcome.COMPLETE))
    projector(run_folder, home).catch_up()
    assert {"trial-0000", "trial-1234"} <= runs(home).keys()


def test_a_mean_is_shown_without_its_last_bits(run_folder: RunFolder, home: Path) -> None:
    record = make(0, Outcome.COMPLETE)
    record.scores = {3: 0.9600000000000001}
    record.members[0].history["validation_accuracy"] = [0.1 + 0.2, 1 / 3, 1e-17]
    add(run_folder, record)
    projector(run_folder, home).catch_up()
    trial = runs(home)["trial-000"]
    assert trial.data.metrics["objective"] == 0.96
    curve = [value for _, value in points(home, trial, "validation_accuracy")]
    assert curve == [0.3, 0.333333333333, 1e-17]
    assert list(Comparison("demo", run_folder, Home(home).tracking_uri).differences()) == []


def test_numbers_of_a_whole_run_stand_apart_from_its_curves(
    run_folder: RunFolder, home: Path
) -> None:
    add(run_folder, make(0, Outcome.COMPLETE))
    projector(run_folder, home).catch_up()
    metrics = runs(home)["trial-000"].data.metrics
    apart = {name for name in metrics if "/" in name}
    assert apart == {"system/seconds_wall", "system/seconds_cpu", "system/epochs"}
    assert metrics["validation_accuracy.best_epoch"] == 1


def as_older(home: Path, name: str) -> str:
    """Make a run look as an older version sent it; its id."""
    client, run = mlflow.MlflowClient(Home(home).tracking_uri), runs(home)[name]
    client.delete_tag(run.info.run_id, "hpsearch.record")
    client.log_metric(run.info.run_id, "seconds/wall", 1.5, step=3)
    client.set_terminated(run.info.run_id, "KILLED")
    return str(run.info.run_id)


def test_a_run_that_an_older_version_sent_is_sent_anew(run_folder: RunFolder, home: Path) -> None:
    add(run_folder, make(0, Outcome.PRUNED), make(1, Outcome.COMPLETE), make(2, Outcome.PAUSED))
    projector(run_folder, home).catch_up()
    before = {as_older(home, name) for name in ("trial-000-pruned", "trial-002")}
    kept = runs(home)["trial-001"].info.run_id
    comparison = Comparison("demo", run_folder, Home(home).tracking_uri)
    found = list(comparison.differences())
    assert [d.subject for d in found] == ["demo trial-000-pruned", "demo trial-002"]
    assert all(d.repairable and "of an older one" in d.problem for d in found)
    projector(run_folder, home).catch_up()
    after = runs(home)
    assert after["trial-000-pruned"].info.status == "FINISHED"
    assert after["trial-002"].info.status == "RUNNING"
    assert after["trial-001"].info.run_id == kept
    assert not before & {run.info.run_id for run in after.values()}
    assert list(Comparison("demo", run_folder, Home(home).tracking_uri).differences()) == []


def test_a_run_of_an_older_version_without_its_record_is_kept(
    run_folder: RunFolder, home: Path
) -> None:
    add(run_folder, make(0, Outcome.COMPLETE), make(1, Outcome.COMPLETE))
    projector(run_folder, home).catch_up()
    before = as_older(home, "trial-001")
    shutil.rmtree(run_folder.path / "trials/00001")
    projector(run_folder, home).catch_up()
    assert runs(home)["trial-001"].info.run_id == before


def test_a_parent_s_metrics_of_an_older_version_are_as_good_as_rounded_ones(
    run_folder: RunFolder, home: Path
) -> None:
    ended = {"status": "FINISHED", "ended": 1_700_000_001_000, "metrics": {"objective": 2 / 3}}
    run_folder.write_json(run_folder.files.parent, PARENT | ended)
    projector(run_folder, home).catch_up()
    parent = runs(home)["demo"]
    assert parent.data.metrics == {"objective": 0.666666666667}
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    client.log_metric(parent.info.run_id, "objective", 2 / 3, timestamp=1_700_000_002_000)
    assert list(Comparison("demo", run_folder, Home(home).tracking_uri).differences()) == []
    projector(run_folder, home).catch_up()
    assert len(points(home, parent, "objective")) == 2


def test_a_replay_by_another_process_changes_nothing(run_folder: RunFolder, home: Path) -> None:
    add(run_folder, make(0, Outcome.COMPLETE), make(1, Outcome.PAUSED))
    projector(run_folder, home).catch_up()
    first = {name: run.to_dictionary() for name, run in runs(home).items()}
    projector(run_folder, home).catch_up()
    assert {name: run.to_dictionary() for name, run in runs(home).items()} == first
    assert len(points(home, runs(home)["trial-001"], "train_loss")) == 3


def test_a_paused_trial_is_shown_and_goes_on_in_the_same_run(
    run_folder: RunFolder, home: Path
) -> None:
    record = make(0, Outcome.PAUSED)
    first = projector(run_folder, home)
    add(run_folder, record)
    first.catch_up()
    assert runs(home)["trial-000"].info.status == "RUNNING"
    record.members[0].extend(1, [(4, {"train_loss": 0.5, "validation_accuracy": 0.9})])
    record.scores[4], record.outcome = 0.9, Outcome.COMPLETE
    record.end_now()
    add(run_folder, record)
    first.catch_up()
    trial = runs(home)["trial-000"]
    assert trial.info.status == "FINISHED"
    assert [step for step, _ in points(home, trial, "train_loss")] == [1, 2, 3, 4]
    assert trial.data.metrics["objective"] == 0.9


def test_a_line_cut_by_a_kill_is_passed_over(run_folder: RunFolder, home: Path) -> None:
    add(run_folder, make(0, Outcome.COMPLETE))
    with (run_folder.path / "journal.jsonl").open("a") as journal:
        journal.write('{"kind": "tri')
    add(run_folder, make(1, Outcome.COMPLETE))
    run_folder.announce_record(make(1, Outcome.COMPLETE))
    projector(run_folder, home).catch_up()
    assert {"trial-000", "trial-001"} <= set(runs(home))


def test_the_parent_ends_with_its_artifacts_and_metrics(run_folder: RunFolder, home: Path) -> None:
    ended = {"status": "FINISHED", "ended": 1_700_000_001_000, "metrics": {"objective": 0.7}}
    run_folder.write_json(run_folder.files.parent, PARENT | ended)
    projector(run_folder, home).catch_up()
    parent = runs(home)["demo"]
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics == {"objective": 0.7}
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    assert [file.path for file in client.list_artifacts(parent.info.run_id)] == ["study.toml"]


def test_a_deleted_experiment_is_said_with_the_way_back(run_folder: RunFolder, home: Path) -> None:
    projector(run_folder, home).catch_up()
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    with pytest.raises(TrackingError, match="mlflow experiments restore --experiment-id"):
        projector(run_folder, home).catch_up()


FOLDS = [
    {
        "uid": f"abc:fold:{k}",
        "name": f"outer-fold-{k}",
        "index": k - 1,
        "tags": {"hpsearch.kind": "outer-fold", "hpsearch.outer_fold": str(k)},
        "metrics": {},
    }
    for k in (1, 2)
]
FOLDED = PARENT | {"searches": 3, "folds": FOLDS}


def lies_below(home: Path) -> dict[str, str]:
    found = runs(home)
    names = {run.info.run_id: name for name, run in found.items()}
    parents = {n: run.data.tags.get("mlflow.parentRunId", "") for n, run in found.items()}
    return {name: names.get(parent, parent) for name, parent in parents.items()}


NESTED = {
    "demo": "",
    "outer-fold-1": "demo",
    "outer-fold-2": "demo",
    "trial-000": "outer-fold-1",
    "trial-001": "outer-fold-2",
    "trial-002": "demo",
    "trial-003": "outer-fold-1",
}


def test_an_outer_fold_is_a_run_with_its_trials_below_it(
    run_folder: RunFolder, home: Path
) -> None:
    run_folder.write_json(run_folder.files.parent, FOLDED)
    add(run_folder, *(make(number, Outcome.COMPLETE) for number in range(3)))
    first = projector(run_folder, home)
    first.catch_up()
    add(run_folder, make(3, Outcome.COMPLETE))
    first.catch_up()
    assert lies_below(home) == NESTED
    found = runs(home)
    assert found["trial-003"].data.tags["hpsearch.outer_fold"] == "1"
    assert "hpsearch.outer_fold" not in found["trial-002"].data.tags
    assert found["outer-fold-1"].info.status == "RUNNING"
    metrics = [fold | {"metrics": {"test_accuracy": 0.8}} for fold in FOLDS]
    ended = {"status": "FINISHED", "ended": 1_700_000_001_000, "folds": metrics}
    run_folder.write_json(run_folder.files.parent, FOLDED | ended)
    projector(run_folder, home).catch_up()  # another process
    again = runs(home)
    assert again["outer-fold-2"].info.status == "FINISHED"
    assert again["outer-fold-2"].data.metrics == {"test_accuracy": 0.8}
    assert lies_below(home) == NESTED
    comparison = Comparison("demo", run_folder, Home(home).tracking_uri)
    assert [d for d in comparison.differences() if "outer" in d.subject] == []


def test_a_run_of_an_outer_fold_that_somebody_deleted_is_made_anew(
    run_folder: RunFolder, home: Path
) -> None:
    run_folder.write_json(run_folder.files.parent, FOLDED)
    add(run_folder, *(make(number, Outcome.COMPLETE) for number in range(4)))
    projector(run_folder, home).catch_up()
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    client.delete_run(runs(home)["outer-fold-1"].info.run_id)
    comparison = Comparison("demo", run_folder, Home(home).tracking_uri)
    said = [f"{d.subject}: {d.problem}" for d in comparison.differences()]
    assert "demo outer-fold-1: must exist once, is missing" in said
    projector(run_folder, home).catch_up()
    assert lies_below(home) == NESTED
    client.delete_run(runs(home)["demo"].info.run_id)
    projector(run_folder, home).catch_up()
    assert lies_below(home) == NESTED
