"""The [validation] table: what a nested search can't be had with, each said by its key."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hpsearch.errors import DataError
from hpsearch.studyfile.reading import read_study, refuse_unfit
from tests.harness.study_files import SMALL
from tests.harness.study_mistakes import message

OUTER = 'validation.outer={kind="k-fold", folds=3}'
CALM = "space.learning_rate.high=0.5"
BY_TIME = "{kind='time-ordered', folds=2, order='day'}"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A study of a table with groups and days."""
    frame = pd.DataFrame({"x": [i % 7 for i in range(60)], "kind": ["a", "b"] * 30})
    frame["patient"], frame["day"] = [i // 5 for i in range(60)], range(60)
    frame.to_csv(tmp_path / "table.csv", index=False)
    data = '[data]\nname = "table.csv"\ntarget = "kind"\n'
    path = tmp_path / "table.toml"
    head, _, rest = SMALL.partition("[data]")
    path.write_text(f"{head}{data}\n[network]{rest.partition('[network]')[2]}")
    return path


def test_each_outer_fold_is_an_arm_and_all_rows_are_the_last(study_file: Path) -> None:
    read = read_study(study_file, [OUTER])
    assert [arm.fold for arm in read.arms] == [1, 2, 3, None]
    names = ["outer fold 1", "outer fold 2", "outer fold 3", ""]
    assert [arm.name for arm in read.arms] == names
    assert read.arms[-1].selection == read_study(study_file).selection
    assert {arm.n_arms for arm in read.arms} == {4}


def test_each_outer_fold_draws_for_itself(study_file: Path) -> None:
    read = read_study(study_file, [OUTER])
    seeds = [read.of_arm(arm).file.seed for arm in read.arms]
    assert len(set(seeds)) == 4
    assert seeds[-1] == read.file.seed
    assert seeds == [read.of_arm(arm).file.seed for arm in read.arms]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["compare=['trainer']"], "validation.outer: must be left out where cases are compared"),
        (
            ["compare=['shots']", "space.shots={choices=[4, 6]}", 'data={name="digits"}'],
            "validation.outer: must be left out where cases are compared, got compare = ['shots']",
        ),
        (
            ["protocol=test-every-epoch"],
            "validation.outer: must be left out under protocol = 'test-every-epoch'",
        ),
        (
            ["data.split={kind='fixed', validation=[1000, 1100]}"],
            "data.split: must be drawn from the rows of each outer fold, got 'fixed'",
        ),
        (["validation.outer.folds=7"], "validation.outer.folds: must be at most the 6 shots"),
        (
            ["validation.outer.folds=1"],
            "validation.outer.folds: must be greater than or equal to 2",
        ),
        (
            ["validation.outer.kind=k-folds"],
            "validation.outer.kind: must be one of hold-out, k-fold",
        ),
        (["validation.outer.fold=3"], "validation.outer.fold: must be one of kind, folds"),
        (["validation.inner=3"], "validation.inner: must be one of outer"),
        (
            ["validation.outer={kind='fixed', validation=[9, 9]}"],
            "validation.outer.validation: must be [first, last) with first below last",
        ),
        (
            ["validation.outer={kind='group-k-fold', group='patient'}"],
            "validation.outer: must use the column that data.split uses, which has no "
            "column, got group = 'patient'",
        ),
        (["warm_start.storage=old.db"], "warm_start: must be left out with validation.outer"),
    ],
)
def test_what_does_not_go_with_outer_folds_is_refused(
    study_file: Path, options: list[str], said: str
) -> None:
    assert said in message(study_file, OUTER, CALM, *options)


def test_data_that_is_the_trainer_s_own_has_no_rows_to_seal(tmp_path: Path) -> None:
    (tmp_path / "its_own_data.py").write_text(
        "def train(params, seed):\n    yield {'validation_accuracy': 0.5}\n"
    )
    path = tmp_path / "own.toml"
    head, _, rest = SMALL.partition("[data]")
    stages = rest.partition("[[stages]]")[2]
    space = '[space]\ntrainer = "its_own_data:train"\nx = { low = 0.0, high = 1.0 }\n'
    path.write_text(f"{head}{space}[[stages]]{stages}")
    said = message(path, OUTER)
    assert "validation.outer: must be left out: the trainer brings its own data" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([f"data.split={BY_TIME}"], "which has order = 'day', got no column"),
        (
            [f"data.split={BY_TIME}", "validation.outer={kind='time-ordered'}"],
            "validation.outer.order: is missing",
        ),
        (
            [f"data.split={BY_TIME}", "validation.outer={kind='group-k-fold', group='day'}"],
            "which has order = 'day', got group = 'day'",
        ),
    ],
)
def test_inner_and_outer_splits_go_by_one_column(
    table: Path, options: list[str], said: str
) -> None:
    assert said in message(table, OUTER, CALM, *options)


def test_splits_by_one_column_are_taken(table: Path) -> None:
    refuse_unfit(read_study(table, [f"data.split={BY_TIME}", f"validation.outer={BY_TIME}"]))


def test_too_few_rows_are_said_before_anything_runs(study_file: Path, table: Path) -> None:
    few = read_study(study_file, ["data.split.folds=5", OUTER])
    with pytest.raises(DataError, match=r"data.split.folds must be at most 4, .* outer fold 1 of"):
        refuse_unfit(few)
    read = read_study(table, ['validation.outer={kind="k-fold", folds=25}'])
    with pytest.raises(DataError, match=r"^validation\.outer\.folds must be at most 24"):
        refuse_unfit(read)
