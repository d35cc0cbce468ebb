"""Some of the training rows of a split: nested, and alike for all trials.

The rows of a fold are brought into one order, of which every number of rows is a beginning. So a
smaller stage's rows are among those of a larger one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.base import Examples
from hpsearch.datasets.selection import Pool, Selection
from hpsearch.datasets.splits import Labels, Rows
from hpsearch.errors import Problem

FEWER = 0x4EE5  # keeps the order of training rows apart from all other draws


def fewer_rows(examples: Examples, train: Rows, n: int, selection: Selection, fold: int) -> Rows:
    """The first n of a fold's training rows in its order, sorted by row number; all if fewer.

    Args:
        train: row numbers of the fold.
        fold: its number among the splits; with the seed of the selection it seeds the order.
    """
    if n >= len(train):
        return train
    column, keys = selection.split.column, examples.keys
    if column is not None and column.role == "order":
        assert keys is not None
        order = latest_first(keys[train])
    else:
        rng = np.random.default_rng((selection.seed, FEWER, fold))
        groups = None if column is None or keys is None else keys[train]
        order = even_order(examples.strata[train], groups, rng=rng)
    return np.sort(train[order[:n]])


def latest_first(times: NDArray[np.generic]) -> Rows:
    """Places of rows, the latest first; of equal times the last in the file first.

    The validation rows of a window follow its training rows, so that the latest say most of them.
    """
    return np.lexsort((np.arange(len(times)), times))[::-1]


def even_order(
    labels: Labels, groups: NDArray[np.generic] | None = None, *, rng: np.random.Generator
) -> Rows:
    """Places of rows in an order whose beginnings have the classes by their shares.

    The i-th row of class k, from 0, has the place i / n_k among all rows, where n_k counts the
    class. So any n rows have n n_k / N of a class up to a row a class, and every class once there
    are as many rows as classes. The rows of a class are put into an order in the same way over its
    groups.

    Args:
        labels: (N,) the class of each row; all equal for numbers.
        groups: (N,) the group of each row.
        rng: breaks ties.
    """
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        if groups is not None:
            own = own[_spread(groups[own], rng)]
        rank[own] = np.arange(len(own)) / len(own)
    return np.lexsort((rng.random(len(labels)), rank))


def _spread(groups: NDArray[np.generic], rng: np.random.Generator) -> Rows:
    """Places of rows in an order whose beginnings have the groups by their shares."""
    _, number, counts = np.unique(groups, return_inverse=True, return_counts=True)
    by_group = np.argsort(number, kind="stable")
    first = np.repeat(np.cumsum(counts) - counts, counts)
    rank = np.empty(len(groups))
    rank[by_group] = (np.arange(len(groups)) - first) / counts[number[by_group]]
    return np.lexsort((rng.random(len(groups)), rank))


def most_rows(pool: Pool) -> int:
    """The training rows of the largest fold."""
    return max(map(len, pool.training_rows))


def rows_problems(key: str, rows: int, selection: Selection, pool: Pool) -> Iterator[Problem]:
    """What is wrong with so many training rows of each fold.

    Args:
        key: where a study file names them.
        pool: of the selection.
    """
    most = most_rows(pool)
    if rows >= most:
        rule = f"must be below {most}, the training rows of a fold"
        yield Problem(key, rule, str(rows), "leave it out, and the stage has all rows")
        return
    labels = pool.examples.strata
    for fold, train in enumerate(pool.training_rows):
        few = fewer_rows(pool.examples, train, rows, selection, fold)
        lost = np.setdiff1d(labels[train], labels[few])
        if len(lost):
            got = f"{rows}, none of class {str(lost[0])!r} in fold {fold + 1}"
            rule = "must leave rows of every class to train on"
            yield Problem(key, rule, got, "raise it")
            return
