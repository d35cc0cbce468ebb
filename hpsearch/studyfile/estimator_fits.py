"""Options of estimators that can't work together, found by fits on a few rows.

An estimator judges each argument by itself when it is made, and what does not go together only
when it is fitted: early stopping with partial_fit, a penalty that a solver has not. An option is
refused that fails with every choice of the others, one after the other. Where it is the rows that
are too few, other rows fail with another sentence, as it counts them; the trials answer for that.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution

from hpsearch.datasets.selection import Pool
from hpsearch.errors import Problem, headline
from hpsearch.hyperparameters import ParamValue
from hpsearch.studyfile.space import Parameter, Space
from hpsearch.trainers import Member, Split, TrainingData, trainer_kind
from hpsearch.trainers.estimator import EstimatorTrainer

ROWS = (4, 16)  # of each class, in a first fit and in one that must fail alike
NUMBERS = 8  # times as many rows where numbers are predicted
SECONDS = 10.0  # for the fits of a study; what they have not reached by then, its trials find out
EPOCHS = 2  # a second pass may fail where the first did not
LENGTH = 1000  # epochs of the whole training, so that after EPOCHS an ensemble is small

Params = dict[str, ParamValue]


def estimator_problems(space: Space, pool: Pool) -> Iterator[Problem]:
    """What no trial of an estimator can be trained with.

    Args:
        pool: examples and splits of the study, of which a few rows are taken.
    """
    fits = _Fits(space, pool)
    for name in _trainers(space):
        kind = trainer_kind(str(name))
        if kind is not None and issubclass(kind.trainer, EstimatorTrainer):
            yield from _problems_of(space, str(name), fits)


def _problems_of(space: Space, trainer: str, fits: _Fits) -> Iterator[Problem]:
    options = [
        (parameter, value)
        for parameter in space.parameters
        if _has_choices(parameter) and parameter.key != "trainer"
        for value in _values(parameter)
    ]
    alone = [{}, *({parameter.name: value} for parameter, value in options)]
    tried = [params for forced in alone if (params := _params(space, trainer, forced))]
    if all(fits.reason(params) for params in tried):
        yield _of_all(trainer, tried[0], fits)
        return
    for parameter, value in options:
        forced = {parameter.name: value}
        beside = [{}, *({other.name: v} for other, v in options if other != parameter)]
        tried = [params for more in beside if (params := _params(space, trainer, forced | more))]
        reasons = [fits.reason(params) for params in tried]
        if reasons and all(reasons):
            rule = f"must hold no choice that {trainer} can't be fitted with"
            yield Problem(f"space.{parameter.path}.choices", rule, f"{value!r} ({reasons[0]})")


def _of_all(trainer: str, params: Params, fits: _Fits) -> Problem:
    """What is wrong where nothing goes: the option without which it does, or the trainer."""
    reason = fits.reason(params)
    for name, value in params.items():
        if name != "trainer" and not fits.reason({k: v for k, v in params.items() if k != name}):
            rule = f"must be something that {trainer} can be fitted with"
            return Problem(f"space.{name}", rule, f"{value!r} ({reason})")
    return Problem("space.trainer", "must be one that can be fitted", f"{trainer!r} ({reason})")


def _params(space: Space, trainer: str, forced: Params) -> Params:
    """A configuration of first choices and lowest values but for those that are forced, which go
    by their names in Optuna.

    Empty where one of these is not asked for with the others.
    """
    params: Params = {**space.fixed, "trainer": trainer}
    asked = set[str]()
    for parameter in space.parameters:
        if parameter.key != "trainer" and parameter.active(params):
            asked.add(parameter.name)
            params[parameter.key] = forced.get(parameter.name, _values(parameter)[0])
    return space.complete(params) if forced.keys() <= asked else {}


def _has_choices(parameter: Parameter) -> bool:
    return isinstance(parameter.distribution, CategoricalDistribution)


def _trainers(space: Space) -> list[ParamValue]:
    if "trainer" in space.fixed:
        return [space.fixed["trainer"]]
    return next(_values(p) for p in space.parameters if p.key == "trainer")


def _values(parameter: Parameter) -> list[ParamValue]:
    """The choices of a parameter, or the lowest value of a range."""
    drawn = parameter.distribution
    if isinstance(drawn, CategoricalDistribution):
        return [*drawn.choices]  # type: ignore[list-item]
    return [drawn.low]  # type: ignore[attr-defined]


class _Fits:
    """Fits on few rows of a pool, each made once."""

    def __init__(self, space: Space, pool: Pool) -> None:
        self._space = space
        self._data = [_few(pool, rows) for rows in ROWS]
        self._known = dict[str, str]()
        self._end = time.monotonic() + SECONDS

    def reason(self, params: Mapping[str, ParamValue]) -> str:
        """Why it can't be fitted; "" if it can, or if there is no time left to know."""
        key = repr(sorted(params.items()))
        if key not in self._known:
            if time.monotonic() > self._end:
                return ""
            given = self._space.given(params)
            first, *others = (_failure(given, data) for data in self._data)
            self._known[key] = first if all(other == first for other in others) else ""
        return self._known[key]


def _failure(params: Mapping[str, ParamValue], data: TrainingData) -> str:
    member = Member(params, (0,), 0)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            for _ in EstimatorTrainer([member], data, n_epochs=LENGTH).run(EPOCHS):
                pass
    except Exception as error:
        return f"{type(error).__name__}: {headline(error)}".rstrip(": ")
    return ""


def _few(pool: Pool, rows: int) -> TrainingData:
    examples, (train, validation, *_) = pool.examples, pool.splits[0]
    if examples.regression:
        learned, scored = train[: rows * NUMBERS], validation[: rows * NUMBERS]
    else:
        learned = _of_each_class(examples.labels, train, rows)
        scored = _of_each_class(examples.labels, validation, rows)
    taken = np.concatenate([learned, scored])
    places = np.arange(len(taken))
    return TrainingData(
        examples.inputs[taken],
        examples.labels[taken],
        n_classes=examples.n_classes,
        splits=[Split(places[: len(learned)], places[len(learned) :])],
        scale=examples.scale,
    )


def _of_each_class(
    labels: NDArray[np.int64], rows: NDArray[np.intp], count: int
) -> NDArray[np.intp]:
    given = labels[rows]
    return np.concatenate([rows[given == label][:count] for label in np.unique(given)])
