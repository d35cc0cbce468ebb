"""Studies on a user's own files: paths, what is said before anything runs, and regression."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpsearch.errors import StudyFileError
from hpsearch.studyfile.reading import data_of, read_study
from tests.harness.study import records, run

GROWING, RIDGE = "sklearn.ensemble.GradientBoostingRegressor", "sklearn.linear_model.Ridge"
TABLE = f"""\
# Numbers to predict from a table.
name = "table"
objective = {{ metric = "validation_r2", direction = "maximize" }}

[data]
name = "houses.csv"
target = "price"
split = {{ kind = "k-fold", folds = 3 }}

[space]
trainer = {{ choices = ["{GROWING}", "{RIDGE}"] }}
alpha = {{ low = 1e-3, high = 10.0, log = true, when = {{ trainer = "{RIDGE}" }} }}
n_estimators = 20
max_depth = {{ low = 1, high = 4 }}

[[stages]]
trials = 6
epochs = 2
[[stages]]
trials = 4
epochs = 5

[confirmation]
top = 1
seeds = 2
test_seeds = 2
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A study file with a table of 90 rows beside it."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(90, 3))
    price = x @ [2.0, -1.0, 0.5] + 0.1 * rng.normal(size=90)
    data = pd.DataFrame(x, columns=["rooms", "age", "distance"]).assign(price=price)
    data.to_csv(tmp_path / "houses.csv", index=False)
    data.assign(price=data.index).to_csv(tmp_path / "whole.csv", index=False)
    data.assign(city="Berlin").to_csv(tmp_path / "city.csv", index=False)
    path = tmp_path / "table.toml"
    path.write_text(TABLE)
    return path


def message(path: Path, *overrides: str) -> str:
    with pytest.raises(StudyFileError) as caught:
        read_study(path, overrides)
    return str(caught.value)


def test_paths_start_at_the_folder_of_the_study_file(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    selection = read_study(Path("..") / table.name, ["data.test=whole.csv"]).selection
    assert selection.name == str(tmp_path / "houses.csv")
    assert selection.table.test == tmp_path / "whole.csv"


def test_a_named_data_set_stays_a_name(study_file: Path) -> None:
    assert read_study(study_file).selection.name == "digits"


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("data.name=house.csv", "data.name: must be one of digits, mnist, cifar10, a CSV"),
        ("data.name=house.csv", "(did you mean 'houses.csv'?)"),
        ("data.test=whol.csv", "data.test: must be one of a CSV or Parquet file, got nothing at"),
        ("data.target=prize", "data.target: must be one of rooms, age, distance, price, got"),
        ('data.columns={ room = "number" }', "data.columns: must be one of rooms, age, distance,"),
        ('data.columns={ rooms = "numbers" }', "data.columns.rooms: must be one of number, bool"),
        ('data.drop=["age", "ages"]', "data.drop: must be one of rooms, age, distance"),
        ('prepare={ scales = "none" }', "prepare.scales: must be one of missing, missing_con"),
        ('prepare={ scale = "max" }', "prepare.scale: must be one of 'standard', 'robust'"),
        ("prepare={ clip = { low = -1, high = 2 } }", "prepare.clip.low: must be a number of at"),
        ("data.test=city.csv", "valid"),
        ("data.shots=3", "data.shots: must be left out where numbers are predicted"),
        ("data.name=whole.csv", "data.target: must hold at least 3 rows of each of its 90"),
        ("data.test_fraction=1.5", "data.test_fraction: must be less than 1"),
        ("data.task=regresion", "(did you mean 'regression'?)"),
        ("data.name=digits", "data.target: must be left out: it is for tables"),
        ("objective.metric=validation_accuracy", "must be one of validation_mse, validation_r2"),
    ],
)
def test_a_mistake_names_its_key_and_the_rule(table: Path, override: str, line: str) -> None:
    if line == "valid":
        read_study(table, [override])
    else:
        assert line in message(table, override)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        (
            "data.split={kind='k-fold', fold=3}",
            "data.split.fold: must be one of kind, folds, folds_as_needed, got",
        ),
        ("data.split={kind='kfold'}", "data.split.kind: must be one of hold-out, k-fold, repeat"),
        ("data.colums=auto", "data.colums: must be one of name, target, task, columns, drop, csv"),
    ],
)
def test_a_mistake_in_data_says_nothing_of_the_tables_that_depend_on_it(
    table: Path, override: str, line: str
) -> None:
    said = message(table, override, 'prepare={ scale = "standard" }')
    assert line in said
    assert "has 1 mistake;" in said
    content = table.read_text(encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        data_of(tomllib.loads(content), table, [override])
    assert line in str(caught.value)


@pytest.mark.parametrize("trainer", ["alternating-gradient", "proposal-search", "sklearn.svm.SVC"])
def test_trainers_of_classes_are_refused_where_numbers_are_predicted(
    table: Path, trainer: str
) -> None:
    text = message(table, f"space={{trainer='{trainer}'}}", "network={name='two-layer'}", "seed=3")
    assert f"must predict numbers, as 'price' holds them, got '{trainer}' for classes" in text
    assert 'set data.task = "classification"' in text
    assert "objective.metric" not in text


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (["network.loss='softmax-cross-entropy'"], "network.loss"),
        (["space.loss='softmax-cross-entropy'"], "space.loss"),
        (
            ["space.loss={choices=['mean-squared-error', 'softmax-cross-entropy']}"],
            "space.loss.choices",
        ),
    ],
)
def test_a_loss_of_classes_is_refused_where_numbers_are_predicted(
    table: Path, overrides: list[str], key: str
) -> None:
    network = ["space={trainer='adam'}", "network={name='two-layer'}"]
    read_study(table, network)
    read_study(table, [*network, "network.loss='mean-squared-error'"])
    line = (
        f"{key}: must be 'mean-squared-error' or left out where numbers are predicted, got 'soft"
    )
    assert line in message(table, *network, *overrides)


def test_metrics_of_classes_are_none_of_a_network_that_predicts_numbers(table: Path) -> None:
    network = ["space={trainer='adam'}", "network={name='two-layer'}"]
    text = message(table, *network, "objective.metric=validation_loss")
    assert "objective.metric: must be one of validation_mse, validation_r2" in text


def test_trainers_of_numbers_are_refused_where_classes_are_predicted(study_file: Path) -> None:
    text = message(study_file, "space={trainer='sklearn.svm.SVR'}")
    assert "must predict classes, as 'digits' holds them, got 'sklearn.svm.SVR'" in text


def test_a_mistake_in_the_data_creates_nothing(table: Path, nowhere: Path) -> None:
    with pytest.raises(StudyFileError):
        run(table, nowhere, "data.name=city.csv", 'data.columns="numbers"')
    assert not nowhere.exists()


def test_a_study_predicts_numbers_from_a_table(table: Path, home: Path) -> None:
    result = run(table, home)
    assert result.validation.mean > 0.5
    assert set(result.test) == {"test_mse", "test_r2"}
    for record in records(home, "table"):
        assert set(record.members[0].history) == {
            "train_mse",
            "train_r2",
            "validation_mse",
            "validation_r2",
        }
