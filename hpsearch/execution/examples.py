"""The examples of a slice, opened once a process."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hpsearch.datasets.base import Examples
from hpsearch.datasets.opened import opened_once
from hpsearch.datasets.selection import (
    Pool,
    Selection,
    open_beside_test,
    open_fresh,
    open_pool,
    open_test,
)
from hpsearch.datasets.splits import Rows
from hpsearch.execution.slices import Exam
from hpsearch.trainers import (
    Split,
    TrainingData,
)

OPEN: dict[Exam, Callable[[Selection], Pool]] = {
    "validation": open_pool,
    "fresh": open_fresh,
    "test": open_test,
    "both": open_beside_test,
}


@opened_once(2)
def training_data(selection: Selection, exam: Exam) -> TrainingData:
    """The arrays of a selection; opened once a process."""
    pool = OPEN[exam](selection)
    examples, wanted = pool.examples, selection.train_scored
    splits = [
        Split(train, validation, pool.tested, _some(train, wanted))
        for train, validation in ((_counted(examples, one), other) for one, other in pool.splits)
    ]
    scored = None
    if wanted is not None:
        scored = np.unique(np.concatenate([r for s in splits for r in s.parts().values()]))
    return TrainingData(
        examples.inputs,
        examples.labels,
        n_classes=examples.n_classes,
        splits=splits,
        scale=examples.scale,
        scored=scored,
        final=exam == "test",
        table_columns=examples.columns,
        texts=examples.texts,
        weights=examples.weights,
        balanced=selection.balanced,
    )


def _counted(examples: Examples, rows: Rows) -> Rows:
    """Those of these rows that count: what weighs nothing is trained on by nobody.

    A library may let such a row have a part in its bins, its batches or its number of rows.
    """
    return rows if examples.weights is None else rows[examples.weights[rows] > 0]


def _some(rows: Rows, wanted: int | None) -> Rows | None:
    """So many of these rows at even distances; None for all."""
    if wanted is None or wanted >= len(rows):
        return None
    return rows[np.arange(wanted) * len(rows) // wanted]


def open_data(selection: Selection, exam: Exam = "validation") -> None:
    """Have the training data ready before the first slice; what is wrong with it, a slice says."""
    training_data(selection, exam)
