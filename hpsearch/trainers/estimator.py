"""scikit-learn's classifiers and regressors as trainers, by their import path.

What an epoch is depends on what the estimator can do:

    passes   it has partial_fit and max_iter: an epoch is one pass over the shuffled rows;
    growth   it has warm_start and grows trees: after epoch e of E it has ceil(n e / E) of the
             n = n_estimators (or max_iter, of histogram boosting) that it has at full length;
    once     all others: fitted whole in the first epoch; later epochs repeat its scores.

Ensembles of LightGBM, XGBoost and CatBoost grow too, see `boosters`.
"""

from __future__ import annotations

import inspect
import math
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.errors import StudyFileError, nearest, unknown
from hpsearch.hyperparameters import Hyperparameter, build, hyperparameter
from hpsearch.metrics import TREES, TREES_GROWN
from hpsearch.own_code import is_installed, load_module
from hpsearch.preparation.settings import TableNeeds
from hpsearch.trainers.answers import EstimatorAnswers
from hpsearch.trainers.base import (
    EVERY_EPOCH,
    Around,
    Indices,
    Member,
    Progress,
    Schedule,
    Task,
    Trainer,
    TrainingData,
)
from hpsearch.trainers.boosters import (
    LIBRARIES,
    Ensemble,
    FittedBooster,
    Library,
    library_in,
    library_of,
)
from hpsearch.trainers.boosters.early_stopping import Watched
from hpsearch.trainers.estimators import own
from hpsearch.trainers.estimators.rules import Curve, curve_of, judge, kind_of, task_of
from hpsearch.trainers.fitted_estimator import FittedEstimator
from hpsearch.trainers.function import load_function

Mean = Callable[[NDArray[Any]], float]  # of a value of each row, by the rows' weights
OURS = ("random_state", "warm_start")  # arguments that the trainer sets
# Modules whose estimators split columns by order.
TREE_MODULES = ("sklearn.tree.", "sklearn.ensemble.")
MAKE = (  # what to do for an estimator that needs arguments
    "A pipeline, or any estimator that needs arguments, is made by a function of your own: "
    'def make(params) in own.py returns it, and the study says trainer = "own:make"'
)
# In scikit-learn's messages where weights are no longer finite.
OVERFLOW = ("overflow", "non-finite")


@dataclass(frozen=True)
class PassSettings:
    """What a trainer takes beside the arguments of an estimator that learns in passes."""

    batch_size: int = hyperparameter(
        32, low=1, unit="examples", why="as for networks; one call of partial_fit each"
    )


