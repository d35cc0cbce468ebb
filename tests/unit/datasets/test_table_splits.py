"""Splits of tables by groups and by time: what never stands on both sides, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hpsearch.datasets.selection import Selection, open_pool, open_test
from hpsearch.datasets.split_kinds import GroupKFold, TimeOrdered
from hpsearch.datasets.splits import Pair, digest
from hpsearch.datasets.table import TableOptions
from hpsearch.datasets.table_splits import (
    group_k_fold,
    hold_out_groups,
    hold_out_last,
    time_ordered,
)
from hpsearch.errors import DataError

ROWS = 120
GROUPS = np.random.default_rng(1).integers(0, 24, ROWS)
LABELS = np.random.default_rng(2).integers(0, 3, ROWS)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def folds(seed: int = 0) -> list[Pair]:
    return group_k_fold(LABELS, GROUPS, 4, rng=rng(seed))


def test_no_group_is_on_both_sides_and_every_row_is_validation_once() -> None:
    for train, held in folds():
        assert not set(GROUPS[train]) & set(GROUPS[held])
        assert np.sort(np.concatenate([train, held])).tolist() == list(range(ROWS))
    assert np.sort(np.concatenate([held for _, held in folds()])).tolist() == list(range(ROWS))


def test_groups_are_dealt_by_the_seed() -> None:
    assert digest(folds(0)) == digest(folds(0)) != digest(folds(1))


def test_classes_are_as_even_as_groups_allow() -> None:
    # Groups of one class each: 8 of every class can be dealt evenly, 2 to a fold.
    groups = np.repeat(np.arange(24), 5)
    labels = groups % 3
    for _, held in group_k_fold(labels, groups, 4, rng=rng()):
        assert np.bincount(labels[held]).tolist() == [10, 10, 10]


def test_more_folds_than_groups_are_refused() -> None:
    with pytest.raises(DataError, match=r"data.split.folds must be at most 24, the number"):
        group_k_fold(LABELS, GROUPS, 25, rng=rng())


def test_a_class_that_is_all_in_one_group_is_refused() -> None:
    labels = np.where(GROUPS == 7, "rare", "usual")
    with pytest.raises(DataError, match="got none of class 'rare' in fold"):
        group_k_fold(labels, GROUPS, 4, rng=rng())


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.3, 0.5])
def test_about_a_fraction_is_held_out_as_whole_groups(fraction: float) -> None:
    rest, held = hold_out_groups(LABELS, GROUPS, fraction, seed=0)
    assert not set(GROUPS[rest]) & set(GROUPS[held])
    assert len(rest) + len(held) == ROWS
    assert abs(len(held) / ROWS - fraction) < 0.05


def test_a_single_group_can_not_be_held_out() -> None:
    with pytest.raises(DataError, match=r"data.split.group must name a column of 2 groups"):
        hold_out_groups(LABELS, np.zeros(ROWS), 0.2, seed=0)


def test_windows_expand_and_validation_comes_after_them() -> None:
    times = np.random.default_rng(3).integers(0, 40, ROWS)  # unsorted, several rows a time
    pairs = time_ordered(LABELS, times, 4)
    for train, held in pairs:
        assert times[train].max() < times[held].min()
    for (train, held), (later, _) in pairwise(pairs):
        assert set(later) == set(train) | set(held)
    used = np.concatenate([pairs[0][0], *(held for _, held in pairs)])
    assert np.sort(used).tolist() == list(range(ROWS))


def test_more_windows_than_times_are_refused() -> None:
    with pytest.raises(DataError, match=r"data.split.folds must be at most 9, one less than"):
        time_ordered(LABELS, np.arange(ROWS) % 10, 10)


def test_a_class_that_comes_late_is_refused() -> None:
    labels = np.where(np.arange(ROWS) < 60, "early", "late")
    with pytest.raises(DataError, match="none of class 'late' in fold 1 of 4"):
        time_ordered(labels, np.arange(ROWS), 4)


@pytest.mark.parametrize("n_times", [2, 3, 10, ROWS])
def test_the_last_rows_are_held_out_without_parting_a_time(n_times: int) -> None:
    times = rng().permutation(np.arange(ROWS) % n_times)
    rest, held = hold_out_last(times, 0.2)
    assert times[rest].max() < times[held].min()
    if n_times == ROWS:
        assert len(held) == 24


def test_rows_of_one_time_can_not_be_parted() -> None:
    with pytest.raises(DataError, match=r"data.split.order must name a column of 2 times"):
        hold_out_last(np.zeros(9), 0.2)


def table(**columns: Any) -> pd.DataFrame:
    """Rows that know their number, with a patient and a day each."""
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng(5).permutation(ROWS), unit="D")
    made = {"row": np.arange(ROWS), "size": rng(4).normal(size=ROWS), "kind": LABELS}
    named = {"patient": [f"p{group}" for group in GROUPS], "date": days.strftime("%Y-%m-%d")}
    return pd.DataFrame(made | named | columns)


def by_group(
    path: Path, group: str = "patient", *, seed: int = 0, test: Path | None = None
) -> Selection:
    options, split = TableOptions("kind", test=test), GroupKFold(group, folds=4)
    return Selection(str(path), table=options, split=split, seed=seed)


def by_time(path: Path, order: str = "date", *, test: Path | None = None) -> Selection:
    options, split = TableOptions("kind", test=test), TimeOrdered(order, folds=4)
    return Selection(str(path), table=options, split=split)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def rows_of(selection: Selection) -> tuple[list[tuple[set[int], set[int]]], set[int]]:
    """The file's rows on both sides of each split, and those tested, by their first column."""
    pool, tested = open_pool(selection), open_test(selection)
    numbers = pool.examples.inputs[:, 0].astype(int)
    splits = [(set(numbers[train]), set(numbers[held])) for train, held in pool.splits]
    return splits, set(tested.examples.inputs[tested.splits[0][1], 0].astype(int))


