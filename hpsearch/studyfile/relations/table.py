"""Many configurations at once, as relations are computed of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.samplers.unit import Floats

Truths = NDArray[np.bool_]
Kinds = NDArray[np.int8]
NUMBER, TRUTH, TEXT, ABSENT, NO_NUMBER, NOT_COMPUTED = range(6)  # the last two are of results


@dataclass(frozen=True)
class Column:
    """A value a configuration.

    Attributes:
        kinds: NUMBER and so on, (n,).
        numbers: 1 and 0 for true and false, a code for a text; of no meaning elsewhere, (n,).
    """

    kinds: Kinds
    numbers: Floats

    def take(self, rows: NDArray[np.intp] | Truths) -> Column:
        """Those of some configurations."""
        return Column(self.kinds[rows], self.numbers[rows])


class Table:
    """Columns by name, each of `n` values.

    Args:
        n: how many configurations.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._columns: dict[str, Column] = {}
        self._codes: dict[str, int] = {"": 0}

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], names: Collection[str]) -> Table:
        """The values of these parameters in some configurations."""
        table = cls(len(rows))
        for name in names:
            there = np.array([name in row for row in rows], bool)
            table.put(name, table.listed([row[name] for row in rows if name in row]), there)
        return table

    def column(self, name: str) -> Column:
        """The values of a parameter."""
        found = self._columns.get(name)
        return found or Column(np.full(self.n, ABSENT, np.int8), np.zeros(self.n))

    def put(self, name: str, column: Column, where: Truths) -> None:
        """Give the configurations of `where` their values of a parameter, in order."""
        whole = self.column(name)
        kinds, numbers = whole.kinds.copy(), whole.numbers.copy()
        kinds[where], numbers[where] = column.kinds, column.numbers
        self._columns[name] = Column(kinds, numbers)

    def constant(self, value: Any) -> Column:
        """The same value for all configurations."""
        return self.listed([value]).take(np.zeros(self.n, np.intp))

    def listed(self, values: Sequence[Any]) -> Column:
        """Numbers, truth values and texts."""
        kinds = np.array([_kind(value) for value in values], np.int8)
        return Column(kinds, np.array([self._number(value) for value in values], float))

    def drawn(self, distribution: BaseDistribution, values: Floats) -> Column:
        """Numbers of a range, or indices of choices."""
        if isinstance(distribution, CategoricalDistribution):
            return self.listed(distribution.choices).take(values.astype(np.intp))
        return Column(np.full(len(values), NUMBER, np.int8), values)

    def among(self, name: str, values: Sequence[Any]) -> Truths:
        """Which configurations have one of these values of a parameter."""
        column, wanted = self.column(name), self.listed(values)
        same = column.numbers[:, None] == wanted.numbers
        return np.asarray((same & (column.kinds[:, None] == wanted.kinds)).any(axis=1))

    def _number(self, value: Any) -> float:
        if isinstance(value, str):
            return float(self._codes.setdefault(value, len(self._codes)))
        try:
            return float(value)
        except OverflowError:  # a whole number beyond all floats
            return float("inf") if value > 0 else float("-inf")


def _kind(value: Any) -> int:
    return TEXT if isinstance(value, str) else TRUTH if isinstance(value, bool) else NUMBER
