"""Two homes with one MLflow store and one name of a study."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.client import open_client
from hpsearch.tracking.models.registered import registered, unregister
from hpsearch.tracking.models.winner_model import ALIAS, register
from hpsearch.tracking.neighbours import alias_note, place_note
from tests.harness.projection import PARENT

ABOUT = {"model_about": "A winner."}


@pytest.fixture
def client(home: Path) -> MlflowClient:
    return open_client(Home(home).tracking_uri)


def folder_in(home: Path, run_id: str) -> RunFolder:
    """A run of the study in a home."""
    folder = RunFolder(Home(home).study("demo").run(1).path)
    folder.write_json(folder.files.study_json, {})
    folder.write_sealed(folder.files.parent, PARENT | {"run_id": run_id})
    return folder


def registered_by(client: MlflowClient, run_id: str) -> str:
    """The id in MLflow of a run of a study that has registered its winner."""
    run = client.create_run("0").info.run_id
    register(client, PARENT | ABOUT | {"run_id": run_id}, "", run, "model")
    return str(run)


def test_files_that_lie_in_another_home_are_told_of(client: MlflowClient, tmp_path: Path) -> None:
    made = client.create_experiment("demo", artifact_location=(tmp_path / "theirs").as_uri())
    assert place_note(client, made, (tmp_path / "theirs").as_uri()) == ""
    note = place_note(client, made, (tmp_path / "mine").as_uri())
    assert str(tmp_path / "theirs") in note
    assert "name =" in note


def test_an_alias_that_another_home_loses_is_told_of(client: MlflowClient, tmp_path: Path) -> None:
    mine, theirs = folder_in(tmp_path / "mine", "abc"), folder_in(tmp_path / "theirs", "xyz")
    new = client.create_run("0").info.run_id
    assert alias_note(client, mine, "demo", new) == ""  # there is no such model
    run = registered_by(client, "xyz")
    assert alias_note(client, theirs, "demo", run) == ""
    assert alias_note(client, theirs, "demo", new) == ""  # another run of the same home
    assert "no longer to version 1 of a study outside this home" in alias_note(
        client, mine, "demo", new
    )


def test_another_model_of_a_run_is_a_version_of_its_own(client: MlflowClient) -> None:
    run, parent = registered_by(client, "abc"), PARENT | ABOUT | {"run_id": "abc"}
    for source in ("model", "model-all-rows-3", "model-all-rows-3"):
        register(client, parent, "", run, source)
    newest = client.get_model_version_by_alias("demo", ALIAS)
    assert (int(newest.version), str(newest.source).rpartition("/")[2]) == (2, "model-all-rows-3")


def test_models_of_a_run_go_with_it_and_the_alias_goes_back(client: MlflowClient) -> None:
    registered_by(client, "abc")
    registered_by(client, "xyz")
    assert int(client.get_model_version_by_alias("demo", ALIAS).version) == 2
    unregister(client, registered(client, "xyz"))
    assert int(client.get_model_version_by_alias("demo", ALIAS).version) == 1
    unregister(client, registered(client, "abc"))
    with pytest.raises(MlflowException, match="not found"):
        client.get_registered_model("demo")
