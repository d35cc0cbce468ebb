"""Nested parts of a fold's training rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from hpsearch.datasets.base import Examples
from hpsearch.datasets.fewer_rows import (
    even_order,
    fewer_rows,
    latest_first,
    most_rows,
    rows_problems,
)
from hpsearch.datasets.selection import Pool, Selection
from hpsearch.datasets.split_kinds import GroupKFold, KFold, Split, TimeOrdered

LABELS = np.repeat([0, 1, 2], [60, 30, 10])
GROUPS = np.arange(100) % 5
SPLITS: list[Split] = [
    KFold(folds=2),
    GroupKFold(folds=2, group="who"),
    TimeOrdered(folds=2, order="when"),
]


def examples_of(labels: np.ndarray, keys: np.ndarray | None = None) -> Examples:
    return Examples(np.zeros((len(labels), 1)), labels, n_classes=3, keys=keys)


def few(split: Split, n: int, *, seed: int = 0, fold: int = 0) -> np.ndarray:
    """Of the rows 0 to 79 of 100."""
    keys = {"group": GROUPS, "order": np.arange(100)}
    column = split.column
    examples = examples_of(np.tile([0, 1, 2], 34)[:100], keys[column.role] if column else None)
    selection = Selection("digits", split=split, seed=seed)
    return fewer_rows(examples, np.arange(80), n, selection, fold)


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.kind)
def test_fewer_rows_are_among_more_and_sorted(split: Split) -> None:
    parts = [few(split, n) for n in range(1, 80)]
    for smaller, larger in pairwise(parts):
        assert set(smaller) < set(larger)
        assert len(larger) == len(smaller) + 1
        assert list(larger) == sorted(larger)
    assert list(few(split, 80)) == list(few(split, 1000)) == list(range(80))


def test_rows_depend_on_the_seed_and_the_fold_alone() -> None:
    split = SPLITS[0]
    first = list(few(split, 20))
    assert first == list(few(split, 20))
    assert first != list(few(split, 20, seed=1))
    assert first != list(few(split, 20, fold=1))


@pytest.mark.parametrize("n", [3, 10, 37, 50, 99])
def test_classes_keep_their_shares(n: int) -> None:
    taken = LABELS[even_order(LABELS, rng=np.random.default_rng(0))[:n]]
    shares = np.bincount(LABELS) / len(LABELS)
    counts = np.bincount(taken, minlength=3)
    assert np.all(counts >= 1)
    assert np.all(np.abs(counts - n * shares) <= 2)


@pytest.mark.parametrize("n", [15, 30, 60])
def test_groups_keep_their_shares_within_each_class(n: int) -> None:
    order = even_order(LABELS, GROUPS, rng=np.random.default_rng(0))[:n]
    for label in range(3):
        counts = np.bincount(GROUPS[order[LABELS[order] == label]], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_of_time_the_latest_are_taken() -> None:
    times = np.array([3.0, 1.0, 2.0, 3.0])
    assert latest_first(times).tolist() == [3, 0, 2, 1]
    assert few(SPLITS[2], 5).tolist() == [75, 76, 77, 78, 79]


def pool_of(labels: np.ndarray, *trains: np.ndarray) -> Pool:
    rows = np.arange(len(labels))
    pairs = tuple((train, np.setdiff1d(rows, train)) for train in trains)
    return Pool(examples_of(labels, rows), pairs, rows)


def test_as_many_rows_as_a_fold_has_are_refused() -> None:
    pool = pool_of(LABELS, np.arange(0, 100, 2), np.arange(60))
    assert most_rows(pool) == 60
    selection = Selection("digits", split=SPLITS[0])
    assert not [*rows_problems("stages.0.rows", 59, selection, pool)]
    (problem,) = rows_problems("stages.0.rows", 60, selection, pool)
    assert str(problem) == (
        "stages.0.rows: must be below 60, the training rows of a fold, got 60: leave it out, and "
        "the stage has all rows"
    )


def test_rows_that_lack_a_class_are_refused() -> None:
    selection = replace(Selection("digits"), split=SPLITS[2])
    pool = pool_of(LABELS[::-1].copy(), np.arange(90))  # the latest rows are of class 0
    (problem,) = rows_problems("stages.0.rows", 20, selection, pool)
    assert str(problem) == (
        "stages.0.rows: must leave rows of every class to train on, got 20, none of class '1' in "
        "fold 1: raise it"
    )


def test_rows_of_weight_0_do_not_count() -> None:
    """The data of class 2 weighs nothing in the first fold, which has 40 other rows."""
    rows = np.arange(100)
    weights = np.where((LABELS == 2) & (rows % 2 == 0) | (rows % 5 == 0), 0.0, 1.0)
    pool = pool_of(LABELS, rows[rows % 2 == 0], rows[rows % 2 == 1])
    pool = replace(pool, examples=replace(pool.examples, weights=weights))
    trained = pool.training_rows
    assert [len(train) for train in trained] == [36, 40]
    assert most_rows(pool) == 40
    assert set(LABELS[trained[0]]) == {0, 1}
    selection = Selection("digits", split=SPLITS[0])
    assert not [*rows_problems("stages.0.rows", 39, selection, pool)]
    assert not [*rows_problems("stages.0.rows", 10, selection, pool)]
    (problem,) = rows_problems("stages.0.rows", 40, selection, pool)
    assert "must be below 40" in str(problem)
