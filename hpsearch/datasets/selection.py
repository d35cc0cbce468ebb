"""The part of a data set that a study sees: its shots and its splits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hpsearch.datasets import DATASETS
from hpsearch.datasets.base import Dataset, Examples
from hpsearch.datasets.files import dataset_at
from hpsearch.datasets.opened import opened_once
from hpsearch.datasets.split_kinds import HoldOut, Split, moved
from hpsearch.datasets.splits import Pair, Rows, digest, draw_shots
from hpsearch.datasets.table import TableOptions
from hpsearch.errors import DataError, Problem


@dataclass(frozen=True)
class OuterFold:
    """A part of the rows in a nested search: what is found without them is tested on them.

    Attributes:
        split: which rows are sealed in each outer fold.
        fold: the place of this one, from 0.
    """

    split: Split
    fold: int

    @property
    def text(self) -> str:
        """In words, counted from 1."""
        return f"outer fold {self.fold + 1} of {self.split.n_splits}"


@dataclass(frozen=True)
class Selection:
    """A description of data, small enough to travel to every worker.

    Attributes:
        name: the data set, or the absolute path of a file or folder; "" where the data is the
            trainer's own affair and nothing is known of it but the number of its folds.
        shots: images a class to learn from; None: all.
        draw: "random" or "first", how shots are picked.
        split: which rows are trained on and which are scored on.
        seed: of the draw and the splits.
        table: what the columns of a table are; its test file has an absolute path.
        train_scored: training rows of a split that training scores are measured on; None: all.
        folds: of data that is the trainer's own affair.
        balanced: every class counts alike in training, whatever its share of the rows.
        fresh: how often the rows are split anew, to run the best again on other splits than
            those they were chosen by; 0: never.
        outer: the rows that are sealed as test set, in place of the data set's own; shots are
            drawn before. None: the data set's own.
    """

    name: str
    shots: int | None = None
    draw: str = "random"
    split: Split = field(default_factory=HoldOut)
    seed: int = 0
    table: TableOptions = field(default_factory=TableOptions)
    train_scored: int | None = None
    folds: int = 1
    balanced: bool = False
    fresh: int = 0
    outer: OuterFold | None = None

    @property
    def unknown(self) -> bool:
        """Whether the data is the trainer's own affair."""
        return not self.name

    def dataset(self) -> Dataset:
        """The data set it selects from.

        Raises:
            DataError: its path leads nowhere.
        """
        if self.name in DATASETS:
            return DATASETS[self.name]
        return dataset_at(Path(self.name), replace(self.table, column=self.split.column))


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

    @property
    def training_rows(self) -> tuple[Rows, ...]:
        """The rows of each split that are trained on."""
        return tuple(self.counted(train) for train, _ in self.splits)

    def counted(self, rows: Rows) -> Rows:
        """Those of these rows that count: what weighs nothing is trained on by nobody.

        A library may let such a row have a part in its bins, its batches or its number of rows.
        """
        weights = self.examples.weights
        return rows if weights is None else rows[weights[rows] > 0]


NO_ROWS = np.empty(0, np.intp)
NOTHING = Examples(np.empty((0, 0)), np.empty(0), n_classes=0)  # of data that is not known

FRESH = 0xF5E5  # keeps draws of fresh splits apart from those of shots and splits
OUTER = 0x0073  # and those of outer folds from both
MOST_DRAWS = 20  # of one fresh split
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


@opened_once(2)
def open_pool(selection: Selection) -> Pool:
    """Training examples and validation splits; the test set stays closed.

    Raises:
        DataError: the data is missing, or too small for the selection.
    """
    if selection.unknown:
        return Pool(NOTHING, ((NO_ROWS, NO_ROWS),) * selection.folds, NO_ROWS)
    if (selection, "validation") in _given:
        return _given[selection, "validation"]
    full = selection.dataset().training()
    if selection.outer is not None:
        full = full.rows(_outer_pair(full, selection, selection.outer)[0])
    splits = _splits(full, selection)
    used = np.unique(np.concatenate([rows for pair in splits for rows in pair]))
    compact = tuple(
        (np.searchsorted(used, train), np.searchsorted(used, held)) for train, held in splits
    )
    # Shots with validation images beside them stay that few: only shots are learned from.
    only_train = selection.split.beside_shots and selection.shots is not None
    learning = compact[0][0] if only_train else np.arange(len(used))
    whole = len(used) == len(full.labels)  # no copy of a large table
    return Pool(full if whole else full.rows(used), compact, learning)


@opened_once(1)
def open_fresh(selection: Selection) -> Pool:
    """The same examples with `fresh` other draws of the splits, one draw after the other.

    Raises:
        DataError: groups can't be dealt once more so that every class is trained on.
    """
    pool = open_pool(selection)
    pairs = [
        pair for draw in range(selection.fresh) for pair in _drawn_anew(pool, selection, draw)
    ]
    return replace(pool, splits=tuple(pairs))


