"""New study files: they run as written, and what stands in comments is valid too."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpsearch import init_study, plan_study, study_schema
from hpsearch.datasets import DATASETS
from hpsearch.errors import StudyFileError
from hpsearch.nn import NETWORKS
from hpsearch.studyfile.reading import read_study, refuse_unfit
from hpsearch.studyfile.tables.space import CHOICE_KEYS, RANGE_KEYS
from hpsearch.studyfile.tables.start.warm_start import WarmStart
from hpsearch.studyfile.usual_ranges import CURATED, Range
from hpsearch.trainers import TRAINERS
from tests.harness.boosters import CLASSIFIERS, needs

ESTIMATORS = (
    "sklearn.svm.SVC",
    "sklearn.ensemble.RandomForestClassifier",
    "sklearn.linear_model.SGDClassifier",
    "sklearn.neighbors.KNeighborsClassifier",
    "sklearn.linear_model.LogisticRegression",
    "sklearn.linear_model.RidgeClassifier",
    "sklearn.ensemble.ExtraTreesClassifier",
    "sklearn.ensemble.GradientBoostingClassifier",
    "sklearn.ensemble.HistGradientBoostingClassifier",
)
BOOSTERS = [pytest.param(path, marks=needs(name)) for name, (path, _) in CLASSIFIERS.items()]


@pytest.mark.parametrize("trainer", [*TRAINERS, *ESTIMATORS, *BOOSTERS])
def test_a_new_file_is_valid_for_every_trainer(tmp_path: Path, trainer: str) -> None:
    path = tmp_path / "My study (2).toml"
    init_study(path, data="digits", trainers=[trainer])
    read = read_study(path)
    assert read.file.name == "My-study-2"
    assert read.space.fixed["trainer"] == trainer
    assert read.space.parameters, "nothing is searched"
    plan = plan_study(path, trials=0)
    assert plan.total_epochs > 0


def mistakes(path: Path) -> str:
    """What reading finds wrong; "" where nothing is."""
    try:
        read_study(path)
    except StudyFileError as error:
        return str(error)
    return ""


def uncommented(text: str) -> list[str]:
    """The file with one more of its commented keys switched on, each in turn.

    The last table is a comment as a whole.
    """
    lines = text.splitlines()
    last = lines.index(next(line for line in lines if line.startswith("# [warm_start]")))
    keys = [n for n, line in enumerate(lines[:last]) if re.match(r"# \w+ = \S", line)]
    assert keys
    return [
        "\n".join(line[2:] if n == key else line for n, line in enumerate(lines)) for key in keys
    ]


def test_the_commented_warm_start_is_one_when_it_has_a_storage(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    init_study(path, data="digits", trainers=["adam"])
    study, section = path.read_text().split("# [warm_start]")
    section = re.sub("^# ", "", section, flags=re.MULTILINE)
    section = section.replace("storage =", 'storage = "old.db"').replace(
        "\nstudy =", "\n# study ="
    )
    path.write_text(f"{study}[warm_start]{section}")
    warm = read_study(path).file.warm_start
    assert warm == WarmStart(storage="old.db")


@pytest.mark.parametrize(
    ("trainers", "network"),
    [
        (["adam"], "two-layer"),
        (["sgd", "momentum"], "multi-layer"),
        (["adam"], "lenet"),
        (["proposal-search"], "two-layer"),
        (["sklearn.svm.SVC"], "two-layer"),
        (["sklearn.ensemble.HistGradientBoostingClassifier"], "two-layer"),
        *(
            pytest.param([path], "two-layer", marks=needs(name))
            for name, (path, _) in CLASSIFIERS.items()
        ),
    ],
)
def test_every_comment_is_a_valid_line_that_changes_nothing(
    tmp_path: Path, trainers: list[str], network: str, request: pytest.FixtureRequest
) -> None:
    """Those alone are refused that go with another choice than the default."""
    path = tmp_path / "new.toml"
    data = "mnist" if network == "lenet" else "digits"
    if data == "mnist":
        request.getfixturevalue("real_mnist")
    init_study(path, data=data, trainers=trainers, network=network)
    for text in uncommented(path.read_text()):
        path.write_text(text)
        found = mistakes(path)
        assert not found or "must go with" in found  # e.g. a gamma of a policy not chosen


def test_several_trainers_are_choices(tmp_path: Path) -> None:
    read = init_study(tmp_path / "both.toml", data="digits", trainers=["adam", "sklearn.svm.SVC"])
    searched = {p.name: p for p in read.space.parameters}
    assert searched["learning_rate"].when == {"trainer": ("adam",)}
    assert searched["C"].when == {"trainer": ("sklearn.svm.SVC",)}


def test_a_table_of_numbers_is_predicted_by_a_regressor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "price"])
    (tmp_path / "data").mkdir()
    table.to_csv(tmp_path / "data" / "houses.csv", index=False)
    monkeypatch.chdir(tmp_path / "data")
    ridge = "sklearn.linear_model.Ridge"
    path = tmp_path / "houses.toml"
    read = init_study(path, data="houses.csv", trainers=[ridge], target="price")
    assert read.file.data is not None
    assert read.file.data.name == "data/houses.csv"
    assert (read.file.objective.metric, read.file.objective.direction) == (
        "validation_r2",
        "maximize",
    )
    assert plan_study(path, trials=2, probe_seconds=0.1).seconds is not None
    mse = init_study(
        tmp_path / "b.toml",
        data="houses.csv",
        trainers=[ridge],
        target="price",
        metric="validation_mse",
    )
    assert mse.file.objective.direction == "minimize"


def test_a_network_is_scored_by_what_a_table_holds(tmp_path: Path) -> None:
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "price"])
    table.to_csv(tmp_path / "houses.csv", index=False)
    data = str(tmp_path / "houses.csv")
    read = init_study(tmp_path / "net.toml", data=data, target="price")
    assert read.file.objective.metric == "validation_r2"


def test_a_function_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine_alone.py").write_text(
        "def train(params, data, seed):\n    while True:\n        yield {'validation_f1': 0.5}\n"
    )
    path = tmp_path / "own.toml"
    init_study(path, data="digits", trainers=["mine_alone:train"], metric="validation_f1")
    assert read_study(path).file.objective.metric == "validation_f1"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"data": "digts"}, "must be one of digits, mnist, cifar10"),
        ({"trainers": ["adm"]}, "did you mean 'adam'?"),
        ({"trainers": ["sklearn.svm.SVCC"]}, "did you mean 'SVC'?"),
        ({"metric": "test_accuracy"}, "must not look at the test set"),
        ({"network": "lenet"}, "at least 16 x 16"),
        ({"network": "two-layr"}, "did you mean 'two-layer'?"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    tmp_path: Path, said: dict[str, object], message: str
) -> None:
    with pytest.raises(StudyFileError) as caught:
        init_study(tmp_path / "new.toml", **({"data": "digits"} | said))  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shares", "metric", "positive"),
    [
        ({"no": 0.92, "yes": 0.08}, "validation_average_precision", "yes"),
        ({"good": 0.08, "poor": 0.92}, "validation_average_precision", "good"),
        ({"a": 0.6, "b": 0.35, "c": 0.05}, "validation_balanced_accuracy", None),
        ({"no": 0.85, "yes": 0.15}, "validation_accuracy", None),
        ({"no": 0.98, "yes": 0.02}, "validation_accuracy", None),  # too few rows for the folds
    ],
)
def test_a_rare_class_is_not_scored_by_accuracy(
    tmp_path: Path, shares: dict[str, float], metric: str, positive: str | None
) -> None:
    names = [name for name, share in shares.items() for _ in range(round(400 * share))]
    frame = pd.DataFrame({"a": np.arange(400) % 7, "b": np.arange(400) % 5, "churned": names})
    frame.to_csv(tmp_path / "table.csv", index=False)
    path = tmp_path / "new.toml"
    init_study(
        path,
        data=str(tmp_path / "table.csv"),
        target="churned",
        trainers=["sklearn.linear_model.LogisticRegression"],
    )
    read = read_study(path)
    assert read.file.objective.metric == metric
    assert read.file.data is not None
    assert read.file.data.positive == positive
    assert ("% of the rows are" in path.read_text()) == (metric != "validation_accuracy")


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "here.toml"
    path.write_text("mine")
    with pytest.raises(StudyFileError, match="already exists"):
        init_study(path, data="digits")
    assert path.read_text() == "mine"


def test_the_schema_knows_the_keys_of_every_trainer_and_network() -> None:
    schema = study_schema()
    space = schema["properties"]["space"]["properties"]
    names = {name for kind in TRAINERS.values() for name in kind.hyperparameters()}
    assert names <= set(space)
    assert schema["properties"]["network"]["properties"]["name"]["enum"] == list(NETWORKS)
    rate = space["learning_rate"]["anyOf"]
    assert {"type": "number", "exclusiveMinimum": 0} in rate
    assert set(rate[1]["properties"]) == {*RANGE_KEYS}
    assert set(rate[2]["properties"]) == {*CHOICE_KEYS}
    assert {"type": "number"} in rate[1]["properties"]["high"]["anyOf"]  # or a parameter's name
    assert rate[1]["properties"]["high"]["anyOf"][1]["type"] == "string"
    assert schema["properties"]["relations"]["items"] == {"type": "string"}
    ranges, choices = rate[-1]["items"]["anyOf"]  # of a list, each under a condition
    assert ranges["required"] == ["low", "high", "when"]
    assert choices["required"] == ["choices", "when"]
    assert {"enum": [False, True]} in space["batch_norm"]["anyOf"]
    assert schema["$defs"]["Data"]["properties"]["name"]["examples"] == list(DATASETS)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("trainer", [*BOOSTERS, *ESTIMATORS[4:]])
def test_what_is_searched_of_trees_and_linear_models_has_a_range_with_its_reason(
    tmp_path: Path, trainer: str
) -> None:
    path = tmp_path / "new.toml"
    read = init_study(path, data="digits", trainers=[trainer])
    curated = CURATED[trainer.rpartition(".")[2]]
    drawn = {p.name: p.distribution for p in read.space.parameters}
    ranges = {name: one for name, one in curated.items() if isinstance(one, Range)}
    assert drawn.keys() == ranges.keys()
    assert all((drawn[n].low, drawn[n].high) == r.values for n, r in ranges.items())  # type: ignore[attr-defined]
    text = path.read_text()
    assert all(
        re.search(rf"^{n} = .*# {re.escape(one.why)}", text, re.M) for n, one in curated.items()
    )
    assert all(one.why for one in curated.values())
    refuse_unfit(read)


@needs("lightgbm")
def test_a_name_with_a_range_of_its_own_for_each_trainer_is_a_list(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    lgbm, forest = "lightgbm.LGBMClassifier", "sklearn.ensemble.RandomForestClassifier"
    read = init_study(path, data="digits", trainers=["adam", lgbm, forest, "sgd"])
    rates = [p for p in read.space.parameters if p.key == "learning_rate"]
    assert {p.when["trainer"] for p in rates} == {("adam", "sgd"), (lgbm,)}
    (leaves,) = (p for p in read.space.parameters if p.key == "num_leaves")
    assert leaves.when == {"trainer": (lgbm,)}
    assert {p.key for p in read.space.parameters} >= {"max_features", "min_samples_leaf"}


def test_a_script_for_a_trainer_is_not_run_and_two_ways_are_named(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(StudyFileError, match=r"--script train\.py; .*--trainer train:NAME"):
        init_study(tmp_path / "a.toml", data="digits", trainers=["train.py"])
