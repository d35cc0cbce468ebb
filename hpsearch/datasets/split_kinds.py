"""The kinds of split, each named once: which rows are trained on and which are scored on.

Adding a kind is one class here, one line of SPLITS, and one row of the table in
tests/unit/datasets/test_split_kinds.py. The keys of `split` in a study file, their bounds,
defaults and descriptions are read from the fields of the class; what else must be known of a kind
is asked of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.splits import Labels, Pair, Rows, hold_out, k_fold
from hpsearch.datasets.table_splits import Column, group_k_fold, time_ordered
from hpsearch.errors import DataError, Problem

Range = tuple[int, int]  # [first, last)
MANY_FOLDS = 5
KEY = "data.split"  # that the problems of a split name


def key(*, description: str | None = None, **bounds: float) -> dict[str, Any]:
    """The metadata of a field: a key of `split` in a study file.

    Args:
        bounds: gt, ge, lt, le.
    """
    return {"description": description, **bounds}


def _as_needed() -> bool:
    """The key of all kinds with several folds."""
    made: bool = field(
        default=False,
        kw_only=True,
        metadata=key(
            description="stop a trial before its other folds once it is behind by more than one "
            "standard error of what these leave open; the promoted, confirmed and tested have all "
            "folds. Default: false, as only a search of several batches gains by it, and networks "
            "train faster on all folds together"
        ),
    )
    return made


class Split(ABC):
    """A kind of split: a frozen dataclass, small enough to travel to every worker."""

    kind: ClassVar[str]  # as a study file names it
    # For a text on a study: its fields in braces, and {stratified} where it keeps classes' shares.
    words: ClassVar[str]
    usage: ClassVar[str] = ""  # what a list of the kinds says behind its name
    of_tables: ClassVar[bool] = False  # it splits by a column
    # Validation rows come from outside the rows that shots are drawn from.
    beside_shots: ClassVar[bool] = False
    drawn: ClassVar[bool] = True  # another draw gives another split

    @property
    @abstractmethod
    def n_splits(self) -> int:
        """How many pairs `split` gives; every configuration is trained on each."""

    @property
    def as_needed(self) -> bool:
        """Whether trials that are behind after some folds are stopped before the others."""
        return bool(getattr(self, "folds_as_needed", False))

    @property
    def least_shots(self) -> int:
        """The fewest shots of a class that can be split."""
        return 2

    @property
    def column(self) -> Column | None:
        """The column of a table that rows are split by; None: any data set can be split."""
        return None

    def check(self, shots: int | None) -> Iterator[Problem]:
        """What can be said to be wrong without the data.

        Args:
            shots: images a class; None: all.
        """
        return iter(())

    def available(self, n: int) -> Rows:
        """Those of n rows that are split, or that shots are drawn from.

        Raises:
            DataError: there are too few rows.
        """
        return np.arange(n)

    @abstractmethod
    def split(
        self, labels: Labels, rows: Rows, keys: NDArray[Any] | None, *, rng: np.random.Generator
    ) -> list[Pair]:
        """The pairs (train, validation) of row numbers, sorted, without a common row.

        Args:
            labels: (N,) the class of every row of the data set.
            rows: the available rows, or the shots drawn from them.
            keys: (N,) the values of `column`, if there is one.

        Raises:
            DataError: the rows are too few.
        """


@dataclass(frozen=True)
class HoldOut(Split):
    """One stratified split inside the training images."""

    kind = "hold-out"
    words = "one hold-out split{stratified}, with a share of {fraction} held out"
    fraction: float = field(
        default=0.2, metadata=key(gt=0, lt=1, description="fraction held out; a fifth is usual")
    )

    @property
    def n_splits(self) -> int:
        return 1

    def check(self, shots: int | None) -> Iterator[Problem]:
        if shots == 1:
            rule = "must be at least 2 with a hold-out split inside the shots"
            yield Problem("data.shots", rule, "1")

    def split(
        self, labels: Labels, rows: Rows, keys: NDArray[Any] | None, *, rng: np.random.Generator
    ) -> list[Pair]:
        return _of_rows(rows, hold_out(labels[rows], self.fraction, rng=rng))


@dataclass(frozen=True)
class KFold(Split):
    """Stratified k-fold: every image is validation once."""

    kind = "k-fold"
    words = "cross-validation with {folds} folds{stratified}"
    folds: int = field(
        default=MANY_FOLDS, metadata=key(ge=2, description="5 balances bias against cost")
    )
    folds_as_needed: bool = _as_needed()

    @property
    def n_splits(self) -> int:
        return self.folds

    @property
    def least_shots(self) -> int:
        return self.folds

    def check(self, shots: int | None) -> Iterator[Problem]:
        yield from _folds_of_shots(self.folds, shots)

    def split(
        self, labels: Labels, rows: Rows, keys: NDArray[Any] | None, *, rng: np.random.Generator
    ) -> list[Pair]:
        return _of_rows(rows, k_fold(labels[rows], self.folds, rng=rng))


@dataclass(frozen=True)
class RepeatedKFold(Split):
    """k-fold several times over with fresh folds."""

    kind = "repeated-k-fold"
    words = "cross-validation with {folds} folds{stratified}, repeated {repeats} times"
    folds: int = field(default=MANY_FOLDS, metadata=key(ge=2))
    repeats: int = field(
        default=3, metadata=key(ge=2, description="how often every image is used for validation")
    )
    folds_as_needed: bool = _as_needed()

    @property
    def n_splits(self) -> int:
        return self.folds * self.repeats

    @property
    def least_shots(self) -> int:
        return self.folds

    def check(self, shots: int | None) -> Iterator[Problem]:
        yield from _folds_of_shots(self.folds, shots)

    def split(
        self, labels: Labels, rows: Rows, keys: NDArray[Any] | None, *, rng: np.random.Generator
    ) -> list[Pair]:
        passes = (k_fold(labels[rows], self.folds, rng=rng) for _ in range(self.repeats))
        return _of_rows(rows, [pair for pairs in passes for pair in pairs])


@dataclass(frozen=True)
class GroupKFold(Split):
    """k-fold of a table whose groups are never on both sides, nor partly in the test set."""

    kind = "group-k-fold"
    words = (
        "cross-validation with {folds} folds, none of which shares a group ({group}) with another"
    )
    usage = "(group = a column)"
    of_tables = True
    folds: int = field(default=MANY_FOLDS, metadata=key(ge=2), kw_only=True)
    group: str = field(
        metadata=key(description="the column with the groups, e.g. patient; it is not an input")
    )
    folds_as_needed: bool = _as_needed()

    @property
    def n_splits(self) -> int:
        return self.folds

    @property
    def least_shots(self) -> int:
        return self.folds

    @property
    def column(self) -> Column | None:
        return Column("group", self.group)

    def split(
        self, labels: Labels, rows: Rows, keys: NDArray[Any] | None, *, rng: np.random.Generator
    ) -> list[Pair]:
        assert keys is not None
        return _of_rows(rows, group_k_fold(labels[rows], keys[rows], self.folds, rng=rng))


@dataclass(frozen=True)
class TimeOrdered(Split):
    """Expanding windows of a table: validation rows come after all that is trained on."""

    kind = "time-ordered"
    words = "{folds} expanding windows in the order of {order}"
    usage = "(order = a column)"
    of_tables = True
    drawn = False
    folds: int = field(
        default=MANY_FOLDS,
        metadata=key(
            ge=2, description="number of windows; the first one trains on the fewest rows"
        ),
        kw_only=True,
    )
    order: str = field(
        metadata=key(
            description="the column with times, as numbers or dates; it is not an input, and the "
            "test rows are the last ones"
        )
    )
    folds_as_needed: bool = _as_needed()

    @property
    def n_splits(self) -> int:
        return self.folds

    @property
    def column(self) -> Column | None:
        return Column("order", self.order)

    def split(
        self, labels: Labels, rows: Rows, keys: NDArray[Any] | None, *, rng: np.random.Generator
    ) -> list[Pair]:
        assert keys is not None
        return _of_rows(rows, time_ordered(labels[rows], keys[rows], self.folds))


@dataclass(frozen=True)
class Fixed(Split):
    """Index ranges [first, last) of the training file."""

    kind = "fixed"
    words = "one fixed split, with the rows {validation} of the training file held out"
    usage = "ranges"
    beside_shots = True
    drawn = False
    train: Range | None = field(
        default=None,
        metadata=key(description="default: all rows that are not in validation"),
        kw_only=True,
    )
    validation: Range = field(metadata=key())

    @property
    def n_splits(self) -> int:
        return 1

    @property
    def least_shots(self) -> int:
        return 1

    def check(self, shots: int | None) -> Iterator[Problem]:
        train, validation = self.train, self.validation
        for name, bounds in (("train", train), ("validation", validation)):
            if bounds is not None and bounds[0] >= bounds[1]:
                rule = "must be [first, last) with first below last"
                yield Problem(f"data.split.{name}", rule, str([*bounds]))
        if train and max(train[0], validation[0]) < min(train[1], validation[1]):
            rule = f"must not overlap train {[*train]}"
            yield Problem("data.split.validation", rule, str([*validation]))

    def available(self, n: int) -> Rows:
        held = _range("validation", self.validation, n)
        rows = _range("train", self.train, n) if self.train else np.setdiff1d(np.arange(n), held)
        if not rows.size:
            rule = "must leave images to train on"
            raise DataError(Problem("data.split.validation", rule, f"all {n} of them"))
        return rows

    def split(
        self, labels: Labels, rows: Rows, keys: NDArray[Any] | None, *, rng: np.random.Generator
    ) -> list[Pair]:
        for problem in self.check(None):
            raise DataError(problem)
        return [(rows, _range("validation", self.validation, len(labels)))]


SPLITS: dict[str, type[Split]] = {
    split.kind: split for split in (HoldOut, KFold, RepeatedKFold, GroupKFold, TimeOrdered, Fixed)
}


def moved(problem: Problem, key: str) -> Problem:
    """What is wrong with a split, said of one that stands under another key than data.split."""
    within = problem.key.startswith(KEY)
    return replace(problem, key=key + problem.key.removeprefix(KEY)) if within else problem


def _of_rows(rows: Rows, inside: list[Pair]) -> list[Pair]:
    """Pairs of places in `rows` as pairs of rows."""
    return [(rows[train], rows[validation]) for train, validation in inside]


def _folds_of_shots(folds: int, shots: int | None) -> Iterator[Problem]:
    if shots is not None and folds > shots:
        yield Problem("data.split.folds", f"must be at most the {shots} shots", str(folds))


def _range(name: str, bounds: Range, n: int) -> Rows:
    first, last = bounds
    if not 0 <= first < last <= n:
        rule = f"must be [first, last) within 0 and {n}, the number of images"
        raise DataError(Problem(f"data.split.{name}", rule, f"[{first}, {last}]"))
    return np.arange(first, last)