@dataclass(frozen=True)
class Estimator:
    """A class of scikit-learn's kind, and what it can do.

    Attributes:
        path: its import path, e.g. "sklearn.svm.SVC".
        make: the class; or the function of one's own that makes it.
        arguments: its constructor's arguments with their defaults, but for OURS and, where it
            learns in passes, max_iter: the study's stages say how many.
        task: what it predicts.
        curve: what an epoch is, see above.
        size: the argument that counts its trees, where they grow.
        library: of boosting, that it comes from; None: of none.
        made: what a function of one's own returns for no params; None: `make` is a class. Then
            `arguments` are those inside it, and the function may take others.
    """

    path: str
    make: Any
    arguments: Mapping[str, object]
    task: Task
    curve: Curve
    size: str
    library: Library | None = None
    made: Any = None

    @property
    def refused(self) -> Mapping[str, str]:
        """Names that it knows and a study must not use, with what must hold instead."""
        if self.made is not None:
            return own.refused_in(self.made)
        return {} if self.library is None else self.library.refused(self.make)

    @property
    def components(self) -> tuple[type, ...]:
        """Settings beside its arguments; it may divide its rows into mini-batches itself."""
        ours = self.curve == "passes" and "batch_size" not in self.arguments
        return (PassSettings,) if ours else ()

    @property
    def takes_weights(self) -> bool:
        """Whether what it learns with takes a weight of each row."""
        if self.library is not None:
            return True
        made = self.make if self.made is None else self.made
        method = made.partial_fit if self.curve == "passes" else made.fit
        return "sample_weight" in inspect.signature(method).parameters

    @property
    def metrics(self) -> tuple[str, ...]:
        """What it may report every epoch; the loss only where it gives probabilities."""
        if self.task == "regression":
            names = ["mse", "r2"]
        else:
            make = self.make if self.made is None else type(own.last_step(self.made)[1])
            names = ["loss"] * hasattr(make, "predict_proba") + ["accuracy"]
        return tuple(f"{part}_{name}" for part in ("train", "validation") for name in names)

    @property
    def needs(self) -> TableNeeds:
        """What it asks of a table: trees take columns as they are, and some of them gaps."""
        if self.library is not None:
            return TableNeeds(by_order=True, takes_gaps=True)
        made = self.make() if self.made is None else own.last_step(self.made)[1]
        by_order = type(made).__module__.startswith(TREE_MODULES)
        return TableNeeds(by_order, by_order and _takes_gaps(made))

    def hyperparameters(self) -> dict[str, Hyperparameter]:
        """Its arguments by name. Those a study does not name stay the estimator's own default."""
        return {
            name: Hyperparameter(
                name,
                kind=object if self.library else kind_of(self.make, default),
                default=None,
                why="the estimator's own default",
                judge=partial(self._judge, name),
            )
            for name, default in self.arguments.items()
        }

    def _judge(self, name: str, value: object) -> str | None:
        if self.made is not None:
            return own.problem_inside(self.made, name, value)
        return (self.library.problem if self.library else judge)(self.make, name, value)


def find_estimator(path: str) -> Estimator:
    """The estimator behind "package.module.Class", or behind "module:make" of one's own.

    Raises:
        StudyFileError: it can't be imported, or is neither a classifier nor a regressor.
    """
    return _own_estimator(path, load_function(path)) if ":" in path else load_estimator(path)


@lru_cache
def _own_estimator(path: str, function: Callable[..., Any]) -> Estimator:
    """The estimator that a function makes; another one where its module was loaded anew."""
    try:
        made = own.make_with(path, function, {})
        task = task_of(made)
    except Exception as error:
        text = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise StudyFileError(
            f"trainer {path!r} must make a classifier or regressor even if params is "
            f'empty, got {text}. Write params.get("C", 1.0) for a parameter that may be missing'
        ) from error
    curve, size = own.curve_inside(made)
    return Estimator(path, function, own.arguments_of(made), task, curve, size, made=made)


@lru_cache
def load_estimator(path: str) -> Estimator:
    """The classifier or regressor behind "package.module.Class".

    Raises:
        StudyFileError: it can't be imported, or is neither.
    """
    module_name, _, name = path.rpartition(".")
    try:
        names = vars(load_module(module_name))
    except (Exception, SystemExit) as error:
        booster = library_in(path)
        if booster is not None and isinstance(error, ModuleNotFoundError):
            raise StudyFileError(
                f"trainer {path!r} needs the package {booster.name}, which is not installed here: "
                f"pip install 'hpsearch[{booster.name}]'"
            ) from error
        raise StudyFileError(
            f"trainer {path!r} must be importable as package.module.Class, "
            f"got {type(error).__name__}: {error}"
        ) from error
    if not _fits(names.get(name)):
        raise _no_class(path, names)
    make = names[name]
    library = library_of(make)
    if library is not None and "Ranker" in make.__name__:
        raise StudyFileError(
            f"trainer {path!r} must predict classes or numbers, got a ranker: it learns the order "
            "of rows within a query, for which [data] has no key; "
            f"take {path.replace('Ranker', 'Regressor')} on their relevance"
        )
    try:
        made = make()
        task = task_of(made)
    except Exception as error:
        raise StudyFileError(
            f"trainer {path!r} must be a scikit-learn classifier or regressor that can be made "
            f"without arguments, got {type(error).__name__}: {error}. {MAKE}"
        ) from error
    if library is not None:
        grows: Curve = "growth" if library.grows(make) else "once"
        known = library.arguments(make)
        return Estimator(path, make, known, task, grows, "n_estimators", library)
    known = made.get_params(deep=False)
    curve, size = curve_of(make, known)
    ours = (*OURS, "max_iter") if curve == "passes" else OURS
    arguments = {name: default for name, default in known.items() if name not in ours}
    return Estimator(path, make, arguments, task, curve, size)