def _drawn_anew(pool: Pool, selection: Selection, draw: int) -> list[Pair]:
    examples, rows = pool.examples, np.arange(len(pool.examples.labels))
    for attempt in range(MOST_DRAWS):  # a draw of groups may leave out a class
        rng = np.random.default_rng((selection.seed, FRESH, draw, attempt))
        try:
            return selection.split.split(examples.strata, rows, examples.keys, rng=rng)
        except DataError:
            if attempt == MOST_DRAWS - 1:
                raise
    raise AssertionError("it returns or raises")


@opened_once(1)
def open_test(selection: Selection) -> Pool:
    """All that may be learned from as the training side, the test set as the other side."""
    if selection.unknown:
        return Pool(NOTHING, ((NO_ROWS, NO_ROWS),), NO_ROWS)
    if (selection, "test") in _given:
        return _given[selection, "test"]
    pool, test = open_pool(selection), _test_examples(selection)
    n_train = len(pool.learning)
    whole = np.array_equal(pool.learning, np.arange(len(pool.examples.labels)))
    # No copy of a large table.
    both = (pool.examples if whole else pool.examples.rows(pool.learning)).followed_by(test)
    pair = (np.arange(n_train), np.arange(n_train, len(both.labels)))
    return Pool(both, (pair,), pair[0])


@opened_once(1)
def open_all_rows(selection: Selection) -> Pool:
    """The rows that may be learned from and the test set, all of them on both sides."""
    pool = open_test(selection)
    rows = np.arange(len(pool.examples.labels))
    return replace(pool, splits=((rows, rows),), learning=rows)


@opened_once(1)
def open_beside_test(selection: Selection) -> Pool:
    """The pool with the test set behind it, for a protocol that scores it after every epoch."""
    if (selection, "both") in _given:
        return _given[selection, "both"]
    pool, test = open_pool(selection), selection.dataset().test()
    both = pool.examples.followed_by(test)
    tested = np.arange(len(pool.examples.labels), len(both.labels))
    return replace(pool, examples=both, tested=tested)


def digests(selection: Selection, *, test: bool = False, fresh: bool = False) -> dict[str, str]:
    """Of the examples and the splits, by what they are of; {} of data that is not known.

    Args:
        test: of the test set too, which is opened for it.
        fresh: of the fresh splits in place of those of the search.
    """
    if selection.unknown:
        return {}
    pool = open_fresh(selection) if fresh else open_pool(selection)
    found = {"data": pool.examples.digest(), "splits": digest(pool.splits)}
    return found | ({"test": open_test(selection).examples.digest()} if test else {})


def _test_examples(selection: Selection) -> Examples:
    dataset = selection.dataset()
    if selection.outer is None:
        return dataset.test()
    full = dataset.training()
    return full.rows(_outer_pair(full, selection, selection.outer)[1])


def _outer_pair(full: Examples, selection: Selection, outer: OuterFold) -> Pair:
    """The rows of an outer fold, (learned from, sealed).

    Raises:
        DataError: there are too few rows.
    """
    rng = np.random.default_rng((selection.seed, OUTER))
    try:
        rows = _available(full, selection, outer.split)
        return outer.split.split(full.strata, rows, full.keys, rng=rng)[outer.fold]
    except DataError as error:
        if error.problem is None:
            raise
        raise DataError(moved(error.problem, "validation.outer")) from error


def _splits(full: Examples, selection: Selection) -> list[Pair]:
    split = selection.split
    rng = np.random.default_rng(_seeds(selection)[1])
    if selection.outer is None:
        return split.split(full.strata, _available(full, selection, split), full.keys, rng=rng)
    rows = np.arange(len(full.labels))  # the shots were drawn before
    try:
        return split.split(full.strata, rows, full.keys, rng=rng)
    except DataError as error:
        where, problem = f"among the rows outside {selection.outer.text}", error.problem
        if problem is None:
            raise DataError(f"{error}, {where}") from error
        got = f"{problem.got} {where}" if problem.got else where
        raise DataError(replace(problem, got=got)) from error


def _seeds(selection: Selection) -> list[np.random.SeedSequence]:
    """Of the shots and of the splits."""
    return np.random.SeedSequence((selection.seed, 0xDA7A)).spawn(2)


def _available(full: Examples, selection: Selection, split: Split) -> Rows:
    """The rows that are split: all, or the shots among them."""
    labels, rows = full.strata, split.available(len(full.labels))
    if selection.shots is None:
        return rows
    if full.regression:
        rule = "must be left out where numbers are predicted"
        hint = "it counts the rows of a class"
        raise DataError(Problem("data.shots", rule, str(selection.shots), hint))
    rng = np.random.default_rng(_seeds(selection)[0]) if selection.draw == "random" else None
    return rows[draw_shots(labels[rows], selection.shots, rng=rng)]
