"""The contract of a data set."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.csv_format import CsvFormat
from hpsearch.datasets.table_columns import TableColumn
from hpsearch.errors import DataError


@dataclass(frozen=True)
class Examples:
    """Labelled examples.

    Attributes:
        inputs: (N, D), uint8 or floats.
        labels: (N,) classes in [0, n_classes), or float64 numbers to predict.
        n_classes: K; 0 if numbers are predicted.
        scale: inputs are divided by this before use.
        classes: the names of the classes, if they have names.
        keys: (N,) the group or the time of each row, if rows are split by it.
        columns: the kinds of the inputs, for a table whose columns are prepared for a trainer.
        form: the format in which such a table was written.
        texts: (N,) for each column of texts, by its place among them.
        weights: (N,) the weight of each row, 0 or more; None: equal weights.
    """

    inputs: NDArray[Any]
    labels: NDArray[Any]
    n_classes: int
    scale: float = 1.0
    classes: tuple[str, ...] = ()
    keys: NDArray[Any] | None = None
    columns: tuple[TableColumn, ...] = ()
    form: CsvFormat | None = None
    texts: Mapping[int, NDArray[Any]] = field(default_factory=dict)
    weights: NDArray[np.float64] | None = None

    @property
    def regression(self) -> bool:
        """Whether numbers are predicted instead of classes."""
        return self.n_classes == 0

    @property
    def strata(self) -> NDArray[Any]:
        """(N,) the class of each row by name, whose shares splits keep; all equal for numbers."""
        if self.regression:
            return np.full(len(self.labels), "all")
        return np.array(self.classes)[self.labels] if self.classes else self.labels

    def rows(self, rows: NDArray[np.intp]) -> Examples:
        """A part of the examples."""
        return replace(
            self,
            inputs=self.inputs[rows],
            labels=self.labels[rows],
            keys=None if self.keys is None else self.keys[rows],
            weights=None if self.weights is None else self.weights[rows],
            texts={place: texts[rows] for place, texts in self.texts.items()},
        )

    def followed_by(self, other: Examples) -> Examples:
        """These examples, followed by others of the same data set."""
        return replace(
            self,
            inputs=np.concatenate([self.inputs, other.inputs]),
            labels=np.concatenate([self.labels, other.labels]),
            keys=_joined(self.keys, other.keys),
            weights=_joined(self.weights, other.weights),
            texts={
                place: np.concatenate([texts, other.texts[place]])
                for place, texts in self.texts.items()
            },
        )

    def digest(self) -> str:
        """SHA-256 over inputs, labels, weights, and the columns that are not numbers; 16
        hexadecimal digits."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        # Once, as each arm of a comparison asks for it and MNIST takes a fifth of a second.
        state = hashlib.sha256(repr((self.inputs.shape, str(self.inputs.dtype))).encode())
        state.update(np.ascontiguousarray(self.inputs).tobytes())
        state.update(np.ascontiguousarray(self.labels).tobytes())
        if self.weights is not None:
            state.update(np.ascontiguousarray(self.weights).tobytes())
        for column in self.columns:
            if column.kind not in ("number", "boolean"):
                state.update(repr((column.name, column.kind, column.words)).encode())
        for place, texts in sorted(self.texts.items()):
            state.update(repr((place, texts.tolist())).encode())
        return state.hexdigest()[:16]


def _joined(first: NDArray[Any] | None, second: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if first is None or second is None else np.concatenate([first, second])


def numbered(values: NDArray[Any], classes: Sequence[str], path: Path) -> NDArray[np.int64]:
    """The index in `classes` of each value.

    Raises:
        DataError: a value is not one of the classes.
    """
    found, places = np.unique(values, return_inverse=True)
    numbers = {name: number for number, name in enumerate(classes)}
    strange = [str(value) for value in found if str(value) not in numbers]
    if strange:
        raise DataError(f"{path} must hold classes of the training data, got {strange[0]!r}")
    return np.array([numbers[str(value)] for value in found], np.int64)[places]


class Dataset(ABC):
    """A data set by name. Training and test examples open separately: the test set is sealed."""

    name: str
    summary: str  # one line for `python -m hpsearch data`

    @abstractmethod
    def training(self) -> Examples:
        """The training examples, from which shots and validation splits are drawn.

        Raises:
            DataError: the files are missing or damaged; the message says what to set or delete.
        """

    @abstractmethod
    def test(self) -> Examples:
        """The test examples; opened once, at a study's end."""

    @abstractmethod
    def where(self) -> str:
        """Where its files were found, or a text that they were not found; never downloads."""
