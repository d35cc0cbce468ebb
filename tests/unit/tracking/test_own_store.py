"""A home that was moved or copied keeps its MLflow store."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from mlflow.entities import Run

from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.client import open_client
from hpsearch.tracking.deletion import TrackedRuns
from hpsearch.tracking.stores.own_store import follow_home, tracked
from tests.harness.projection import PARENT, add, make, projector

FILE = "trial.json"


@pytest.fixture
def old(tmp_path: Path, home: Path) -> Home:
    """A home with a trial that MLflow has."""
    folder = RunFolder(Home(home).study("demo").run(1).path)
    folder.artifacts.mkdir(parents=True)
    folder.write_json(folder.files.parent, PARENT)
    add(folder, make(0, Outcome.COMPLETE))
    projector(folder, home).catch_up()
    assert files_of(Home(home)) == [FILE]
    return Home(home)


def run_folder_of(home: Home) -> RunFolder:
    return RunFolder(home.study("demo").run(1).path)


def trial_of(home: Home) -> Run:
    client = open_client(home.tracking_uri)
    experiments = [one.experiment_id for one in client.search_experiments()]
    (found,) = client.search_runs(experiments, "tags.`hpsearch.trial` = '0'")
    return found


def files_of(home: Home) -> list[str]:
    files = open_client(home.tracking_uri).list_artifacts(trial_of(home).info.run_id)
    return [file.path for file in files if file.path == FILE]


def test_a_moved_home_has_its_artifacts_and_its_address(old: Home, tmp_path: Path) -> None:
    new = Home(tmp_path / "moved")
    old.path.rename(new.path)
    assert files_of(new) == []
    follow_home(new)
    assert trial_of(new).info.artifact_uri.startswith(new.artifacts.as_uri())
    assert files_of(new) == [FILE]
    assert tracked(run_folder_of(new))["tracking_uri"] == new.tracking_uri
    add(run_folder_of(new), make(1, Outcome.COMPLETE))
    projector(run_folder_of(new), new.path).catch_up()
    assert not old.path.exists()


def test_what_is_deleted_in_a_copy_stays_in_the_original(old: Home, tmp_path: Path) -> None:
    copy = Home(tmp_path / "copy")
    shutil.copytree(old.path, copy.path)
    follow_home(copy)
    assert trial_of(copy).info.artifact_uri.startswith(copy.artifacts.as_uri())
    runs = TrackedRuns(run_folder_of(copy), str(PARENT["run_id"]), "")
    assert runs.tracking_uri == copy.tracking_uri
    runs.delete()
    assert trial_of(old).info.artifact_uri.startswith(old.artifacts.as_uri())
    with pytest.raises(ValueError, match="not enough values"):
        trial_of(copy)


def test_a_store_that_was_named_is_no_home_s_own(old: Home, tmp_path: Path) -> None:
    other = tmp_path / "shared" / "mlflow.db"
    other.parent.mkdir()
    ids = old.study("demo").run(1).mlflow
    shutil.copy(old.mlflow, other)
    run_folder_of(old).write_sealed(
        ids, tracked(run_folder_of(old)) | {"tracking_uri": f"sqlite:///{other}"}
    )
    for file in old.path.glob(f"{old.mlflow.name}*"):
        file.unlink()
    open_client(old.tracking_uri)
    assert tracked(run_folder_of(old))["tracking_uri"] == f"sqlite:///{other}"


def test_addresses_stay_while_a_projector_writes_or_the_path_is_a_link(
    old: Home, tmp_path: Path
) -> None:
    before = trial_of(old).info.artifact_uri
    link = Home(tmp_path / "link")
    link.path.symlink_to(old.path)
    follow_home(link)
    assert trial_of(old).info.artifact_uri == before
    new = Home(tmp_path / "moved")
    shutil.copytree(old.path, new.path)
    for lock in (new.projector_lock("0123"), new.study("demo").lock):
        with FileLock(lock):
            follow_home(new)
        assert trial_of(new).info.artifact_uri == before
    with FileLock(new.study("demo").lock):
        follow_home(new, new.study("demo"))
    assert trial_of(new).info.artifact_uri != before


def test_models_are_registered_in_the_store_of_their_runs(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{tmp_path / 'registry.db'}")
    client = open_client(Home(home).tracking_uri)
    client.create_registered_model("model")
    assert [model.name for model in client.search_registered_models()] == ["model"]
    assert not (tmp_path / "registry.db").exists()


def test_files_of_runs_that_are_not_ours_lie_outside_the_studies(tmp_path: Path) -> None:
    stores, before = Home(tmp_path / "new"), Path.cwd()
    inside = stores.study("demo").run(1).path
    inside.mkdir(parents=True)
    os.chdir(inside)  # as the projector's is, where MLflow makes its stores
    try:
        client = open_client(stores.tracking_uri)
    finally:
        os.chdir(before)
    run = client.create_run("0")
    client.log_text(run.info.run_id, "mine", "mine.txt")
    (file,) = stores.path.rglob("mine.txt")
    assert stores.studies not in file.parents
