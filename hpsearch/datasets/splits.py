"""Which examples are trained on and which are scored on. All draws take a generator.

A split is a pair (train, validation) of row numbers, sorted, without a common row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.errors import DataError, Problem

Rows = NDArray[np.intp]
Pair = tuple[Rows, Rows]
Labels = NDArray[Any]  # classes by number or by name


def draw_shots(labels: Labels, shots: int, *, rng: np.random.Generator | None) -> Rows:
    """`shots` rows of each class: at random, or the first in file order where rng is None.

    Raises:
        DataError: a class has fewer rows.
    """
    picked = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) < shots:
            rule = f"must be at most {len(rows)}, the examples of class {label}"
            raise DataError(Problem("data.shots", rule, str(shots)))
        picked.append(rows[:shots] if rng is None else rng.choice(rows, shots, replace=False))
    return np.sort(np.concatenate(picked))


def hold_out(labels: Labels, fraction: float, *, rng: np.random.Generator) -> list[Pair]:
    """One stratified split: about `fraction` of each class, at least one row, is validation.

    Raises:
        DataError: a class has a single row, which can't be on both sides.
    """
    held = []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if len(rows) < 2:
            raise DataError(
                f"a hold-out split must have at least 2 examples per class, class {label} has 1"
            )
        held.append(rows[: min(max(1, round(fraction * len(rows))), len(rows) - 1)])
    validation = np.sort(np.concatenate(held))
    return [(np.setdiff1d(np.arange(len(labels)), validation), validation)]


def k_fold(labels: Labels, folds: int, *, rng: np.random.Generator) -> list[Pair]:
    """Stratified k-fold: every row is validation once; fold sizes differ by at most one.

    Raises:
        DataError: a class has fewer rows than folds.
    """
    dealt = np.empty(len(labels), np.intp)
    next_fold = 0
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if len(rows) < folds:
            rule = f"must be at most {len(rows)}, the examples of class {label}"
            raise DataError(Problem("data.split.folds", rule, str(folds)))
        # A class that doesn't divide goes on where the last one ended, which levels the folds.
        dealt[rows] = (next_fold + np.arange(len(rows))) % folds
        next_fold += len(rows)
    return [(np.flatnonzero(dealt != k), np.flatnonzero(dealt == k)) for k in range(folds)]


def digest(pairs: Sequence[Pair]) -> str:
    """SHA-256 of the rows of all splits, 16 hexadecimal digits."""
    state = hashlib.sha256()
    for train, validation in pairs:
        for rows in (train, validation):
            state.update(len(rows).to_bytes(8, "big") + rows.astype(">i8").tobytes())
    return state.hexdigest()[:16]
