"""The prepared view over the trials of several runs in MLflow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import mlflow
import pytest

from hpsearch.errors import TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking import compared_view
from hpsearch.tracking.compared_view import send_compared_view
from hpsearch.tracking.views import TAG, compared_key, drop_views
from tests.harness.projection import PARENT, add, make, projector
from tests.harness.stores import new_home

LOOKS = {
    "abc": {"parameters": ["lr", "depth"], "ranges": ["lr", "depth"], "unconditional": ["lr"]},
    "def": {"parameters": ["trainer", "lr"], "ranges": ["lr"]},
    "ghi": {"parameters": ["lr"], "ranges": ["lr"]},
}
SHARED = {"direction": "maximize", "top": [], "metric": "validation_accuracy"}


def project(home: Path, run_id: str, study: str, number: int = 1) -> RunFolder:
    """A run with a trial of its own, in the records and in MLflow."""
    folder = RunFolder(home / "studies" / study / str(number))
    folder.artifacts.mkdir(parents=True)
    (folder.artifacts / "study.toml").write_text("# A study.")
    tags = {**PARENT["tags"], "hpsearch.kind": "study", "hpsearch.run_id": run_id}  # type: ignore[dict-item]
    names = {"run_id": run_id, "uid": f"{run_id}:study", "experiment": study, "name": study}
    parent = PARENT | names | {"tags": tags, "look": SHARED | LOOKS[run_id]}
    folder.write_json(folder.files.parent, parent)
    trial = make(0, Outcome.COMPLETE)
    trial.uid = f"{run_id}:trial:0"
    add(folder, trial)
    projector(folder, home).catch_up()
    return folder


def view(home: Path, experiment: str, run_ids: Sequence[str]) -> dict[str, Any]:
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    text = client.get_experiment(experiment).tags[TAG + compared_key(run_ids)]
    return dict(json.loads(text))


def experiment_of(folder: RunFolder) -> str:
    return str(folder.required(folder.files.mlflow)["experiment_id"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, quick_files: None) -> Path:
    return new_home(tmp_path_factory.mktemp("compared") / "home")


@pytest.fixture(scope="module")
def folders(home: Path) -> list[RunFolder]:
    """`abc` and `ghi` of one study, `def` of another."""
    return [
        project(home, "abc", "one"),
        project(home, "def", "two"),
        project(home, "ghi", "one", 2),
    ]


def test_one_table_holds_the_trials_of_the_named_runs_alone(
    folders: list[RunFolder], home: Path
) -> None:
    first, second, _ = folders
    pages = send_compared_view([first, second], Home(home).tracking_uri)
    assert pages is not None
    ids = sorted(map(experiment_of, (first, second)))
    start, _, rest = unquote(pages.trials).partition("&")
    assert start == f"#/compare-experiments/s?experiments={json.dumps(ids, separators=(',', ':'))}"
    assert rest == "viewStateShareKey=abc-def-compared&workflowType=machine_learning"
    assert pages.curves == f"{pages.trials}&compareRunsMode=CHART"
    shown = view(home, ids[0], ["def", "abc"])
    assert shown == view(home, ids[1], ["abc", "def"])
    # The other run of the first study is left out.
    assert (
        shown["searchFilter"]
        == "tags.`hpsearch.kind` = 'trial' and tags.`hpsearch.run_id` != 'ghi'"
    )
    assert shown["selectedColumns"] == [
        "attributes.`Experiment Name`",
        "metrics.`objective`",
        "metrics.`validation_accuracy`",
        "params.`lr`",  # which both search
        "params.`depth`",
        "params.`trainer`",
        "tags.`hpsearch.outcome`",
    ]
    assert (shown["orderByKey"], shown["orderByAsc"]) == ("metrics.`objective`", False)


def test_parallel_coordinates_have_what_all_trials_of_all_runs_have(
    folders: list[RunFolder], home: Path
) -> None:
    first, second, _ = folders
    send_compared_view([first, second], Home(home).tracking_uri)
    cards = view(home, experiment_of(first), ["abc", "def"])["compareRunCharts"]
    (card,) = (one for one in cards if one["type"] == "PARALLEL")
    assert card["selectedParams"] == ["lr"]


def test_runs_of_one_study_have_the_table_of_their_experiment(
    folders: list[RunFolder], home: Path
) -> None:
    first, _, third = folders
    pages = send_compared_view([third, first], Home(home).tracking_uri)
    assert pages is not None
    experiment = experiment_of(first)
    key = "viewStateShareKey=abc-ghi-compared&workflowType=machine_learning"
    assert pages.trials == f"#/experiments/{experiment}/runs?{key}"
    columns = view(home, experiment, ["abc", "ghi"])["selectedColumns"]
    assert columns[0] == "tags.`hpsearch.run_id`"


def test_of_a_study_that_was_run_often_the_best_trials_are_named(
    folders: list[RunFolder], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compared_view, "MOST_OTHERS", 0)
    first, second, _ = folders
    send_compared_view([first, second], Home(home).tracking_uri)
    wanted = str(view(home, experiment_of(first), ["abc", "def"])["searchFilter"])
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    found = client.search_runs([*map(experiment_of, (first, second))], wanted)
    assert sorted(run.data.tags["hpsearch.uid"] for run in found) == ["abc:trial:0", "def:trial:0"]


def test_a_deleted_run_takes_the_views_over_it_along(folders: list[RunFolder], home: Path) -> None:
    first, second, third = folders
    for some in ((first, second), (first, third)):
        send_compared_view(some, Home(home).tracking_uri)
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    drop_views(client, experiment_of(first), "ghi")
    left = [t for t in client.get_experiment(experiment_of(first)).tags if t.endswith("-compared")]
    assert left == [TAG + "abc-def-compared"]


def test_runs_of_two_stores_or_of_none_have_no_view(
    folders: list[RunFolder], home: Path, tmp_path: Path
) -> None:
    first, second, _ = folders
    other = RunFolder(tmp_path / second.path.name)
    shutil.copytree(second.path, other.path)
    ids = dict(other.required(other.files.mlflow))
    other.write_sealed(other.files.mlflow, ids | {"tracking_uri": "sqlite:////elsewhere.db"})
    assert send_compared_view([first, other], Home(home).tracking_uri) is None
    other.files.mlflow.unlink()
    assert send_compared_view([first, other], Home(home).tracking_uri) is None


def test_a_store_that_can_not_be_written_is_told_of(
    folders: list[RunFolder], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("read-only")

    monkeypatch.setattr(mlflow.MlflowClient, "set_experiment_tag", refuse)
    with pytest.raises(TrackingError, match="OSError: read-only; the records are compared any"):
        send_compared_view(folders[1:], Home(home).tracking_uri)


def test_the_key_of_many_runs_is_one_that_mlflow_takes() -> None:
    many = [f"{number:012x}" for number in range(50)]
    assert len(TAG + compared_key(many)) < 250
    assert compared_key(many) == compared_key(many[::-1]) != compared_key(many[1:])
