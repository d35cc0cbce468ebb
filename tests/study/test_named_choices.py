"""Choices that no Optuna study can hold: lists, tables and None, by their names."""

from __future__ import annotations

import json
import tomllib
import warnings
from ast import literal_eval
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import create_trial

from hpsearch import best_configuration, plan_study, verify_study
from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Home
from hpsearch.study.starting.warm_start import warm_started
from hpsearch.studyfile.reading import read_study
from tests.harness.functions import WriteModule
from tests.harness.study import records, run, stored
from tests.harness.study_files import LITTLE, LITTLE_TESTED

FOREST = (
    LITTLE
    + """\
[space]
trainer = "sklearn.ensemble.RandomForestClassifier"
n_estimators = 3
max_depth = { choices = ["none", 2] }
class_weight = { choices = { plain = "none", even = "balanced", zero = { 0 = 10, 1 = 1 } } }
max_features = { choices = ["sqrt", "none"], when = { class_weight = ["plain", "zero"] } }
[[stages]]
trials = 5
epochs = 1
"""
    + LITTLE_TESTED
)
# It scores what it is given: 1 for each value that is of the right kind.
KINDS = """
    KINDS = {"sizes": list, "depth": (type(None), int), "weights": dict}

    def train(params, data, seed):
        right = sum(isinstance(params[name], kind) for name, kind in KINDS.items())
        right += params["weights"] in ({0: 10, "x": [1, 2]}, {})
        params["sizes"].append(0)  # a trial may do with it what it likes
        while True:
            yield {"validation_accuracy": right + len(params["sizes"]) / 100}
"""
OWN_SPACE = """
sizes = { choices = { small = [50], deep = [50, 50] } }
depth = { choices = { any = "none", two = 2 } }
weights = { choices = { some = { 0 = 10, x = [1, 2] }, no = {} } }
"""


