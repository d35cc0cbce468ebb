"""Splits of tables by a column: groups that stay together, and time that only goes forward.

Groups and folds are scikit-learn's; that times are split by their distinct values, and test rows
by whole groups, is ours.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.splits import Labels, Pair, Rows
from hpsearch.errors import DataError, Problem

FINEST = 100  # parts that groups are dealt to, to seal some of them as test set


@dataclass(frozen=True)
class Column:
    """A column that rows are split by.

    Attributes:
        role: "group", whose rows stay together, or "order", a time that only goes forward; the
            key of data.split, too.
    """

    role: Literal["group", "order"]
    name: str

    @property
    def key(self) -> str:
        """Where a study file names it."""
        return f"data.split.{self.role}"


def group_k_fold(
    labels: Labels, groups: NDArray[Any], folds: int, *, rng: np.random.Generator
) -> list[Pair]:
    """k-fold whose groups are never on both sides; classes as even as the groups allow.

    Args:
        groups: (N,) the group of each row.

    Raises:
        DataError: there are fewer groups than folds, or they can't be dealt so that every class
            is trained on.
    """
    n_groups = len(np.unique(groups))
    if n_groups < folds:
        rule = f"must be at most {n_groups}, the number of groups outside the test set"
        raise DataError(Problem("data.split.folds", rule, str(folds)))
    pairs = _dealt(labels, groups, folds, int(rng.integers(2**32)))
    _refuse_poor(labels, pairs)
    return pairs


def hold_out_groups(labels: Labels, groups: NDArray[Any], fraction: float, *, seed: int) -> Pair:
    """About `fraction` of the rows as whole groups, with classes as even as the groups allow.

    Raises:
        DataError: there is only one group, or those held out take a class with them.
    """
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        rule = "must name a column of 2 groups or more"
        raise DataError(Problem("data.split.group", rule, str(n_groups)))
    parts = min(n_groups, FINEST)
    share = Fraction(fraction).limit_denominator(parts)
    share = min(max(share, Fraction(1, parts)), Fraction(parts - 1, parts))
    pairs = _dealt(labels, groups, share.denominator, seed)
    held = np.sort(np.concatenate([rows for _, rows in pairs[: share.numerator]]))
    rest = np.setdiff1d(np.arange(len(labels)), held)
    lost = np.setdiff1d(labels, labels[rest])
    if len(lost):
        raise DataError(
            Problem(
                "data.test_fraction",
                "must leave rows of every class to learn from",
                f"none of class {str(lost[0])!r}, whose groups are in the test set",
                "lower it, or name a file of test rows in data.test",
            )
        )
    if not len(held):
        raise DataError(Problem("data.test_fraction", "must hold out a group", str(fraction)))
    return rest, held


def _dealt(labels: Labels, groups: NDArray[Any], folds: int, seed: int) -> list[Pair]:
    from sklearn.model_selection import StratifiedGroupKFold

    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes rarer than folds: looked at later
        try:
            return [*dealer.split(labels, labels, groups)]
        except ValueError as error:  # every class is rarer than that
            rule = "must be at most the rows of the largest class"
            raise DataError(Problem("data.split.folds", rule, str(folds))) from error


def time_ordered(labels: Labels, times: NDArray[Any], folds: int) -> list[Pair]:
    """Expanding windows: each fold is trained on all that was before its validation rows.

    Args:
        times: (N,) numbers; rows of one time are never on both sides.

    Raises:
        DataError: there are too few times, or the first window lacks a class.
    """
    from sklearn.model_selection import TimeSeriesSplit

    found, place = np.unique(times, return_inverse=True)
    if len(found) <= folds:
        most = len(found) - 1
        rule = f"must be at most {most}, one less than the number of times outside the test set"
        raise DataError(Problem("data.split.folds", rule, str(folds)))
    pairs = [
        (np.flatnonzero(place <= train[-1]), np.flatnonzero(np.isin(place, held)))
        for train, held in TimeSeriesSplit(folds).split(found)
    ]
    _refuse_poor(labels, pairs)
    return pairs


def hold_out_last(times: NDArray[Any], fraction: float) -> Pair:
    """About `fraction` of the rows, the last in time; rows of one time are on one side.

    Raises:
        DataError: all rows are of one time.
    """
    n_held = min(max(1, round(fraction * len(times))), len(times) - 1)
    first = max(np.sort(times)[-n_held], np.unique(times)[:2][-1])
    if first == times.min():
        raise DataError(Problem("data.split.order", "must name a column of 2 times or more", "1"))
    return np.flatnonzero(times < first), np.flatnonzero(times >= first)


def _refuse_poor(labels: Labels, pairs: list[Pair]) -> None:
    """Refuse folds without validation rows, and classes that a fold is not trained on."""
    for fold, (train, held) in enumerate(pairs, start=1):
        lost = np.setdiff1d(labels, labels[train])
        if len(lost):
            raise DataError(
                Problem(
                    "data.split.folds",
                    "must leave rows of every class to train on",
                    f"none of class {str(lost[0])!r} in fold {fold} of {len(pairs)}",
                    "take fewer folds, or leave the class out of the file",
                )
            )
        if not len(held):
            got = f"{len(pairs)}, of which fold {fold} has no rows"
            raise DataError(Problem("data.split.folds", "must be fewer for these groups", got))


def refuse_shared(learned: Rows, tested: Rows, path: object) -> None:
    """Refuse groups of a file of test rows that are learned from."""
    shared = np.intersect1d(learned, tested)
    if len(shared):
        rule = "must not share groups with the rows for learning"
        raise DataError(Problem("data.test", rule, f"group {str(shared[0])!r} in {path} too"))


def refuse_earlier(learned: NDArray[Any], tested: NDArray[Any], path: object) -> None:
    """Refuse a file of test rows that are not after all that is learned from."""
    early = int((tested <= learned.max()).sum())
    if early:
        rule = "must hold rows later than all rows for learning"
        got = f"{early} of {len(tested)} in {path} that are not"
        raise DataError(Problem("data.test", rule, got))