def _no_class(path: str, names: Mapping[str, object]) -> StudyFileError:
    """The error for a path that leads to no estimator; it may be a function's.

    Args:
        names: what the module has.
    """
    module_name, _, name = path.rpartition(".")
    if inspect.isfunction(names.get(name)) and is_installed(module_name):
        return StudyFileError(f"trainer {path!r} must be a class, got a function. {MAKE}")
    if inspect.isfunction(names.get(name)):
        return StudyFileError(
            f"trainer {path!r} must be written with a colon, as a function of your own: "
            f"'{module_name}:{name}'"
        )
    classes = [n for n, value in names.items() if _fits(value)]
    if classes:
        return StudyFileError(f"class of {module_name} {unknown(name, classes)}")
    functions = [
        n for n, f in names.items() if inspect.isfunction(f) and f.__module__ == module_name
    ]
    written = f"; functions are written '{module_name}:NAME'" if functions else ""
    return StudyFileError(
        f"trainer {path!r} must be a class with fit and predict, got a module without any"
        f"{nearest(name, functions)}{written}"
    )


def _takes_gaps(made: Any) -> bool:
    """Whether an estimator says that it learns from NaN."""
    from sklearn.utils import get_tags

    try:
        return bool(get_tags(made).input_tags.allow_nan)
    except Exception:  # one that says nothing of itself
        return False


def _fits(found: object) -> bool:
    return isinstance(found, type) and hasattr(found, "fit") and hasattr(found, "predict")


