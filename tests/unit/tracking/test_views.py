"""The prepared views of a study in MLflow: their content, addresses, and when they change."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.deletion import TrackedRuns
from hpsearch.tracking.views import TAG, Look, View, made_views, packed, pages_of
from tests.harness.projection import PARENT, add, make, projector, runs

LOOK = Look(
    run_id="abc",
    parent="p0",
    direction="minimize",
    metric="validation_loss",
    parameters=("learning_rate", "trainer", "momentum", "depth"),
    ranges=("learning_rate", "momentum", "depth"),
    test_metrics=("test_loss", "test_accuracy"),
)
KEYS = {"direction": "maximize", "top": [], "metric": "validation_accuracy"}


def views(home: Path) -> dict[str, str]:
    """Those of the store, by key."""
    experiment = mlflow.MlflowClient(Home(home).tracking_uri).get_experiment_by_name("demo")
    assert experiment is not None
    tags = experiment.tags.items()
    return {name.removeprefix(TAG): text for name, text in tags if name.startswith(TAG)}


def test_trials_are_sorted_by_the_objective_with_their_parameters_beside_it() -> None:
    view = made_views(LOOK)[View.TRIALS]
    assert (
        view["searchFilter"]
        == "tags.`mlflow.parentRunId` = 'p0' and tags.`hpsearch.kind` = 'trial'"
    )
    assert (view["orderByKey"], view["orderByAsc"]) == ("metrics.`objective`", True)
    assert view["selectedColumns"][:6] == [
        "metrics.`objective`",
        "metrics.`validation_loss`",
        "params.`learning_rate`",
        "params.`trainer`",
        "params.`momentum`",
        "params.`depth`",
    ]
    assert {"tags.`hpsearch.outcome`", "tags.`hpsearch.stages`"} <= set(view["selectedColumns"])
    assert view["columnOrder"] == view["selectedColumns"]


def test_curves_have_a_card_for_each_question() -> None:
    cards = made_views(LOOK)[View.CURVES]["compareRunCharts"]
    assert [card["type"] for card in cards] == [
        *("LINE", "PARALLEL", "SCATTER", "SCATTER", "CONTOUR"),
    ]
    line, parallel, first, second, contour = cards
    assert line["metricKey"] == "validation_loss"
    assert parallel["selectedParams"] == list(LOOK.parameters)
    assert first["xaxis"] == {"key": "learning_rate", "type": "PARAM"}
    assert second["xaxis"] == {"key": "trainer", "type": "PARAM"}
    assert first["yaxis"] == contour["zaxis"] == {"key": "objective", "type": "METRIC"}
    assert (contour["xaxis"]["key"], contour["yaxis"]["key"]) == ("learning_rate", "momentum")
    assert len({card["uuid"] for card in cards}) == len(cards)


def test_parallel_coordinates_leave_out_what_not_every_trial_has() -> None:
    view = made_views(replace(LOOK, unconditional=("learning_rate", "depth")))[View.CURVES]
    (card,) = (card for card in view["compareRunCharts"] if card["type"] == "PARALLEL")
    assert card["selectedParams"] == ["learning_rate", "depth"]


def test_the_charts_come_before_those_that_mlflow_makes() -> None:
    view = made_views(LOOK)[View.CURVES]
    first, *others = view["compareRunSections"]
    assert {card["metricSectionId"] for card in view["compareRunCharts"]} == {first["uuid"]}
    assert first["display"]
    assert not any(section["display"] for section in others)
    assert view["runsHiddenMode"] == "FIRST_10_RUNS"


def test_a_study_of_choices_has_no_contour_and_one_of_two_objectives_their_plane() -> None:
    look = Look("abc", "p0", parameters=("trainer",), objectives=("loss", "seconds"))
    cards = made_views(look)[View.CURVES]["compareRunCharts"]
    assert [card["type"] for card in cards] == ["PARALLEL", "SCATTER", "SCATTER"]
    assert cards[2]["xaxis"] == {"key": "objectives/loss", "type": "METRIC"}


def test_fresh_splits_tests_and_failures_have_tables_of_their_own() -> None:
    found = made_views(LOOK)
    tests, troubles = found[View.TESTS], found[View.TROUBLES]
    assert tests["searchFilter"].endswith("tags.`hpsearch.kind` != 'trial'")
    assert tests["selectedColumns"].count("metrics.`test_loss`") == 1
    assert "metrics.`test_accuracy`" in tests["selectedColumns"]
    assert (
        troubles["searchFilter"]
        == "tags.`hpsearch.run_id` = 'abc' and attributes.status = 'FAILED'"
    )
    assert troubles["selectedColumns"][:2] == [
        *("tags.`hpsearch.outcome`", "tags.`hpsearch.reason`"),
    ]


def test_many_long_names_fit_into_a_tag() -> None:
    names = [f"{number:03}{'x' * 247}" for number in range(300)]
    look = Look("abc", "p0", metric="m" * 250, parameters=names, ranges=names)
    for content in made_views(look).values():
        text = packed(content)
        assert len(text) <= 5000
        plain = text
        if text.startswith("deflate;"):
            plain = zlib.decompress(base64.b64decode(text.removeprefix("deflate;"))).decode()
        assert json.loads(plain) == content


def test_a_view_is_written_again_only_when_it_changes(
    run_folder: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(run_folder, make(0, Outcome.COMPLETE))
    projector(run_folder, home).catch_up()
    first = views(home)
    assert first.keys() == {f"abc-{view}" for view in View}
    written: list[str] = []
    write = mlflow.MlflowClient.set_experiment_tag

    def noted(client: mlflow.MlflowClient, experiment: str, key: str, value: str) -> None:
        written.append(key)
        write(client, experiment, key, value)

    monkeypatch.setattr(mlflow.MlflowClient, "set_experiment_tag", noted)
    projector(run_folder, home).catch_up()
    assert written == []
    more = KEYS | {"parameters": ["lr", "rate [1/s]"], "ranges": ["lr"]}
    run_folder.write_sealed(run_folder.files.parent, PARENT | {"look": more})
    projector(run_folder, home).catch_up()
    assert TAG + "abc-trials" in written
    assert views(home).keys() == first.keys()
    columns = json.loads(views(home)["abc-trials"])["selectedColumns"]
    assert "params.`rate _1/s__beaf`" in columns  # as MLflow has it


def test_an_older_parent_json_has_the_parameters_in_which_trials_differ(
    run_folder: RunFolder, home: Path
) -> None:
    one, other = make(0, Outcome.COMPLETE), make(1, Outcome.COMPLETE)
    one.params, other.params = {"lr": 0.1, "same": 1}, {"lr": 0.2, "same": 1, "when": 3}
    add(run_folder, one, other)
    projector(run_folder, home).catch_up()
    columns = json.loads(views(home)["abc-trials"])["selectedColumns"]
    assert [name for name in columns if name.startswith("params")] == [
        *("params.`lr`", "params.`when`"),
    ]


def test_the_pages_of_a_run_are_known_by_its_folder(run_folder: RunFolder, home: Path) -> None:
    assert pages_of(run_folder) is None
    projector(run_folder, home).catch_up()
    pages, parent = pages_of(run_folder), runs(home)["demo"].info
    assert pages is not None
    here = f"#/experiments/{parent.experiment_id}/runs"
    assert pages.run == f"{here}/{parent.run_id}?workflowType=machine_learning"
    assert pages.trials == f"{here}?viewStateShareKey=abc-trials&workflowType=machine_learning"
    assert list(pages.views) == list(View)
    assert "compareRunsMode=CHART" in pages.views[View.CURVES]
    ids = dict(run_folder.required(run_folder.files.mlflow))
    older = {name: ids[name] for name in ("tracking_uri", "experiment_id", "parent_run_id")}
    run_folder.write_sealed(run_folder.files.mlflow, older)
    before = pages_of(run_folder)
    assert before is not None
    assert all("searchFilter=" in page for page in before.views.values())


def test_a_deleted_run_takes_its_views_and_its_description_along(
    run_folder: RunFolder, home: Path
) -> None:
    run_folder.write_json(run_folder.files.parent, PARENT | {"about": "A study of lr."})
    projector(run_folder, home).catch_up()
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    experiment = runs(home)["demo"].info.experiment_id
    assert "A study of lr." in client.get_experiment(experiment).tags["mlflow.note.content"]
    TrackedRuns(run_folder, "abc", Home(home).tracking_uri).delete()
    assert client.get_experiment(experiment).tags == {}
