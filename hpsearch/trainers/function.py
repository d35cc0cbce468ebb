"""A user's own training function as a trainer."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.table_columns import data_frame
from hpsearch.errors import StudyFileError
from hpsearch.hyperparameters import NAME, NAME_RULE
from hpsearch.own_code import load_module
from hpsearch.trainers.answers import GivenAnswers
from hpsearch.trainers.answers.of_functions import Told, answers, apart, problem
from hpsearch.trainers.base import (
    EVERY_EPOCH,
    Around,
    Member,
    Progress,
    Schedule,
    Trainer,
    TrainingData,
)
from hpsearch.trainers.commands import is_program
from hpsearch.trainers.function_checkpoint import CheckpointFolder

Scorer = Callable[[NDArray[Any], NDArray[Any]], Any]
# Arguments that a function may take beside params, data and seed.
BY_NAME = ("n_epochs", "state", "final", "checkpoint")
SHOWN = 80  # characters of a value in a message


@dataclass(frozen=True)
class FunctionData:
    """What a training function receives as `data`.

    Attributes:
        x_train: (N, D) scaled inputs; float64 of a table that holds such numbers, else float32.
            Of a table with columns that are no numbers a pandas DataFrame with their names:
            categories, booleans, dates and texts as pandas has them, and gaps as they are.
        y_train: (N,) classes, or the numbers to predict.
        x_validation, y_validation: what yielded metrics must be measured on. In the final test
            None for a function that takes `final`; for others the test set, and that they read it
            is noted.
        n_classes: K; 0 where numbers are predicted.
        weights_train, weights_validation: (N,) how much each row counts, in training and in
            scores, where the study says so; else None.
    """

    x_train: Any
    y_train: NDArray[Any]
    x_validation: Any
    y_validation: NDArray[Any] | None
    n_classes: int
    weights_train: NDArray[np.float64] | None = None
    weights_validation: NDArray[np.float64] | None = None


def _inputs(data: TrainingData, rows: NDArray[np.intp]) -> Any:
    """Rows as a function takes them: numbers (n, D), or a data frame of what are no numbers."""
    columns = data.table_columns
    if all(column.kind in ("number", "boolean") for column in columns):
        return data.floats(rows, data.precision)
    texts = {place: texts[rows] for place, texts in data.texts.items()}
    return data_frame(columns, data.inputs[rows], texts)


@dataclass
class _Reads:
    """Whether the validation side was read, of a `_Watched` and all that come from it."""

    any: bool = False


SEALED = ("x_validation", "y_validation", "weights_validation", "__dict__", "__getstate__")


@dataclass(frozen=True)
class _Watched(FunctionData):
    """The same, which notes whether the validation side is read, or copied, or pickled.

    Attributes:
        reads: where it notes it.
    """

    reads: _Reads = field(default_factory=_Reads, repr=False, compare=False)

    def __getattribute__(self, name: str) -> Any:
        if name in SEALED:
            object.__getattribute__(self, "reads").any = True
        return super().__getattribute__(name)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """What `copy` and `pickle` make another one of: plain data, as this one counts as read."""
        return FunctionData, tuple(getattr(self, item.name) for item in fields(FunctionData))


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


def makes_estimator(trainer: str) -> bool:
    """Whether a trainer's name is that of a function that makes an estimator: it takes one
    argument, params, and does not yield. A training function takes a seed too."""
    if ":" not in trainer or is_program(trainer):
        return False
    try:
        function = load_function(trainer)
        signature = inspect.signature(function)
    except (StudyFileError, TypeError, ValueError):
        return False
    if isinstance(function, type) or inspect.isgeneratorfunction(function):
        return False
    return [_binds(signature, count) for count in (1, 2, 3)] == [True, False, False]


def is_training_function(trainer: str) -> bool:
    """Whether a trainer's name is that of a training function, be it there or not."""
    return ":" in trainer and not is_program(trainer) and not makes_estimator(trainer)


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
    if {"state", "checkpoint"} <= signature.parameters.keys():
        raise StudyFileError(
            f"trainer {path!r} must take state or checkpoint, got both: a checkpoint is for a "
            "state that is too large to pass between processes"
        )
    if not _binds(signature, 3 if _takes_data(function) else 2):
        name = path.partition(":")[2]
        raise StudyFileError(
            f"trainer {path!r} must take params, data and seed, in this order, or params and seed "
            f"where it brings its own data, and may take {', '.join(BY_NAME)} by name, got "
            f"{name}{signature}: write def {name}(params, data, seed, state=None)"
        )


