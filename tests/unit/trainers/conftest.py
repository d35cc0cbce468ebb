"""Data that the trainers' tests train on. NumPy loads late: its threads are set by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hpsearch.trainers import TrainingData


@pytest.fixture
def digits() -> TrainingData:
    """A hundred real digits as bytes, in two folds; a copy of the test's own.

    Every pixel has some ink, so that no training is reduced (test_inputs has those that are) and
    members of any optimizer and weight decay may train together.
    """
    import numpy as np

    from hpsearch.datasets.selection import Selection, open_pool
    from hpsearch.datasets.split_kinds import KFold
    from hpsearch.trainers import Split, TrainingData

    pool = open_pool(Selection("digits", shots=10, split=KFold(2)))
    examples = pool.examples
    return TrainingData(
        np.maximum(examples.inputs, 1),
        examples.labels.copy(),
        n_classes=examples.n_classes,
        splits=[Split(train, validation) for train, validation in pool.splits],
        scale=examples.scale,
    )


@pytest.fixture
def xor() -> TrainingData:
    """The four points of XOR to learn from, and the same four to be scored on."""
    import numpy as np

    from hpsearch.trainers import Split, TrainingData

    points = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 2)
    labels = np.array([0, 1, 1, 0] * 2)
    split = Split(np.arange(4), np.arange(4, 8))
    return TrainingData(points, labels, n_classes=2, splits=[split])
