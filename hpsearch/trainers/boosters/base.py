"""The contract of a boosting library: how its ensembles grow, predict and become files.

A model is always continued from its own format as bytes, even without a pause, so that trainings
with and without pauses take the same steps.
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

TOY_ROWS = 40  # rows for trying a value: enough for a leaf of LightGBM's default size
THREADS = "must be left out: every worker trains with one thread"
SEED = "must be left out: it is the trial's own seed"
SILENT = "must be left out: a search shows no progress of single trainings"


class Library(ABC):
    """The operations of a library's ensembles."""

    name: ClassVar[str]  # of the package, and of our extra
    file_name: ClassVar[str]  # of a model that is kept for predictions
    sizes: ClassVar[tuple[str, ...]]  # names of the number of trees
    trees: ClassVar[int] = 100  # if a study gives no number
    distributions: ClassVar[tuple[str, ...]]  # that it may be installed as
    # Values of arguments with which trees change after they are grown, or are not trees.
    unsteady: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @abstractmethod
    def arguments(self, make: type) -> dict[str, object]:
        """The arguments that a study may set, with the library's defaults; None: left to it."""

    @abstractmethod
    def refused(self, make: type) -> Mapping[str, str]:
        """Names that the library accepts but a study must not use, with what to do instead."""

    @abstractmethod
    def settings(self, seed: int) -> dict[str, object]:
        """The settings of every ensemble: its seed, one thread, no output."""

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

        Also returns the loss of `watched` after each of the trees of `made`, () for None. The
        watched rows don't affect the trees.

        Args:
            made: an estimator that was not fitted yet.
            x: inputs (N, D).
            y: (N,) class codes from 0 without gaps, or numbers.
            weights: (N,) the weight of each row; None: equal weights.
        """

    @abstractmethod
    def first(self, model: Any, trees: int, *, classifies: bool) -> Any:
        """The model of only the first trees of a grown model, as it is after a pause."""

    @abstractmethod
    def dumps(self, model: Any) -> bytes:
        """A model in the library's own format."""

    @abstractmethod
    def loads(self, content: bytes, *, classifies: bool) -> Any:
        """The model in this format."""

    def as_loaded(self, model: Any, *, classifies: bool) -> Any:
        """A grown model as it is after a pause."""
        return self.loads(self.dumps(model), classifies=classifies)

    @abstractmethod
    def values(self, model: Any, x: NDArray[Any]) -> NDArray[np.float64]:
        """Predicted numbers (N,)."""

    @abstractmethod
    def probabilities(self, model: Any, x: NDArray[Any]) -> NDArray[Any]:
        """The probability of each class code, (N, K)."""

    @abstractmethod
    def write(self, content: bytes, description: str) -> bytes:
        """The file of a model, which the library itself can read, with a description inside."""

    @abstractmethod
    def description(self, file: bytes) -> str:
        """What `write` put into a file."""

    @abstractmethod
    def rule(self, message: str) -> str | None:
        """ "must be …", if a message of the library gives a rule for one value by itself."""

    def reason(self, error: Exception) -> str:
        """The message of the library's error, without places in its source code."""
        return str(error)

    def versions(self) -> dict[str, str]:
        """The distribution with which it is installed, and which must read its models."""
        for name in self.distributions:
            try:
                return {name: version(name)}
            except PackageNotFoundError:
                continue
        return {}

    def problem(self, make: type, name: str, value: object) -> str | None:
        """What the library finds wrong with a single value, in a fit of one tree."""
        if name in (*self.sizes, ARGUMENT):
            if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
                return None
            return f"must be a whole number of at least 1, got {value!r}"
        rule = _rule(self, make, name, _Shown(value))
        return rule and f"{rule}, got {value!r}"


def only_losses(recorded: Mapping[str, Mapping[str, Sequence[float]]]) -> Sequence[float]:
    """The losses of the only rows that a library watched, by their only metric."""
    ((losses,),) = (by_metric.values() for by_metric in recorded.values())
    return losses


@contextmanager
def silence() -> Iterator[None]:
    """Hide everything that the block prints, and what LightGBM's C code writes with its errors."""
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
    """A value that is looked up by its text: 1, 1.0 and true are different."""

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