def _binds(signature: inspect.Signature, count: int) -> bool:
    """Whether it can be called with so many arguments, and those that it takes by name."""
    try:
        signature.bind(*[None] * count, **dict.fromkeys(_wanted(signature)))
    except TypeError:
        return False
    return True


def _wanted(signature: inspect.Signature) -> list[str]:
    """Which of BY_NAME a function takes."""
    return [name for name in BY_NAME if name in signature.parameters]


def takes_data(trainer: str) -> bool:
    """Whether a trainer is given data; all are but functions of params and seed alone.

    Raises:
        StudyFileError: there is no such function.
    """
    if not is_training_function(trainer):
        return True
    return _takes_data(load_training_function(trainer))


def _takes_data(function: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    return [*signature.parameters][1:2] != ["seed"]


def takes_state(trainer: str) -> bool:
    """Whether a trainer's name is that of a function of one's own that goes on after a pause: from
    a state, or from a checkpoint."""
    return _takes(trainer, "state") or _takes(trainer, "checkpoint")


def takes_final(trainer: str) -> bool:
    """Whether a trainer's name is that of a function that is told of the final test."""
    return _takes(trainer, "final")


def _takes(trainer: str, argument: str) -> bool:
    if not is_training_function(trainer):
        return False
    return argument in _wanted(inspect.signature(load_training_function(trainer)))


def _shown(value: object) -> str:
    """A value with its type, in a line."""
    if value is None:
        return "None"
    text = " ".join(repr(value).split())
    return f"{type(value).__name__} {text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'}"


class FunctionTrainer(Trainer):
    """Iterates `function(params, data, seed)`, which yields a dict of metrics an epoch.

    A function of params and seed alone brings its own data; it yields metrics and is not tested.

    The function may take two more arguments by name: `n_epochs`, the full training length, and
    `state` or `checkpoint`. With `state` it yields (metrics, state) pairs, where state is anything
    that pickles; when a trial continues it is called with the last one. Without, a continued trial
    is trained anew from the start with the same seed, and the epochs it had are passed over.

    With `checkpoint`, a path of its own, it yields (metrics, epoch) pairs, saves there what it
    has learned before it yields, and goes on from what it finds.

    In place of the metrics it may yield a function of (x, y) that returns them: it is called with
    the validation side after every epoch, and in the final test once, after the last one, with
    the test set, whatever the pauses. A function that takes `final` is told that it is the final
    test, has no validation side there, and must yield such a function.

    Beside metrics it may yield what it predicts for the validation side, as `predictions` or
    `probabilities` (answers.of_functions), from which the study computes scores.

    A function that ends before the epochs do has decided so: its last metrics stand for the later
    epochs too.
    """

    components: ClassVar[tuple[type, ...]] = ()
    exact_state: ClassVar[bool] = False  # a pickle: bytes tell how objects were shared, too

    def __init__(self, members: Sequence[Member], data: TrainingData, *, n_epochs: int) -> None:
        (self._member,) = members
        self._data, self._n_epochs = data, n_epochs
        self._name = str(self._member.params["trainer"])
        self._function = load_training_function(self._name)
        self._arguments = _wanted(inspect.signature(self._function))
        self._final, self._takes_final = data.final, "final" in self._arguments
        self._paired = "state" in self._arguments or "checkpoint" in self._arguments
        self.pausable = self._paired
        self._epoch, self._reported, self._state = 0, 0, None
        self._names: list[str] | None = None  # of the metrics, once it has yielded
        self._last: dict[str, float] | None = None  # that it yielded
        self._told: Told = {}  # what it predicted, beside these
        self._scorer: Scorer | None = None  # that it yielded, not called yet
        self._ended = 0
        self._reads = _Reads()
        self._checkpoint: CheckpointFolder | None = None
        self._kept: dict[int, dict[str, Any]] = {}  # metrics beside the checkpoint, by epoch
        self._yielded, self._at = False, 0  # since it was begun; the epoch that it was at
        if "checkpoint" in self._arguments:
            self._checkpoint = CheckpointFolder(self._member.folder)
            self._kept = self._checkpoint.known()
        if self._member.state is not None:
            self._take_up(pickle.loads(self._member.state))
        self._takes_data = _takes_data(self._function)
        split = data.splits[self._member.split]
        self._scored = _inputs(data, split.validation), data.labels[split.validation]
        self._iterator = iter(()) if self._ended else self._begun()

    def _take_up(self, saved: Mapping[str, Any]) -> None:
        """Go on from a state, if the function can; else it is trained from its start."""
        self._reported, ended = saved["epoch"], saved.get("ended", 0)
        if ended and saved.get("last") is None:  # what was to be scored at the end is gone
            return
        if self.pausable or ended:
            self._epoch, self._state, self._ended = saved["epoch"], saved["state"], ended
            self._names, self._last = saved["names"], saved.get("last")
            self._told = saved.get("told", {})

    def _begun(self) -> Iterator[Any]:
        """What the function yields from the epoch on that it has reached."""
        member, data = self._member, self._data
        split = data.splits[member.split]
        hidden, weights = self._final and self._takes_final, data.weights
        shown = (None, None) if hidden else self._scored
        seen = _Watched(
            x_train=_inputs(data, split.train),
            y_train=data.labels[split.train],
            x_validation=shown[0],
            y_validation=shown[1],
            n_classes=data.n_classes,
            weights_train=data.training_weights(split),
            weights_validation=None if hidden or weights is None else weights[split.validation],
            reads=self._reads,
        )
        params = {k: v for k, v in member.params.items() if k not in ("trainer", "network")}
        params = deepcopy(params)  # it may change a list, and a later slice gets it whole
        seed = int(np.random.SeedSequence(member.entropy).generate_state(1)[0])
        if self._checkpoint is not None and not (self._kept or self._reported):
            self._checkpoint.forget()  # of a start before a kill, which nobody knows
        known = {
            "n_epochs": self._n_epochs,
            "state": self._state,
            "final": self._final,
            "checkpoint": self._checkpoint and self._checkpoint.path,
        }
        extra = {name: known[name] for name in self._arguments}
        given = (params, seen, seed) if self._takes_data else (params, seed)
        return self._iterated(self._function(*given, **extra))

    def run(
        self, until: int, schedule: Schedule = EVERY_EPOCH, around: Around = nullcontext
    ) -> Iterator[Progress]:
        while self._epoch < until:
            self._advance(around)
            self._epoch += 1
            due = schedule.due(self._epoch, until)
            # Of the test set once; else after every epoch, as what it draws must not depend on
            # when it is due.
            metrics = self._measured() if due or not self._final else {}
            known = metrics or self._told
            if self._checkpoint is not None and known and self._epoch not in self._kept:
                told = {key: values.tolist() for key, values in self._told.items()}
                self._checkpoint.note(self._epoch, {**metrics, **told})
            if self._epoch <= self._reported:
                continue
            if not due:
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
            f"{_shown(returned)}: write yield instead of return"
        )

    def _advance(self, around: Around) -> None:
        """Train for an epoch; after the function's end nothing changes any more."""
        if self._ended:
            return
        if self._epoch + 1 in self._kept and not self._final:
            self._last, self._scorer = self._metrics(self._kept[self._epoch + 1]), None
            return
        while True:
            try:
                with around():  # a function that yields metrics scores too, in one go
                    item = next(self._iterator)
            except StopIteration:
                self._end(around)
                return
            self._take(item)
            if self._checkpoint is None or self._at == self._epoch + 1:
                return
            if self._at > self._epoch:  # epochs are missing, whose metrics nobody has
                self._start_anew(around)
                return

    def _end(self, around: Around) -> None:
        """The function yields no more."""
        if self._checkpoint is not None and self._epoch and not self._yielded:
            self._start_anew(around)  # its checkpoint is further than what is known of it
            return
        if self._last is not None or self._scorer is not None:
            self._ended = self._epoch
            return
        if not self._epoch:
            raise ValueError(
                f"{self._name} must yield metrics after every epoch, got none: yield a dict "
                'such as {"validation_accuracy": 0.9}'
            )
        # It paused after its last epoch in the final test, where nothing is scored before the
        # end. Training from the start is what gives once more what can be scored.
        self._start_anew(around)

    def _start_anew(self, around: Around) -> None:
        """Train from the start, passing over what is known."""
        if self._checkpoint is not None:
            self._checkpoint.forget()
        self._epoch, self._state, self._kept = 0, None, {}
        self._yielded = True  # once is enough
        self._iterator = self._begun()
        self._advance(around)

    def _take(self, item: Any) -> None:
        """Keep what the function yielded."""
        if self._paired:
            second = "state" if self._checkpoint is None else "epoch"
            taken = "a state" if self._checkpoint is None else "a checkpoint"
            if not (isinstance(item, tuple) and len(item) == 2):
                raise ValueError(
                    f"{self._name} must yield (metrics, {second}), as it takes {taken}, "
                    f"got {_shown(item)}"
                )
            item, value = item
            if self._checkpoint is None:
                self._state = value
            elif not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"{self._name} must yield the epoch, a whole number from 1, beside its "
                    f"metrics, got {_shown(value)}"
                )
            else:
                self._at, self._yielded = value, True
        self._last, self._scorer = None, None
        if callable(item) and not isinstance(item, Mapping):
            self._scorer = item
            return
        if self._final and self._takes_final:
            raise ValueError(
                f"{self._name} must yield a function of (x, y) in the final test, where it has no "
                f"validation data, got {_shown(item)}: write def scores(x, y) that returns the "
                "metrics, and yield scores"
            )
        self._last = self._metrics(item)

    def _measured(self) -> dict[str, float]:
        """The metrics of the last epoch that was trained."""
        if self._scorer is not None:
            self._last = self._metrics(self._scorer(*self._scored))
            self._scorer = None
        assert self._last is not None
        return self._last

    def answers(self, row: int, part: str) -> GivenAnswers | None:
        return answers(self._told, self._data.n_classes) if part == "validation" else None

    def ended(self, row: int) -> int:
        return self._ended

    def saw_test(self, row: int) -> bool:
        return self._final and not self._takes_final and self._reads.any

    def _metrics(self, item: Any) -> dict[str, float]:
        if not isinstance(item, Mapping):
            raise ValueError(
                f"{self._name} must yield a dict of metrics, got {_shown(item)}: yield e.g. "
                '{"validation_accuracy": 0.9}'
            )
        item, self._told = apart(item)
        wrong = problem(self._told, len(self._scored[1]), self._data.n_classes)
        if wrong:
            raise ValueError(f"{self._name} {wrong}")
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
        # In the final test a scorer may wait for the end: it does not pickle, and is not kept.
        return pickle.dumps(
            {
                "epoch": self._epoch,
                "state": self._state,
                "names": self._names,
                "last": self._last,
                # Of one that is trained from its start again the next epoch has its own.
                "told": self._told if self._ended or self._paired else {},
                "ended": self._ended,
            }
        )
