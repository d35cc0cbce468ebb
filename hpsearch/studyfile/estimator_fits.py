"""Options of estimators that can't work together, found by fits on a few rows.

An estimator judges each argument by itself when it is made, and what does not go together only
when it is fitted: early stopping with partial_fit, a penalty that a solver does not have. A choice
is refused that fails with every combination of the others. Where too few rows are the reason, more
of them succeed, or fail with another sentence, as it counts them; that is left to the trials.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution

from hpsearch.datasets.selection import Pool
from hpsearch.errors import Problem, headline
from hpsearch.hyperparameters import ParamValue
from hpsearch.studyfile.entries import key_path
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space
from hpsearch.trainers import Member, Split, TrainingData, trainer_kind
from hpsearch.trainers.boosters import silence
from hpsearch.trainers.estimator import EstimatorTrainer
from hpsearch.trainers.tables.prepared import prepared

ROWS = (4, 16, 256)  # of each class, in a first fit and in others that must fail alike
NUMBERS = 8  # times as many rows where numbers are predicted
SECONDS = 10.0  # for the fits of a study; what they have not reached by then, its trials find out
MOST = 500  # combinations of choices; where there are more nothing is refused
EPOCHS = 2  # a second pass may fail where the first did not
LENGTH = 1000  # epochs of the whole training, so that after EPOCHS an ensemble is small

Params = dict[str, ParamValue]


def estimator_problems(space: Space, pool: Pool, *, balanced: bool = False) -> Iterator[Problem]:
    """What no trial of an estimator can be trained with.

    Args:
        pool: examples and splits of the study, of which a few rows are taken.
        balanced: every class counts alike.
    """
    fits = _Fits(space, pool, balanced)
    for name in _trainers(space):
        kind = trainer_kind(str(name))
        if kind is not None and issubclass(kind.trainer, EstimatorTrainer):
            yield from _problems_of(space, str(name), fits)


def _problems_of(space: Space, trainer: str, fits: _Fits) -> Iterator[Problem]:
    choices = {
        parameter.name: _values(parameter)
        for parameter in space.parameters
        if _has_choices(parameter)
        and parameter.key != "trainer"
        and trainer in parameter.when.get("trainer", (trainer,))
    }
    if prod(map(len, choices.values())) > MOST:
        return
    tried = [*_configurations(space, trainer, choices)]
    if all(map(fits.reason, tried)):
        yield _of_all(trainer, tried[0], fits)
        return
    paths = {parameter.name: parameter.path for parameter in space.parameters}
    for name, values in choices.items():
        for value in values:
            with_it = _configurations(space, trainer, {**choices, name: [value]}, asked=name)
            tried = [*with_it]
            if tried and all(map(fits.reason, tried)):
                rule = f"must hold no choice that {trainer} can't be fitted with"
                reason = fits.reason(tried[0])
                yield Problem(f"{key_path(paths[name])}.choices", rule, f"{value!r} ({reason})")


def _of_all(trainer: str, params: Params, fits: _Fits) -> Problem:
    """What is wrong where nothing goes: the option without which it does, or the trainer."""
    reason = fits.reason(params)
    for name, value in params.items():
        if name != "trainer" and not fits.reason({k: v for k, v in params.items() if k != name}):
            rule = f"must be something that {trainer} can be fitted with"
            return Problem(key_path(name), rule, f"{value!r} ({reason})")
    return Problem("space.trainer", "must be one that can be fitted", f"{trainer!r} ({reason})")


def _configurations(
    space: Space, trainer: str, choices: Mapping[str, list[ParamValue]], *, asked: str = "trainer"
) -> Iterator[Params]:
    """Every combination of these choices, with the lowest and the highest values of all ranges.

    Args:
        asked: a parameter that must be part of it.
    """
    known = set[str]()
    for values in product(*choices.values()):
        chosen = dict(zip(choices, values, strict=True))
        for end in (0, -1):
            params: Params = {**space.fixed, "trainer": trainer}
            active = {"trainer"}
            for parameter in space.parameters:
                if parameter.key != "trainer" and parameter.active(params):
                    active.add(parameter.name)
                    given = chosen.get(parameter.name, _values(parameter)[end])
                    params[parameter.key] = given
            if asked in active and _key(params) not in known:
                known.add(_key(params))
                yield space.complete(params)


def _key(params: Mapping[str, ParamValue]) -> str:
    return repr(sorted(params.items()))


def _has_choices(parameter: Parameter) -> bool:
    return isinstance(parameter.distribution, CategoricalDistribution)


def _trainers(space: Space) -> list[ParamValue]:
    if "trainer" in space.fixed:
        return [space.fixed["trainer"]]
    return next(_values(p) for p in space.parameters if p.key == "trainer")


def _values(parameter: Parameter) -> list[ParamValue]:
    """The choices of a parameter, or the ends of a range."""
    drawn = parameter.distribution
    if isinstance(drawn, CategoricalDistribution):
        return [*drawn.choices]  # type: ignore[list-item]
    return [drawn.low, drawn.high]  # type: ignore[attr-defined]


class _Fits:
    """Fits on few rows of a pool, each made once."""

    def __init__(self, space: Space, pool: Pool, balanced: bool) -> None:
        self._space, self._pool, self._balanced = space, pool, balanced
        self._known = dict[str, str]()
        self._end = time.monotonic() + SECONDS

    def reason(self, params: Mapping[str, ParamValue]) -> str:
        """Why it can't be fitted; "" if it can, or if there is no time left to know."""
        key = _key(params)
        if key not in self._known:
            if time.monotonic() > self._end:
                return ""
            self._known[key] = self._found_out(self._space.given(params))
        return self._known[key]

    def _found_out(self, given: Mapping[str, ParamValue]) -> str:
        reason = ""
        for rows in ROWS:
            failure = _failure(given, _few(self._pool, rows, self._balanced))
            if not failure or failure != (reason or failure):
                return ""
            reason = failure
        return reason


def _failure(params: Mapping[str, ParamValue], data: TrainingData) -> str:
    member = Member(params, (0,), 0)
    try:
        with silence():
            table = prepared(data, member)
            trainer = EstimatorTrainer([member], table, n_epochs=LENGTH)
            for _ in trainer.run(EPOCHS):
                pass
            trainer.state(0)  # what does not pickle can't pause
    except Exception as error:
        return f"{type(error).__name__}: {headline(error)}".rstrip(": ")
    return ""


def _few(pool: Pool, rows: int, balanced: bool) -> TrainingData:
    examples, (train, validation, *_) = pool.examples, pool.splits[0]
    if examples.weights is not None:
        train = train[examples.weights[train] > 0]  # as it is trained
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
        table_columns=examples.columns,
        texts={place: texts[taken] for place, texts in examples.texts.items()},
        weights=None if examples.weights is None else examples.weights[taken],
        balanced=balanced,
    )


def _of_each_class(
    labels: NDArray[np.int64], rows: NDArray[np.intp], count: int
) -> NDArray[np.intp]:
    given = labels[rows]
    return np.concatenate([rows[given == label][:count] for label in np.unique(given)])
