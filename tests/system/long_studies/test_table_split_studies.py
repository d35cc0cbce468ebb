"""Studies of tables that are split by groups or by time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpsearch import verify_study
from hpsearch.datasets.selection import open_pool
from hpsearch.execution.examples import training_data
from hpsearch.execution.slices import Exam
from hpsearch.studyfile.reading import read_study, refuse_unfit
from tests.harness.study import records, run
from tests.harness.study_mistakes import message

STUDY = """\
# Classes of a table.
name = "own"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "table.csv"
target = "kind"
split = { kind = "group-k-fold", folds = 3, group = "patient" }
[network]
name = "two-layer"
hidden = 8
[space]
trainer = { choices = ["adam", "sklearn.linear_model.LogisticRegression"] }
learning_rate = { low = 1e-3, high = 0.1, log = true }
[evaluation]
per_class = true
[[stages]]
trials = 4
epochs = 1
[[stages]]
trials = 3
epochs = 3
[confirmation]
top = 1
seeds = 2
test_seeds = 2
"""
BY_TIME = "data.split={kind='time-ordered', folds=3, order='date'}"
ROWS = 90
EXAMS: tuple[Exam, Exam] = ("validation", "both")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A study file with its tables beside it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 3))
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    frame["kind"] = np.where(x[:, 0] + 0.3 * rng.normal(size=ROWS) > 0, "ill", "well")
    frame.assign(patient=rng.integers(0, 15, ROWS)).to_csv(tmp_path / "table.csv", index=False)
    days = pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d")
    frame.assign(date=days).to_csv(tmp_path / "days.csv", index=False)
    path = tmp_path / "own.toml"
    path.write_text(STUDY)
    return path


@pytest.mark.parametrize("options", [[], ["data.name=days.csv", BY_TIME]])
def test_a_study_trains_a_member_on_each_side_and_tests_its_winner(
    path: Path, home: Path, options: list[str]
) -> None:
    result = run(path, home, *options)
    pool = open_pool(read_study(path, options).selection)
    assert len({len(train) for train, _ in pool.splits}) > 1  # of unequal sizes
    assert {len(r.members) for r in records(home, "own")} == {3}
    assert result.counts["complete"] == 3
    assert result.test_score is not None
    assert result.test_score.mean > 0.5


@pytest.mark.parametrize("options", [[], ["data.name=days.csv", BY_TIME]])
def test_stages_have_fewer_rows_of_groups_and_of_times(
    path: Path, home: Path, options: list[str]
) -> None:
    options = [*options, "stages=[{trials=4, epochs=1, rows=20}, {trials=3, epochs=3}]"]
    result = run(path, home, *options)
    assert result.counts["complete"] == 3
    n_folds = [len(train) for train, _ in open_pool(read_study(path, options).selection).splits]
    went_on = [r for r in records(home, "own") if len(r.rows) == 2]
    assert [r.rows for r in went_on] == [{0: 20, 1: max(n_folds)}] * 2
    assert verify_study("own", home=home, trials=2).problems == []


@pytest.mark.parametrize("options", [[], ["data.name=days.csv", BY_TIME]])
def test_the_rows_are_the_same_beside_a_test_set_that_is_scored_after_every_epoch(
    path: Path, home: Path, options: list[str]
) -> None:
    selection = read_study(path, options).selection
    alone, both = (training_data(selection, exam, 20) for exam in EXAMS)
    assert len(both.labels) > len(alone.labels)
    for one, other in zip(alone.splits, both.splits, strict=True):
        assert len(one.train) <= 20
        assert np.array_equal(one.train, other.train)
    stages = "stages=[{trials=3, epochs=1, rows=20}, {trials=2, epochs=2}]"
    result = run(path, home, *options, stages, "protocol=test-every-epoch")
    assert result.counts["complete"] == 2
    assert verify_study("own", home=home, trials=1).problems == []


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["data.split.group=pateint"], "data.split.group: must be one of a, b, c, patient, got"),
        (["data.split.group=kind"], "data.split.group: must be one of a, b, c, patient, got"),
        (["data.split.folds=40"], "data.split.folds: must be at most 12, the number of groups"),
        (["data.split={kind='group-k-fold'}"], "data.split.group: is missing"),
        (
            ["data.split={kind='group-k-fold', order='patient'}"],
            "data.split.order: must be one of",
        ),
        (["data.split.kind=grouped"], "time-ordered"),
        (["data.name=days.csv", BY_TIME.replace("date", "day")], "data.split.order: must be one"),
        (["data.name=days.csv", BY_TIME.replace("=3", "=72")], "data.split.folds: must be at"),
        (["data={name='digits', split={kind='group-k-fold', group='x'}}"], "data.split.group: mu"),
        ([f"data={{name='digits', {BY_TIME[5:]}}}"], "data.split.order: must be left out: it is"),
    ],
)
def test_what_can_not_be_split_is_said_with_its_key(
    path: Path, options: list[str], rule: str
) -> None:
    assert rule in message(path, *options)


def test_a_group_is_no_input_and_a_valid_file_is_left_alone(path: Path) -> None:
    read = read_study(path)
    refuse_unfit(read)
    assert open_pool(read.selection).examples.inputs.shape[1] == 3
    assert read.file.n_splits == 3