def test_patients_are_learned_from_validated_on_or_tested_on(path: Path) -> None:
    frame = table().drop(columns="date")
    frame.to_csv(path, index=False)
    splits, tested = rows_of(by_group(path))
    patients = frame["patient"]
    for train, held in splits:
        sides = [set(patients[list(rows)]) for rows in (train, held, tested)]
        assert sum(map(len, sides)) == len(set(patients)) == len(set.union(*sides))
    assert open_pool(by_group(path)).examples.inputs.shape[1] == 2  # the patient is no input
    # The test rows are those of any other seed.
    assert rows_of(by_group(path, seed=1))[1] == tested


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("kind", ["text", "number", "datetime"])
def test_the_test_rows_are_the_last_in_time(path: Path, ending: str, kind: str) -> None:
    frame = table().drop(columns="patient")
    days = pd.to_datetime(frame["date"])
    if kind == "number":
        frame["date"] = (days - days.min()).dt.days / 7
    elif kind == "datetime":
        frame["date"] = days
    path = path.with_suffix(f".{ending}")
    if ending == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    splits, tested = rows_of(by_time(path))
    for train, held in splits:
        assert days[list(train)].max() < days[list(held)].min()
        assert days[list(held)].max() < days[list(tested)].min()
    assert len(tested) == 24


def test_numbers_to_predict_are_split_too(path: Path) -> None:
    table(kind=rng(6).normal(size=ROWS)).drop(columns="date").to_csv(path, index=False)
    splits, tested = rows_of(by_group(path))
    assert len(set.union(tested, *splits[0])) == ROWS
    table(kind=rng(6).normal(size=ROWS)).drop(columns="patient").to_csv(path, index=False)
    assert len(rows_of(by_time(path))[0]) == 4


@pytest.mark.parametrize(
    ("wanted", "test", "rule"),
    [
        (by_group, {"patient": ["p3", "x"]}, "data.test must not share groups .* got group 'p3'"),
        (by_time, {"date": ["2023-05-05", "2025-05-05"]}, r"data.test must .* later .* 1 of 2"),
    ],
)
def test_a_test_file_that_gives_things_away_is_refused(
    path: Path, wanted: Any, test: dict[str, list[str]], rule: str
) -> None:
    (name,) = test
    frame = table()[["row", "size", "kind", name]]
    frame.to_csv(path, index=False)
    beside = path.with_name("test.csv")
    frame[:2].assign(**test).to_csv(beside, index=False)
    with pytest.raises(DataError, match=rule):
        open_test(wanted(path, test=beside))


@pytest.mark.parametrize(
    ("wanted", "change", "rule"),
    [
        (by_group, {"group": "pateint"}, "data.split.group .*did you mean 'patient'"),
        (by_group, {"group": "kind"}, "data.split.group must be one of row, size, patient"),
        (by_time, {"order": "patient"}, "data.split.order must name a column of numbers or of"),
    ],
)
def test_a_column_that_can_not_be_split_by_is_refused(
    path: Path, wanted: Any, change: dict[str, str], rule: str
) -> None:
    table().to_csv(path, index=False)
    with pytest.raises(DataError, match=rule):
        open_pool(wanted(path, **change))


def test_missing_groups_are_refused(path: Path) -> None:
    frame = table().drop(columns="date")
    frame.loc[3, "patient"] = None
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match="no missing values in column 'patient', got 1"):
        open_pool(by_group(path))


def test_a_table_without_inputs_is_refused(path: Path) -> None:
    table()[["kind", "patient"]].to_csv(path, index=False)
    with pytest.raises(DataError, match="must have a column of inputs beside kind, patient"):
        open_pool(by_group(path))
