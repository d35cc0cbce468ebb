"""The examples of a slice, opened once a process."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hpsearch.datasets.fewer_rows import fewer_rows
from hpsearch.datasets.opened import opened_once
from hpsearch.datasets.selection import (
    Pool,
    Selection,
    open_all_rows,
    open_beside_test,
    open_fresh,
    open_pool,
    open_test,
)
from hpsearch.datasets.splits import Rows
from hpsearch.execution.slices import FINAL, Exam, SliceSettings
from hpsearch.trainers import (
    Split,
    TrainingData,
)

OPEN: dict[Exam, Callable[[Selection], Pool]] = {
    "validation": open_pool,
    "fresh": open_fresh,
    "test": open_test,
    "both": open_beside_test,
    "all-rows": open_all_rows,
}


@opened_once(2)
def training_data(selection: Selection, exam: Exam, rows: int | None = None) -> TrainingData:
    """The arrays of a selection; opened once a process.

    Args:
        rows: training rows of each split that are trained on; None: all.
    """
    pool = OPEN[exam](selection)
    examples, wanted = pool.examples, selection.train_scored
    learned = [*pool.training_rows]
    if rows is not None:
        learned = [
            fewer_rows(examples, train, rows, selection, fold)
            for fold, train in enumerate(learned)
        ]
    splits = [
        Split(train, validation, pool.tested, _some(train, wanted))
        for train, (_, validation) in zip(learned, pool.splits, strict=True)
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
        final=exam in FINAL,
        table_columns=examples.columns,
        texts=examples.texts,
        weights=examples.weights,
        balanced=selection.balanced,
    )


def _some(rows: Rows, wanted: int | None) -> Rows | None:
    """So many of these rows at even distances; None for all."""
    if wanted is None or wanted >= len(rows):
        return None
    return rows[np.arange(wanted) * len(rows) // wanted]


def data_of(settings: SliceSettings) -> TrainingData:
    """What the members of a slice are trained and scored on."""
    return training_data(settings.data, settings.exam, settings.rows)


def open_data(selection: Selection, exam: Exam = "validation", rows: int | None = None) -> None:
    """Have the training data ready before the first slice; what is wrong with it, a slice says."""
    training_data(selection, exam, rows)
