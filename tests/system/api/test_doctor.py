"""The doctor: what was spoilt by hand is named, and repaired from the records."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import mlflow
import optuna
import pytest
from mlflow.entities import Run

from hpsearch import doctor, sync
from hpsearch.errors import HpsearchError, TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.run_lock import lock_study
from hpsearch.tracking.writers import choice
from tests.harness.commands import call
from tests.harness.study import run, table


def client_of(home: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(Home(home).tracking_uri)


def run_named(home: Path, name: str) -> Run:
    client = client_of(home)
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    named = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    return next(named[n] for n in (name, f"{name}-pruned", f"{name}-winner") if n in named)


def delete_run(home: Path) -> None:
    client_of(home).delete_run(run_named(home, "trial-001").info.run_id)


def delete_parent(home: Path) -> None:
    client_of(home).delete_run(run_named(home, "small").info.run_id)


def send_twice(home: Path) -> None:
    run = run_named(home, "trial-001")
    client_of(home).create_run(run.info.experiment_id, tags=run.data.tags)


def add_point(home: Path) -> None:
    run = run_named(home, "trial-001")
    client_of(home).log_metric(run.info.run_id, "validation_accuracy", 0.99, step=1)


def add_metric(home: Path) -> None:
    client_of(home).log_metric(run_named(home, "trial-001").info.run_id, "objective/2", 0.99)


def change_param(home: Path) -> None:
    with sqlite3.connect(Home(home).mlflow) as database:
        database.execute("update params set value = '7' where key = 'batch_size'")


def change_outcome(home: Path) -> None:
    client_of(home).set_tag(run_named(home, "trial-001").info.run_id, "hpsearch.outcome", "great")


def drop_optuna(home: Path) -> None:
    for path in home.glob("optuna.db*"):
        path.unlink()


def change_value(home: Path) -> None:
    with sqlite3.connect(home / "optuna.db") as database:
        database.execute("update trial_intermediate_values set intermediate_value = 0.123")


def change_draw(home: Path) -> None:
    with sqlite3.connect(home / "optuna.db") as database:
        database.execute(
            "update trial_params set param_value = 0.5 where param_name = 'learning_rate'"
        )


def leave_half_a_file(home: Path) -> None:
    (home / "studies/small/1/trials/00000/.record.json.4711").write_text("{")


def test_a_finished_study_has_no_differences(finished_home: Path) -> None:
    assert doctor(home=finished_home).empty


@pytest.mark.parametrize(
    ("spoil", "place", "problem"),
    [
        (delete_run, "MLflow", "must exist once, is missing"),
        (delete_parent, "MLflow", "must exist once, is missing"),
        (send_twice, "MLflow", "exists 2 times"),
        (add_point, "MLflow", "must not have 1 of its points, e.g. 0.99 at step 1"),
        (add_metric, "MLflow", "metric objective/2 must not have"),
        (change_param, "MLflow", "param batch_size must be '10', is '7'"),
        (change_outcome, "MLflow", "tag hpsearch.outcome must be"),
        (drop_optuna, "Optuna", "must exist, is missing"),
        (change_value, "Optuna", "scores must be"),
        (change_draw, "Optuna", "learning_rate must be"),
        (leave_half_a_file, "records", "half written"),
    ],
)
def test_what_was_spoilt_is_named_and_repaired(
    copied_home: Path, spoil: Callable[[Path], None], place: str, problem: str
) -> None:
    spoil(copied_home)
    found = doctor(home=copied_home)
    assert set(found["place"]) == {place}
    assert found["problem"].str.contains(problem, regex=False).any()
    assert not found["repaired"].any()
    assert doctor(home=copied_home, repair=True)["repaired"].all()
    assert doctor(home=copied_home).empty


def test_a_refilled_optuna_study_is_the_one_that_was(
    finished_home: Path, copied_home: Path
) -> None:
    drop_optuna(copied_home)
    doctor(home=copied_home, repair=True)
    tables = []
    for home in (finished_home, copied_home):
        storage = Home(home).storage_url
        (name,) = optuna.get_all_study_names(storage)
        trials = optuna.load_study(study_name=name, storage=storage).trials
        tables.append([(t.number, t.state, t.intermediate_values, t.values) for t in trials])
    assert tables[0] == tables[1]


@pytest.mark.parametrize("name", ["optuna.db", "mlflow.db"])
def test_a_damaged_database_is_made_again(copied_home: Path, name: str) -> None:
    damaged = copied_home / name
    damaged.write_bytes(b"x" * 5000)
    (found,) = doctor(home=copied_home).to_dict("records")
    assert found["subject"] == str(damaged)
    assert "doctor --repair" in found["remedy"]
    assert not doctor("small", home=copied_home, repair=True)["repaired"].any()
    assert doctor(home=copied_home, repair=True)["repaired"].all()
    assert doctor(home=copied_home).empty
    (aside,) = copied_home.glob(f"{name}.damaged-????????-??????")
    assert aside.read_bytes() == b"x" * 5000


def test_a_damaged_record_is_set_aside_and_its_trial_trained_again_the_same(
    copied_home: Path, finished_home: Path
) -> None:
    run_folder = copied_home / "studies/small/1"
    path = run_folder / "trials/00002/record.json"
    path.write_text(path.read_text().replace("0.", "1.", 1))
    client = client_of(copied_home)  # which has no whole copy of it
    client.log_text(run_named(copied_home, "trial-002").info.run_id, "{}", "trial.json")
    result = run_folder / "artifacts/result.json"
    result.write_text(result.read_text()[:100])
    found = doctor(home=copied_home, repair=True)
    mended = found[found["repaired"]]
    assert mended["subject"].tolist() == ["small artifacts/result.json", "small trials/00002"]
    assert "content that does not match its digest" in mended["problem"].iloc[1]
    # Until it is trained again Optuna and MLflow have a trial without a record.
    assert found[~found["repaired"]]["problem"].str.contains("must have a record").all()
    assert (run_folder / "damaged/trials-00002/record.json").exists()
    run(finished_home.parent / "tiny.toml", copied_home)
    assert table(copied_home) == table(finished_home)
    assert doctor(home=copied_home, repair=True)["repaired"].all()
    assert doctor(home=copied_home).empty


@pytest.mark.parametrize("kind", ["trials", "confirmation", "test"])
def test_a_damaged_record_comes_back_from_its_copy_in_mlflow(copied_home: Path, kind: str) -> None:
    (place, *_) = sorted((copied_home / "studies/small/1" / kind).iterdir())
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    json = place / "record.json"
    json.write_bytes(json.read_bytes()[:-40])
    away = "http://127.0.0.1:9"  # set aside, but MLflow can't be read
    with pytest.raises(TrackingError):
        doctor(home=copied_home, tracking_uri=away, repair=True)
    assert not json.exists()
    found = doctor(home=copied_home, repair=True)
    assert found["repaired"].all()
    assert "its copy there becomes the record" in found["remedy"].tolist()
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    assert doctor(home=copied_home).empty


def test_a_run_without_a_record_is_never_deleted(copied_home: Path) -> None:
    folder = copied_home / "studies/small/1/confirmation"
    (folder.parent / "away").mkdir()
    gone = sorted(folder.iterdir())[0]
    gone.rename(folder.parent / "away" / gone.name)
    (folder.parent / "away" / gone.name / "record.json").rename(gone.parent.parent / "old.json")
    client = client_of(copied_home)
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    for sent in client.search_runs([experiment.experiment_id]):
        if sent.data.tags["hpsearch.kind"] == "confirmation":  # a copy that is not whole
            client.log_text(sent.info.run_id, "{}", "trial.json")
    found = doctor(home=copied_home, repair=True)
    assert found["problem"].str.contains("must have a record").all()
    assert not found["repaired"].any()


def test_a_study_that_runs_is_left_alone(copied_home: Path) -> None:
    delete_run(copied_home)
    lock = lock_study(Home(copied_home).study("small"))
    try:
        (row,) = doctor(home=copied_home, repair=True).to_dict("records")
        assert "is already running" in row["problem"]
        assert "is already running" in sync(home=copied_home)["problem"][0]
    finally:
        lock.release()


def test_traps_of_the_host_are_named(
    finished_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "mlruns" / "0"
    trap.mkdir(parents=True)
    (trap / "meta.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    monkeypatch.setenv("MLFLOW_SERVER_ALLOWED_HOSTS", "*")
    monkeypatch.setenv("HPSEARCH_DATA", str(tmp_path / "nowhere"))
    found = doctor(home=finished_home)
    assert set(found["subject"]) == {
        str(trap),
        "MLFLOW_TRACKING_URI",
        "MLFLOW_SERVER_ALLOWED_HOSTS",
        "HPSEARCH_DATA",
    }


def test_an_mlflow_schema_that_is_not_known_is_named(
    finished_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "KNOWN_REVISIONS", frozenset({"newer"}))
    (found,) = doctor(home=finished_home).to_dict("records")
    assert found["place"] == "host"
    assert "the schema's revision must be newer" in found["problem"]
    assert "by hand: nothing is missing" in found["remedy"]


def test_one_database_for_both_is_named(finished_home: Path) -> None:
    found = doctor(home=finished_home, storage=Home(finished_home).tracking_uri)
    assert found["problem"].str.contains("must be two databases").any()


def test_an_unknown_study_is_said_with_those_that_are_there(finished_home: Path) -> None:
    with pytest.raises(HpsearchError, match="must be one of small, got 'smal'"):
        doctor("smal", home=finished_home)


def test_a_command_leaves_each_database_in_one_file(copied_home: Path) -> None:
    drop_optuna(copied_home)
    done = call("doctor", "--repair", "--home", str(copied_home))
    assert (done.returncode, "repaired" in done.stdout) == (0, True), done
    assert [path.name for path in copied_home.glob("*.db-*")] == []
