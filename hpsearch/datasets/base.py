"""The contract of a data set."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Examples:
    """Labelled examples.

    Attributes:
        inputs: (N, D), uint8 or floats.
        labels: (N,) classes in [0, n_classes).
        n_classes: K.
        scale: inputs are divided by this before use.
    """

    inputs: NDArray[Any]
    labels: NDArray[np.int64]
    n_classes: int
    scale: float = 1.0

    def digest(self) -> str:
        """SHA-256 over inputs and labels, 16 hexadecimal digits."""
        state = hashlib.sha256(repr((self.inputs.shape, str(self.inputs.dtype))).encode())
        state.update(np.ascontiguousarray(self.inputs).tobytes())
        state.update(np.ascontiguousarray(self.labels).tobytes())
        return state.hexdigest()[:16]


class Dataset(ABC):
    """A data set by name. Training and test examples are opened apart: the test set is sealed."""

    name: str
    summary: str  # one line for `python -m hpsearch data`

    @abstractmethod
    def training(self) -> Examples:
        """The training examples, from which shots and validation splits are drawn.

        Raises:
            DataError: the files are missing or damaged; says what to set or to delete.
        """

    @abstractmethod
    def test(self) -> Examples:
        """The test examples; opened once, at a study's end."""

    @abstractmethod
    def where(self) -> str:
        """Where its files were found, or that they were not; never downloads."""