class EstimatorTrainer(Trainer):
    """Fits one scikit-learn estimator; an epoch is what its `curve` says.

    Its random_state is the member's seed. Inputs are scaled like a network's, in float32, or
    in float64 where the table is. Warnings of the estimator (no convergence, labels deprecated)
    are not shown: a search would repeat them a thousand times. A pass that overflows is
    divergence; anything else an estimator refuses is an exception.
    """

    components: ClassVar[tuple[type, ...]] = (PassSettings,)
    exact_state: ClassVar[bool] = False  # a pickle: bytes tell how objects were shared, too

    def __init__(self, members: Sequence[Member], data: TrainingData, *, n_epochs: int) -> None:
        (member,) = members
        self._estimator = find_estimator(str(member.params["trainer"]))
        self._n_epochs, self._n_classes = n_epochs, data.n_classes
        self._n_inputs, self._scale = data.n_inputs, data.scale
        self._model = _made(self._estimator, member)
        if self._estimator.made is not None:  # its params may have made it another one
            curve, size = own.curve_inside(self._model)
            self._estimator = replace(self._estimator, curve=curve, size=size)
        self._size = _size(self._estimator, self._model)
        split = data.splits[member.split]
        self._learned = self._inputs(data, split.train), data.labels[split.train]
        self._weights = data.training_weights(split)
        self._parts = {
            part: self._learned
            if rows is split.train  # no second copy of a large table
            else (self._inputs(data, rows), data.labels[rows])
            for part, rows in split.parts().items()
        }
        self._mean = {part: partial(_mean, data, rows) for part, rows in split.parts().items()}
        self._rng = member.generator()
        self._epoch, self._scores = 0, dict[str, float]()
        self._stale = True  # the scores are not the model's
        self._ended = 0  # the epoch in which its trees were enough, of those that stop early
        self._overflowed = False  # it has no model any more; found out where it is scored
        self._watched: Watched | None = None
        if self._estimator.library is not None and not data.final:
            weights = None if data.weights is None else data.weights[split.validation]
            self._watched = Watched(*self._parts["validation"], weights)
        self._batch_size = len(split.train)
        if self._estimator.components:
            self._batch_size = build(PassSettings, member.params).batch_size
        if member.state is not None:
            saved = pickle.loads(member.state)
            self._epoch, self._model = saved["epoch"], saved["model"]
            self._scores, self._stale = saved["scores"], saved["stale"]
            self._overflowed, self._ended = saved["overflowed"], saved.get("ended", 0)
            self._rng.bit_generator.state = saved["generator"]

    def _inputs(self, data: TrainingData, rows: Indices) -> NDArray[Any]:
        """What it learns from or predicts, (n, D); its own, where it might write to it."""
        inputs = data.floats(rows, data.precision)
        shared = not inputs.flags.writeable
        return inputs.copy() if shared and _may_write(self._estimator, self._model) else inputs

    def run(
        self, until: int, schedule: Schedule = EVERY_EPOCH, around: Around = nullcontext
    ) -> Iterator[Progress]:
        while self._epoch < until:
            scored = schedule.due(self._epoch + 1, until)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._train_epoch(scored, around)
            self._epoch += 1
            scores = self._scores if scored else {}
            yield Progress(
                self._epoch,
                {name: np.array([value]) for name, value in scores.items()},
                np.array([self._overflowed and scored]),
            )

    def _train_epoch(self, scored: bool, around: Around) -> None:
        try:
            if self._overflowed:
                return
            with around():
                self._stale = self._advance() or self._stale
            if scored and self._stale:
                self._scores, self._stale = self._evaluate(), False
        except ValueError as error:
            if not any(word in str(error).lower() for word in OVERFLOW):
                raise
            self._scores = dict.fromkeys(self._estimator.metrics, math.nan)
            self._overflowed = True

    def _advance(self) -> bool:
        """Learn for an epoch; False where nothing changes any more."""
        x, y = self._learned
        if self._estimator.curve == "passes":
            self._pass(x, y)
            return True
        if self._estimator.curve == "growth":
            before, now = self._grown(self._epoch), self._grown(self._epoch + 1)
            if before == now:
                return False
            self._model.set_params(**{self._estimator.size: now})
        elif self._epoch:
            return False
        if isinstance(self._model, Ensemble):
            if self._model.ended:
                return False
            self._model.fit(x, y, self._weights, self._watched)
            self._ended = self._epoch + 1 if self._model.ended else 0
            return True
        self._model.fit(x, y, **self._weighed(slice(None)))
        return True

    def _weighed(self, rows: Any) -> dict[str, NDArray[np.float64]]:
        """The weights of these training rows, as an estimator takes them."""
        return {} if self._weights is None else {"sample_weight": self._weights[rows]}

    def _grown(self, epoch: int) -> int:
        """Trees after an epoch, ceil(n e / E)."""
        return -(-self._size * epoch // self._n_epochs)

    def _pass(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        known = {"classes": np.arange(self._n_classes)} if self._n_classes else {}
        order = self._rng.permutation(len(y))
        for start in range(0, len(y), self._batch_size):
            rows = order[start : start + self._batch_size]
            self._model.partial_fit(x[rows], y[rows], **known, **self._weighed(rows))

    def _evaluate(self) -> dict[str, float]:
        score = _regression if self._estimator.task == "regression" else _classification
        scores = {
            f"{part}_{name}": value
            for part, (x, y) in self._parts.items()
            for name, value in score(self._model, x, y, self._mean[part])
        }
        counts = self._model.counts if isinstance(self._model, Ensemble) else ()
        return scores | dict(zip((TREES, TREES_GROWN), map(float, counts), strict=False))

    def predictions(self, row: int) -> NDArray[np.int64] | None:
        if self._estimator.task == "regression":
            return None
        predicted: NDArray[np.int64] = self._model.predict(self._parts["validation"][0])
        return predicted

    def answers(self, row: int, part: str) -> EstimatorAnswers:
        return EstimatorAnswers(self._model, self._parts[part][0], self._n_classes)

    def ended(self, row: int) -> int:
        return self._ended if self._ended < self._n_epochs else 0  # it had all its epochs

    def fitted(self, row: int) -> FittedEstimator | FittedBooster:
        make = FittedBooster if self._estimator.library else FittedEstimator
        return make(
            self._model, self._n_inputs, self._n_classes, self._scale, self._learned[0].dtype.name
        )

    def state(self, row: int) -> bytes | None:
        return pickle.dumps(
            {
                "epoch": self._epoch,
                "scores": self._scores,
                "stale": self._stale,
                "overflowed": self._overflowed,
                "ended": self._ended,
                "model": self._model,
                "generator": self._rng.bit_generator.state,
            }
        )


def _may_write(estimator: Estimator, model: Any) -> bool:
    """Whether an estimator may write to its inputs: one's own, or one that is told not to copy."""
    made = estimator.make if isinstance(model, Ensemble) else type(model)
    if made.__module__.partition(".")[0] not in ("sklearn", *LIBRARIES) or estimator.made:
        return True
    params = {} if isinstance(model, Ensemble) else model.get_params(deep=True)
    copies = (v for name, v in params.items() if name.rpartition("__")[2].startswith("copy"))
    return any(copy is False for copy in copies)


def _size(estimator: Estimator, model: Any) -> int:
    """Trees that an estimator has at full length; 0 where none grow."""
    if estimator.made is not None:
        return int(model.get_params(deep=True).get(estimator.size, 0))
    return int(getattr(model, estimator.size, 0))


def _made(estimator: Estimator, member: Member) -> Any:
    """The estimator of a member's hyperparameters and seed."""
    if estimator.made is not None:
        made = own.make_with(estimator.path, estimator.make, member.params)
        if task_of(made) != estimator.task:
            raise ValueError(
                f"{estimator.path} must return an estimator for {estimator.task} whatever its "
                f"params, got {type(made).__name__}"
            )
        own.settle(made, member.entropy)
        return made
    given = {k: v for k, v in member.params.items() if k in estimator.arguments}
    seed = int(np.random.SeedSequence(member.entropy).generate_state(1)[0])
    if estimator.library is not None:
        return Ensemble(estimator.library, estimator.make, given, seed=seed, chosen=member.trees)
    made = estimator.make(**given)
    ours = {"random_state": seed, "warm_start": estimator.curve == "growth"}
    known = made.get_params(deep=False)
    return made.set_params(**{k: v for k, v in ours.items() if k in known})


def _mean(data: TrainingData, rows: Indices, values: NDArray[Any]) -> float:
    return data.mean(values, rows)


def _classification(
    model: Any, x: NDArray[Any], y: NDArray[Any], mean: Mean
) -> Iterator[tuple[str, float]]:
    yield "accuracy", mean(model.predict(x) == y)
    if hasattr(model, "predict_proba"):
        given = model.predict_proba(x)  # (N, classes seen)
        p = np.zeros((len(y), max(int(model.classes_.max()), int(y.max())) + 1))
        p[:, model.classes_] = given
        # An impossible class that was right after all would cost infinitely much.
        right = np.clip(p[np.arange(len(y)), y], np.finfo(given.dtype).eps, 1)
        yield "loss", -mean(np.log(right))


def _regression(
    model: Any, x: NDArray[Any], y: NDArray[Any], mean: Mean
) -> Iterator[tuple[str, float]]:
    mse = mean((y - model.predict(x).ravel()) ** 2)
    yield "mse", mse
    variance = mean((y - mean(y)) ** 2)
    if np.ptp(y) > 0:  # else there is nothing to explain; rounding may leave a variance
        yield "r2", 1 - mse / variance
