"""Inputs in blocks: the rows of a block are shared, and everything else is as of one array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hpsearch.trainers import Split, TrainingData
from hpsearch.trainers.blocks import Blocks

WHOLE = np.random.default_rng(0).normal(size=(30, 4))
TRAIN = np.arange(0, 30, 2)
REST = np.arange(1, 30, 2)


def blocks() -> Blocks:
    return Blocks([(TRAIN, WHOLE[TRAIN]), (REST, WHOLE[REST])])


def data(inputs: NDArray[Any] | Blocks) -> TrainingData:
    return TrainingData(inputs, np.zeros(30, int), n_classes=2, splits=[Split(TRAIN, REST)])


def test_the_rows_of_a_block_are_the_block_itself() -> None:
    table = data(blocks())
    once, again = table.floats(TRAIN, np.float64), table.floats(TRAIN.copy(), np.float64)
    assert np.shares_memory(once, again)
    assert np.array_equal(once, WHOLE[TRAIN])
    with pytest.raises(ValueError, match="read-only"):
        once[0, 0] = 1.0


@pytest.mark.parametrize(
    "rows",
    [
        TRAIN[3:7],
        TRAIN[::-1],
        REST,
        np.array([0, 1, 2]),
        slice(None),
        slice(4, 9),
        np.array([[0, 2], [4, 4]]),
        np.array([[0, 1], [3, 28]]),
        np.array([], np.intp),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_other_rows_are_those_of_one_array(rows: Any, dtype: Any) -> None:
    found = data(blocks()).floats(rows, dtype)
    assert found.dtype == dtype
    assert np.array_equal(found, data(WHOLE).floats(rows, dtype))


def test_the_whole_and_what_follows_from_it_are_as_of_one_array() -> None:
    table, one = data(blocks()), data(WHOLE)
    assert (table.n_inputs, table.precision) == (one.n_inputs, one.precision)
    assert table.held_bytes == one.held_bytes == WHOLE.nbytes
    chunks, wanted = ([*t.columns(np.float32, with_ones=True)] for t in (table, one))
    assert all(np.array_equal(a, b) for a, b in zip(chunks, wanted, strict=True))
    drawn, expected = (
        t.batch(np.array([[5, 4], [1, 1]]), np.empty((2, 2, 4), np.float32)) for t in (table, one)
    )
    assert np.array_equal(drawn, expected)
    assert np.array_equal(table.inputs, WHOLE)
    # Now that it is one array, the blocks are gone.
    assert not np.shares_memory(table.floats(TRAIN, np.float64), table.floats(TRAIN, np.float64))
    assert table.held_bytes == WHOLE.nbytes + 30 * 4 * 4 + 30 * 5 * 4


def test_rows_that_are_copied_are_the_callers_own() -> None:
    one = data(WHOLE.copy())
    taken = one.floats(TRAIN, np.float64)
    taken[:] = 0
    assert np.array_equal(one.inputs, WHOLE)
    everything = one.floats(slice(None), np.float64)
    everything[:] = 0
    assert np.array_equal(one.inputs, WHOLE)
