"""The part of a data set that a study sees: its shots and its splits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets import DATASETS
from hpsearch.datasets.base import Dataset, Examples
from hpsearch.datasets.files import dataset_at
from hpsearch.datasets.splits import Pair, Rows, draw_shots, hold_out, k_fold
from hpsearch.datasets.table_splits import group_k_fold, time_ordered
from hpsearch.errors import DataError

Range = tuple[int, int]


@dataclass(frozen=True)
class Selection:
    """A description of data, small enough to travel to every worker.

    Attributes:
        name: the data set, or the absolute path of a file or folder.
        shots: images a class to learn from; None: all.
        draw: "random" or "first", how shots are picked.
        kind: "hold-out", "k-fold", "repeated-k-fold", "group-k-fold", "time-ordered" or "fixed".
        fraction: of the hold-out.
        folds, repeats: of the k-folds.
        train, validation: row ranges [first, last) of a fixed split; train None: all other rows.
        seed: of the draw and the splits.
        train_scored: training rows of a split that training scores are measured on; None: all.
        target, test, test_fraction, task, group, order: of a table, see TableFile; test is an
            absolute path.
    """

    name: str
    shots: int | None = None
    draw: str = "random"
    kind: str = "hold-out"
    fraction: float = 0.2
    folds: int = 5
    repeats: int = 1
    train: Range | None = None
    validation: Range | None = None
    seed: int = 0
    target: str | None = None
    test: str | None = None
    test_fraction: float | None = None
    task: str | None = None
    train_scored: int | None = None
    group: str | None = None
    order: str | None = None

    def dataset(self) -> Dataset:
        """The data set it selects from.

        Raises:
            DataError: its path leads nowhere.
        """
        if self.name in DATASETS:
            return DATASETS[self.name]
        return dataset_at(
            Path(self.name),
            target=self.target,
            test=Path(self.test) if self.test else None,
            test_fraction=self.test_fraction,
            task=self.task,
            group=self.group,
            order=self.order,
        )


@dataclass(frozen=True)
class Pool:
    """The examples a selection uses, and its splits by row number in them.

    Attributes:
        learning: rows that may be learned from once the search is over (refit).
        tested: rows of the test set, where they are scored beside every split.
    """

    examples: Examples
    splits: tuple[Pair, ...]
    learning: Rows
    tested: Rows | None = None


MOST_GIVEN = 8  # pools kept; two of each study that shares the worker
_given: dict[tuple[Selection, str], Pool] = {}  # to a worker that has no data set of its own


def give(selection: Selection, pool: Pool, exam: str) -> None:
    """From now on `open_pool`, `open_test` or `open_beside_test` gives this pool.

    The oldest are forgotten: a worker is sent one study's examples after the other's.

    Args:
        exam: "validation", "test" or "both", in the order of these functions.
    """
    _given.pop((selection, exam), None)
    _given[selection, exam] = pool
    while len(_given) > MOST_GIVEN:
        del _given[next(iter(_given))]


@lru_cache(maxsize=2)
def open_pool(selection: Selection) -> Pool:
    """Training examples and validation splits; the test set stays closed.

    Raises:
        DataError: the data is missing, or too small for the selection.
    """
    if (selection, "validation") in _given:
        return _given[selection, "validation"]
    full = selection.dataset().training()
    draw_seed, split_seed = np.random.SeedSequence((selection.seed, 0xDA7A)).spawn(2)
    splits = _splits(full, selection, draw_seed, split_seed)
    used = np.unique(np.concatenate([rows for pair in splits for rows in pair]))
    compact = tuple(
        (np.searchsorted(used, train), np.searchsorted(used, held)) for train, held in splits
    )
    # Shots with validation images beside them stay that few: only shots are learned from.
    only_train = selection.kind == "fixed" and selection.shots is not None
    learning = compact[0][0] if only_train else np.arange(len(used))
    whole = len(used) == len(full.labels)  # no copy of a large table
    return Pool(full if whole else full.rows(used), compact, learning)


@lru_cache(maxsize=1)
def open_test(selection: Selection) -> Pool:
    """All that may be learned from as the training side, the test set as the other side."""
    if (selection, "test") in _given:
        return _given[selection, "test"]
    pool, test = open_pool(selection), selection.dataset().test()
    learned = pool.examples
    inputs = np.concatenate([learned.inputs[pool.learning], test.inputs])
    labels = np.concatenate([learned.labels[pool.learning], test.labels])
    n_train = len(pool.learning)
    pair = (np.arange(n_train), np.arange(n_train, len(labels)))
    both = replace(learned, inputs=inputs, labels=labels, keys=None)
    return Pool(both, (pair,), pair[0])


@lru_cache(maxsize=1)
def open_beside_test(selection: Selection) -> Pool:
    """The pool with the test set behind it, for a protocol that scores it after every epoch."""
    if (selection, "both") in _given:
        return _given[selection, "both"]
    pool, test = open_pool(selection), selection.dataset().test()
    known = pool.examples
    inputs = np.concatenate([known.inputs, test.inputs])
    labels = np.concatenate([known.labels, test.labels])
    tested = np.arange(len(known.labels), len(labels))
    both = replace(known, inputs=inputs, labels=labels, keys=None)
    return replace(pool, examples=both, tested=tested)


def _splits(
    full: Examples,
    selection: Selection,
    draw_seed: np.random.SeedSequence,
    split_seed: np.random.SeedSequence,
) -> list[Pair]:
    labels, n = full.strata, len(full.labels)
    rows, held = np.arange(n), np.empty(0, np.intp)
    if selection.kind == "fixed":
        held = _range("validation", selection.validation or (0, 0), n)
        rows = _range("train", selection.train, n) if selection.train else np.setdiff1d(rows, held)
        if not rows.size:
            raise DataError(
                f"data.split.validation must leave images to train on, got all {n} of them"
            )
    if selection.shots is not None:
        if full.regression:
            raise DataError(
                f"data.shots must be left out where numbers are predicted, got {selection.shots}: "
                "it counts the rows of a class"
            )
        rng = np.random.default_rng(draw_seed) if selection.draw == "random" else None
        rows = rows[draw_shots(labels[rows], selection.shots, rng=rng)]
    if selection.kind == "fixed":
        if np.intersect1d(rows, held).size:
            raise DataError("data.split.train and .validation must not overlap, but they do")
        return [(rows, held)]
    rng = np.random.default_rng(split_seed)
    if selection.kind == "hold-out":
        inside = hold_out(labels[rows], selection.fraction, rng=rng)
    elif selection.kind == "group-k-fold":
        inside = group_k_fold(labels[rows], _keys(full)[rows], selection.folds, rng=rng)
    elif selection.kind == "time-ordered":
        inside = time_ordered(labels[rows], _keys(full)[rows], selection.folds)
    else:
        inside = [
            pair
            for _ in range(selection.repeats)
            for pair in k_fold(labels[rows], selection.folds, rng=rng)
        ]
    return [(rows[train], rows[validation]) for train, validation in inside]


def _keys(full: Examples) -> NDArray[Any]:
    """What the rows of a table are split by."""
    assert full.keys is not None
    return full.keys


def _range(name: str, bounds: Range, n: int) -> Rows:
    first, last = bounds
    if not 0 <= first < last <= n:
        raise DataError(
            f"data.split.{name} must be [first, last) within 0 and {n}, the images there are, "
            f"got [{first}, {last}]"
        )
    return np.arange(first, last)
