"""Scratch arrays."""

from __future__ import annotations

import numpy as np
import pytest

from hpsearch.nn.base import Buffers

LIKE = np.zeros(1, np.float32)


def test_the_short_mini_batch_of_a_pass_takes_no_memory_of_its_own() -> None:
    buffers = Buffers()
    whole, other = buffers.get("y", (4, 8), LIKE), buffers.get("x", (4, 8), LIKE)
    short = buffers.get("y", (4, 3), LIKE)
    assert short.flags.c_contiguous
    assert np.shares_memory(short, whole)
    assert not np.shares_memory(short, other)
    assert buffers.get("y", (4, 8), LIKE) is whole


def test_a_larger_mini_batch_gets_memory_that_later_small_ones_share() -> None:
    buffers = Buffers()
    small = buffers.get("y", (4, 3), LIKE)
    large = buffers.get("y", (4, 8), LIKE)
    assert not np.shares_memory(small, large)
    assert np.shares_memory(buffers.get("y", (4, 3), LIKE), large)


def test_a_name_has_one_dtype() -> None:
    buffers = Buffers()
    buffers.get("y", (4, 3), LIKE)
    with pytest.raises(AssertionError, match="y has been float32"):
        buffers.get("y", (2, 3), np.zeros(1, np.float64))