@pytest.fixture
def forest(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(FOREST)
    return path


@pytest.fixture
def own(tmp_path: Path, write: WriteModule) -> Path:
    head, _, rest = FOREST.partition("[space]")
    path = tmp_path / "small.toml"
    text = f'{head}[space]\ntrainer = "{write(KINDS)}"\n{OWN_SPACE}[[stages]]'
    path.write_text(text + rest.partition("[[stages]]")[2])
    return path


def test_an_estimator_gets_the_values_and_all_else_has_the_names(forest: Path, home: Path) -> None:
    space = read_study(forest).space
    assert space.named == {
        "max_depth": {"none": None},
        "class_weight": {"plain": None, "even": "balanced", "zero": {0: 10, 1: 1}},
        "max_features": {"none": None},
    }
    run(forest, home)
    found = records(home)
    assert {r.outcome for r in found} == {"complete"}
    for record in found:  # as JSON and Python it is what the estimator was given
        text = best_configuration("small", trial=record.number, form="python", home=home)
        assert literal_eval(text.partition("\n")[2]) == space.given(record.params)
    names = {r.params["class_weight"] for r in found}
    assert names <= {"plain", "even", "zero"}
    assert all(("max_features" in r.params) == (r.params["class_weight"] != "even") for r in found)
    for trial, record in zip(stored(home).trials, found, strict=True):
        assert trial.params["class_weight"] == record.params["class_weight"]
    assert verify_study("small", home=home, trials=2).problems == []
    assert plan_study(forest, trials=2, probe_seconds=0.1).probe is not None


def test_a_function_gets_the_values_each_time_anew(own: Path, home: Path) -> None:
    run(own, home)
    for record in records(home):
        n_sizes = {"small": 1, "deep": 2}[str(record.params["sizes"])]
        assert record.scores[1] == 4 + (n_sizes + 1) / 100
    assert verify_study("small", home=home, trials=2).problems == []


def test_the_winner_is_written_so_that_it_reads_back(own: Path, home: Path) -> None:
    run(own, home)
    winner = tomllib.loads(best_configuration("small", home=home))["space"]
    assert winner["sizes"] == {"choices": {"deep": [50, 50]}}
    head, _, rest = own.read_text().partition("[space]")
    stages = "[[stages]]" + rest.partition("[[stages]]")[2]
    own.write_text(head + best_configuration("small", home=home) + "\n" + stages)
    read = read_study(own, ["name=again", "stages.0.trials=1"])
    assert read.space.named["sizes"] == {"deep": [50, 50]}
    said = json.loads(best_configuration("small", form="json", home=home))
    assert said["sizes"] == [50, 50]
    assert isinstance(said["weights"], dict)


def test_names_can_be_compared_and_enqueued(own: Path, home: Path) -> None:
    own.write_text(own.read_text() + '[[enqueue]]\ndepth = "any"\nweights = "no"\n')
    run(own, home, 'compare=["sizes"]', "stages.0.trials=2")
    found = records(home)
    assert [r.params["sizes"] for r in found] == ["small", "deep", "small", "deep"]
    assert {(r.params["depth"], r.params["weights"]) for r in found[:2]} == {("any", "no")}
    assert [r.scores[1] for r in found] == [4.02, 4.03, 4.02, 4.03]


@pytest.mark.parametrize(
    ("override", "mistake"),
    [
        (
            "space.max_depth={choices=[[1], 2]}",
            "space.max_depth.choices: must hold numbers, texts or booleans, got [1]: lists, "
            "tables and None get names: choices = { small = [50], deep = [50, 50] }",
        ),
        ("space.max_depth={choices={}}", "must be a list of at least one value, got {}"),
        (
            "space.class_weight={choices={plain='none', zero='balancd'}}",
            "space.class_weight.choices.zero: must be a str among {",
        ),
        (
            "space.max_features={choices=['sqrt'], when={class_weight='evn'}}",
            "space.max_features.when.class_weight: must be one of plain, even, zero, got 'evn' "
            "(did you mean 'even'?)",
        ),
        (
            "space.max_depth={choices={day=2020-01-01, two=2}}",
            "space.max_depth.choices.day: must be a number, a text, a boolean, or a list",
        ),
        (
            "space.max_depth={choices={few=2, little=2}}",
            "space.max_depth.choices.little: must differ from the other choices, got 2",
        ),
        (
            "space.n_estimators={choices={a='none', b=2}}",
            "space.n_estimators.choices.a: must be an int in the range",
        ),
    ],
)
def test_mistakes_are_named(override: str, mistake: str, forest: Path) -> None:
    with pytest.raises(StudyFileError) as told:
        read_study(forest, [override])
    assert mistake in " ".join(str(told.value).split())


def test_hyperparameters_of_networks_have_no_names(study_file: Path) -> None:
    with pytest.raises(StudyFileError, match="names are for arguments of estimators and of your"):
        read_study(study_file, ["space.learning_rate={choices={slow=0.1, fast=1.0}}"])


def test_a_list_where_an_estimator_wants_a_tuple_is_one(forest: Path) -> None:
    text = forest.read_text().replace(
        "ensemble.RandomForestClassifier", "neural_network.MLPClassifier"
    )
    head, _, rest = text.partition("n_estimators")
    sizes = "hidden_layer_sizes = { choices = { small = [5], deep = [5, 5] } }\n"
    forest.write_text(head + sizes + "[[stages]]" + rest.partition("[[stages]]")[2])
    named = read_study(forest, ["stages.0.trials=2"]).space.named
    assert [*map(list, named["hidden_layer_sizes"].values())] == [[5], [5, 5]]


def test_a_warm_start_finds_the_names_of_old_values(own: Path, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'old.db'}"
    old = optuna.create_study(study_name="old", storage=storage, direction="maximize")
    lists: list[Any] = [[50, 50], [50], [7]]  # which Optuna lets pass, with a warning
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spaces: dict[str, BaseDistribution] = {
            "sizes": CategoricalDistribution(lists),
            "depth": CategoricalDistribution([None, 2]),
        }
        for value, params in (
            (1.0, {"sizes": lists[0], "depth": None}),
            (0.5, {"sizes": lists[1], "depth": 2}),
            (0.2, {"sizes": lists[2], "depth": None}),
        ):
            old.add_trial(create_trial(params=params, distributions=spaces, value=value))
    own.write_text(own.read_text() + f'[warm_start]\nstorage = "{storage}"\n')
    told: list[str] = []
    read = read_study(own)
    warm = warm_started(read, Home(tmp_path / "home"), fresh=True, warn=told.append)
    assert warm.read.file.enqueue == [
        {"sizes": "deep", "depth": "any"},
        {"sizes": "small", "depth": "two"},
        {"depth": "any"},
    ]
    assert told == [
        "warm start: left out of 1 old configuration: sizes, which lies outside 'small', 'deep' "
        "(lists, tables and None get names: choices = { small = [50], deep = [50, 50] })"
    ]
