"""A user's own training function as a trainer."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.errors import StudyFileError
from hpsearch.hyperparameters import NAME, NAME_RULE
from hpsearch.own_code import load_module
from hpsearch.trainers.base import (
    EVERY_EPOCH,
    Around,
    Member,
    Progress,
    Schedule,
    Trainer,
    TrainingData,
)

SHOWN = 80  # characters of a value in a message


@dataclass(frozen=True)
class FunctionData:
    """What a training function receives as `data`.

    Attributes:
        x_train: (N, D) scaled inputs; float64 of a table that holds such numbers, else float32.
        y_train: (N,) classes, or the numbers to predict.
        x_validation, y_validation: what the yielded scores must be measured on. In the final
            test the same function gets the test images here.
        n_classes: K; 0 where numbers are predicted.
    """

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_validation: NDArray[Any]
    y_validation: NDArray[Any]
    n_classes: int


def load_function(path: str) -> Callable[..., Any]:
    """The function behind "module:name".

    Raises:
        StudyFileError: the module can't be imported or has no such function.
    """
    module_name, _, name = path.partition(":")
    if module_name == "__main__":
        raise StudyFileError(
            f"trainer {path!r} must name a module that workers can import, got the script that "
            f"was started: save the function in a file beside the study file, e.g. own.py, and "
            f'write trainer = "own:{name}"'
        )
    if module_name.endswith(".py"):
        right = f"{module_name.removesuffix('.py')}:{name}"
        raise StudyFileError(f"trainer {path!r} must name a module, not its file: write {right!r}")
    try:
        function = getattr(load_module(module_name), name)
    except (Exception, SystemExit) as error:
        raise StudyFileError(
            f"trainer {path!r} must be importable as module:function, beside the study file or "
            f"on the Python path, got {type(error).__name__}: {error}"
        ) from error
    if not callable(function):
        raise StudyFileError(f"trainer {path!r} must be a function, got {type(function).__name__}")
    return function  # type: ignore[no-any-return]


def load_training_function(path: str) -> Callable[..., Any]:
    """The training function behind "module:name".

    Raises:
        StudyFileError: there is none, or it takes other arguments.
    """
    function = load_function(path)
    if isinstance(function, type) and hasattr(function, "fit"):
        right = path.replace(":", ".")
        raise StudyFileError(
            f"trainer {path!r} must be written with a dot, as an estimator's class: {right!r}"
        )
    _check_arguments(path, function)
    return function


def _check_arguments(path: str, function: Callable[..., Any]) -> None:
    """
    Raises:
        StudyFileError: the function can't be called as a training function.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C: it tells none
        return
    try:
        signature.bind(None, None, None, **dict.fromkeys(_wanted(signature)))
    except TypeError:
        name = path.partition(":")[2]
        raise StudyFileError(
            f"trainer {path!r} must take params, data and seed, in this order, and may take "
            f"n_epochs and state by name, got {name}{signature}: write "
            f"def {name}(params, data, seed, state=None)"
        ) from None


def _wanted(signature: inspect.Signature) -> list[str]:
    """The arguments that a function takes beside params, data and seed."""
    return [name for name in ("n_epochs", "state") if name in signature.parameters]


def _shown(value: object) -> str:
    """A value with its type, in a line."""
    if value is None:
        return "None"
    text = " ".join(repr(value).split())
    return f"{type(value).__name__} {text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'}"


