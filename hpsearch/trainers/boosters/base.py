"""The contract of a boosting library: how its ensembles grow, predict and become files.

A model is continued from its own form as bytes, also where nothing paused it, so that a training
with pauses and one without take the same steps.
"""

from __future__ import annotations

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.trainers.boosters.early_stopping import ARGUMENT, Watched

TOY_ROWS = 40  # that a value is tried on: enough for a leaf of LightGBM's default size
THREADS = "must be left out: every worker trains with one thread"
SEED = "must be left out: it is the trial's own seed"
SILENT = "must be left out: a search shows no progress of single trainings"


class Library(ABC):
    """What a library's ensembles can do, without any of them."""

    name: ClassVar[str]  # of the package, and of our extra
    file_name: ClassVar[str]  # of a model that is kept to predict with
    sizes: ClassVar[tuple[str, ...]]  # names of the number of trees
    trees: ClassVar[int] = 100  # where a study does not say how many
    distributions: ClassVar[tuple[str, ...]]  # that it may be installed as
    # Values of arguments with which trees change after they were grown, or are none.
    unsteady: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @abstractmethod
    def arguments(self, make: type) -> dict[str, object]:
        """What a study may name, with the library's own defaults; None: left to it."""

    @abstractmethod
    def refused(self, make: type) -> Mapping[str, str]:
        """Names that the library knows and a study must not use, with what to do instead."""

    @abstractmethod
    def settings(self, seed: int) -> dict[str, object]:
        """What is set for every ensemble: its seed, one thread, silence."""

    def grows(self, make: type) -> bool:
        """Whether more trees can be added to an ensemble of this class."""
        return True

    @abstractmethod
    def grow(
        self,
        made: Any,
        x: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        model: Any,
        watched: Watched | None = None,
    ) -> tuple[Any, Sequence[float]]:
        """The library's model with the trees of `made`, after those of `model`; None: the first.

        With it comes the loss of `watched` after each of the trees of `made`, () of None. What is
        watched has no part in the trees.

        Args:
            made: an estimator that was not fitted yet.
            x: inputs (N, D).
            y: (N,) class codes from 0 without gaps, or numbers.
            weights: (N,) how much each row counts; None: all alike.
        """

    @abstractmethod
    def first(self, model: Any, trees: int, *, classifies: bool) -> Any:
        """The model of a grown model's first trees alone, as it is after a pause."""

    @abstractmethod
    def dumps(self, model: Any) -> bytes:
        """A model in the library's own form."""

    @abstractmethod
    def loads(self, content: bytes, *, classifies: bool) -> Any:
        """The model of this form."""

    def as_loaded(self, model: Any, *, classifies: bool) -> Any:
        """A grown model as it is after a pause."""
        return self.loads(self.dumps(model), classifies=classifies)

    @abstractmethod
    def values(self, model: Any, x: NDArray[Any]) -> NDArray[np.float64]:
        """Predicted numbers (N,)."""

    @abstractmethod
    def probabilities(self, model: Any, x: NDArray[Any]) -> NDArray[Any]:
        """Of each class code, (N, K)."""

    @abstractmethod
    def write(self, content: bytes, description: str) -> bytes:
        """The file of a model, which the library itself can read, with a description inside."""

    @abstractmethod
    def description(self, file: bytes) -> str:
        """What `write` put into a file."""

    @abstractmethod
    def rule(self, message: str) -> str | None:
        """ "must be …", where a message of the library says so of one value by itself."""

    def reason(self, error: Exception) -> str:
        """What the library's error says, without places in its source code."""
        return str(error)

    def versions(self) -> dict[str, str]:
        """The distribution that it is installed as, which a model must be read with."""
        for name in self.distributions:
            try:
                return {name: version(name)}
            except PackageNotFoundError:
                continue
        return {}

    def problem(self, make: type, name: str, value: object) -> str | None:
        """What the library finds wrong with a value by itself, in a fit of one tree."""
        if name in (*self.sizes, ARGUMENT):
            if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
                return None
            return f"must be a whole number of at least 1, got {value!r}"
        rule = _rule(self, make, name, _Shown(value))
        return rule and f"{rule}, got {value!r}"


def only_losses(recorded: Mapping[str, Mapping[str, Sequence[float]]]) -> Sequence[float]:
    """The losses of the only rows that a library watched, by the only metric of them."""
    ((losses,),) = (by_metric.values() for by_metric in recorded.values())
    return losses


@contextmanager
def silence() -> Iterator[None]:
    """Show nothing that the block prints, nor what LightGBM's C code writes beside its errors."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            kept = os.dup(2)
        except OSError:  # it is closed
            yield
            return
        try:
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


class _Shown:
    """A value that is looked up by what it looks like: 1, 1.0 and true are not the same."""

    def __init__(self, value: object) -> None:
        self.value, self._shown = value, repr(value)

    def __hash__(self) -> int:
        return hash(self._shown)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shown) and self._shown == other._shown


@lru_cache(maxsize=1024)
def _rule(library: Library, make: type, name: str, shown: _Shown) -> str | None:
    from sklearn.base import is_classifier

    rng = np.random.default_rng(0)
    x = rng.normal(size=(TOY_ROWS, 2))
    try:
        with silence():
            settings = library.settings(0) | {library.sizes[0]: 1, name: shown.value}
            made = make(**settings)
            y = np.arange(TOY_ROWS) % 2 if is_classifier(made) else x[:, 0] + 5
            library.grow(made, x, y, None, None)
    except Exception as error:
        return library.rule(library.reason(error))
    return None
