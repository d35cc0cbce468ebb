"""Inputs of a table in blocks of rows, such as those that are trained on and all others.

Whoever wants the rows of a block gets the block, and no copy of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Blocks:
    """Inputs (N, D) in blocks, which nobody may write to.

    Args:
        blocks: the rows (n,) of each and their inputs (n, D) of one type; every row of the table
            is in one of them.
    """

    def __init__(self, blocks: Sequence[tuple[NDArray[np.intp], NDArray[Any]]]) -> None:
        self._blocks = [np.ascontiguousarray(inputs) for _, inputs in blocks]
        n_rows = sum(len(rows) for rows, _ in blocks)
        self._block, self._place = np.empty(n_rows, np.intp), np.empty(n_rows, np.intp)
        for number, (rows, _) in enumerate(blocks):
            self._block[rows], self._place[rows] = number, np.arange(len(rows))
            self._blocks[number].flags.writeable = False
        self.shape = (n_rows, self._blocks[0].shape[1])
        self.dtype = self._blocks[0].dtype
        self.nbytes = sum(inputs.nbytes for inputs in self._blocks)

    def rows(self, rows: Any) -> NDArray[Any] | None:
        """The inputs of these rows, (..., D); None where they are of several blocks."""
        of, places = self._block[rows], self._place[rows]
        if not of.size or (of != of.flat[0]).any():
            return None
        block: NDArray[Any] = self._blocks[of.flat[0]]
        if places.shape == block.shape[:1] and np.array_equal(places, np.arange(len(block))):
            return block
        found: NDArray[Any] = block[places]
        return found

    def whole(self) -> NDArray[Any]:
        """All inputs as one array, in the order of the table's rows."""
        inputs = np.empty(self.shape, self.dtype)
        for number, block in enumerate(self._blocks):
            rows = np.flatnonzero(self._block == number)
            inputs[rows] = block[self._place[rows]]
        return inputs