class FunctionTrainer(Trainer):
    """Iterates `function(params, data, seed)`, which yields a dict of metrics an epoch.

    The function may take two more arguments by name: `n_epochs`, the full training length, and
    `state`. With `state` it yields (metrics, state) pairs, where state is anything that pickles;
    when a trial continues it is called with the last one. Without, a continued trial is trained
    anew from the start with the same seed, and the epochs it had are passed over.

    A function that ends before the epochs do has decided so: its last metrics stand for the later
    epochs too.
    """

    components: ClassVar[tuple[type, ...]] = ()
    exact_state: ClassVar[bool] = False  # a pickle: bytes tell how objects were shared, too

    def __init__(self, members: Sequence[Member], data: TrainingData, *, n_epochs: int) -> None:
        (member,) = members
        params = {k: v for k, v in member.params.items() if k not in ("trainer", "network")}
        params = deepcopy(params)  # it may change a list, and a later slice gets it whole
        function = load_training_function(str(member.params["trainer"]))
        self._name = str(member.params["trainer"])
        arguments = _wanted(inspect.signature(function))
        extra: dict[str, Any] = {}
        if "n_epochs" in arguments:
            extra["n_epochs"] = n_epochs
        self.pausable = "state" in arguments
        self._epoch, self._reported, self._state = 0, 0, None
        self._names: list[str] | None = None  # of the metrics, once it has yielded
        self._last: dict[str, float] | None = None  # that it yielded
        self._ended = 0
        if member.state is not None:
            saved = pickle.loads(member.state)
            self._reported, self._ended = saved["epoch"], saved.get("ended", 0)
            if self.pausable or self._ended:
                self._last = saved.get("last")
                self._epoch, self._state = saved["epoch"], saved["state"]
                self._names = saved["names"]
        if self.pausable:
            extra["state"] = self._state
        split = data.splits[member.split]
        seen = FunctionData(
            data.floats(split.train, data.precision),
            data.labels[split.train],
            data.floats(split.validation, data.precision),
            data.labels[split.validation],
            data.n_classes,
        )
        seed = int(np.random.SeedSequence(member.entropy).generate_state(1)[0])
        self._iterator: Iterator[Any] = iter(())
        if not self._ended:
            self._iterator = self._iterated(function(params, seen, seed, **extra))

    def run(
        self, until: int, schedule: Schedule = EVERY_EPOCH, around: Around = nullcontext
    ) -> Iterator[Progress]:
        while self._epoch < until:
            metrics = self._next(around)
            self._epoch += 1
            if self._epoch <= self._reported:
                continue
            if not schedule.due(self._epoch, until):
                metrics = {}
            yield Progress(
                self._epoch,
                {name: np.array([value]) for name, value in metrics.items()},
                np.array([False]),  # which of its metrics must be finite, the study says
            )

    def _iterated(self, returned: Any) -> Iterator[Any]:
        """What a function returned, if epochs can be taken from it."""
        if isinstance(returned, Iterable) and not isinstance(returned, Mapping | str | tuple):
            return iter(returned)
        raise ValueError(
            f"{self._name} must yield a dict of metrics after every epoch, got a return of "
            f"{_shown(returned)}: write yield where it says return"
        )

    def _next(self, around: Around) -> Mapping[str, float]:
        """The metrics of an epoch; after the function's end those it ended with."""
        if not self._ended:
            try:
                with around():  # the function scores too, in one go
                    item = next(self._iterator)
            except StopIteration:
                self._ended = self._epoch
            else:
                self._last = self._metrics(item)
        if self._last is None:
            raise ValueError(
                f"{self._name} must yield metrics after every epoch, got none: yield a dict such "
                'as {"validation_accuracy": 0.9}'
            )
        return self._last

    def ended(self, row: int) -> int:
        return self._ended

    def _metrics(self, item: Any) -> dict[str, float]:
        if self.pausable:
            if not (isinstance(item, tuple) and len(item) == 2):
                raise ValueError(
                    f"{self._name} must yield (metrics, state), as it takes a state, "
                    f"got {_shown(item)}"
                )
            item, self._state = item
        if not isinstance(item, Mapping):
            raise ValueError(
                f"{self._name} must yield a dict of metrics, got {_shown(item)}: yield e.g. "
                '{"validation_accuracy": 0.9}'
            )
        metrics = {str(name): self._number(name, value) for name, value in item.items()}
        if self._names is None:
            self._check_names(list(metrics))
        elif list(metrics) != self._names:
            raise ValueError(
                f"{self._name} must yield the same metrics every epoch, in the same order, got "
                f"{', '.join(metrics) or 'none'} after {', '.join(self._names)}"
            )
        return metrics

    def _number(self, metric: Any, value: Any) -> float:
        one = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
        if not isinstance(one, str | bytes):  # which float() would read
            with suppress(TypeError, ValueError):
                return float(one)
        raise ValueError(
            f"{self._name} must yield a number for the metric {str(metric)!r}, got {_shown(value)}"
        )

    def _check_names(self, names: list[str]) -> None:
        for name in names:
            if not NAME.fullmatch(name):
                raise ValueError(
                    f"{self._name} must name its metrics by {NAME_RULE}, got {name!r}"
                )
        self._names = names

    def state(self, row: int) -> bytes | None:
        return pickle.dumps(
            {
                "epoch": self._epoch,
                "state": self._state,
                "names": self._names,
                "last": self._last,
                "ended": self._ended,
            }
        )
