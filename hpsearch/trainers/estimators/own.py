"""Estimators and pipelines that a function of one's own makes: `def make(params)`.

The function gets a trial's hyperparameters. Names with two underscores, such as clf__C, are set
afterwards on what it returned; all others are for the function to use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from hpsearch.errors import nearest
from hpsearch.hyperparameters import ParamValue
from hpsearch.trainers.boosters import library_of
from hpsearch.trainers.boosters.base import SEED
from hpsearch.trainers.estimators.rules import Curve, curve_of, problem_of

INSIDE = "__"  # between a step's name and its argument's, as in scikit-learn
OURS = ("random_state", "random_seed", "warm_start")
NOT_FOR_IT = ("trainer", "network")  # among a trial's params


def make_with(path: str, function: Callable[..., Any], params: Mapping[str, ParamValue]) -> Any:
    """What a function returns for a trial's hyperparameters, with those that are set inside.

    Raises:
        ValueError: it is no estimator, or does not have such a hyperparameter.
        Exception: whatever the function raises.
    """
    given = {name: value for name, value in params.items() if name not in NOT_FOR_IT}
    made = function(deepcopy(given))
    if not all(hasattr(made, name) for name in ("fit", "predict", "get_params", "set_params")):
        raise ValueError(
            f"{path} must return an estimator with fit, predict, get_params and set_params, "
            f"because it takes only params, got {type(made).__name__}: a training function is "
            f"written def {path.partition(':')[2]}(params, data, seed)"
        )
    inside = {name: value for name, value in given.items() if INSIDE in name}
    known = made.get_params(deep=True)
    for name in inside:
        if name not in known:
            valid = [other for other in known if INSIDE in other]
            raise ValueError(
                f"{name} must be a hyperparameter inside what {path} returns, got a "
                f"{type(made).__name__} without it{nearest(name, valid)}"
            )
    made.set_params(**inside)
    return made


def arguments_of(made: Any) -> dict[str, object]:
    """What may be set inside, with the values that it has."""
    return {
        name: value
        for name, value in made.get_params(deep=True).items()
        if INSIDE in name and name.rpartition(INSIDE)[2] not in OURS
    }


def refused_in(made: Any) -> dict[str, str]:
    """What must not be set inside, with what must hold instead."""
    return {
        name: SEED
        for name in made.get_params(deep=True)
        if INSIDE in name and name.rpartition(INSIDE)[2] in ("random_state", "random_seed")
    }


def problem_inside(made: Any, name: str, value: object) -> str | None:
    """What the step that an argument belongs to finds wrong with a value."""
    from sklearn.base import clone

    place, _, argument = name.rpartition(INSIDE)
    owner = made.get_params(deep=True)[place]
    library = library_of(type(owner))
    if library is not None:
        return library.problem(type(owner), argument, value)
    return problem_of(
        lambda **given: clone(owner).set_params(**given), type(owner), argument, value
    )


def last_step(made: Any) -> tuple[str, Any]:
    """The estimator that predicts, and what stands before its arguments' names: ("clf__", …)."""
    place, last = "", made
    while hasattr(last, "steps"):
        name, last = last.steps[-1]
        place += f"{name}{INSIDE}"
    return place, last


def curve_inside(made: Any) -> tuple[Curve, str]:
    """What an epoch is to it, and the argument that counts trees where its last step grows.

    What comes before the last step is fitted anew every epoch, on the same rows.
    """
    place, last = last_step(made)
    if library_of(type(last)) is not None:
        return "once", ""
    curve, size = curve_of(type(last), last.get_params(deep=False))
    return (curve, place + size) if curve == "growth" else ("once", "")


def settle(made: Any, entropy: tuple[int, ...]) -> None:
    """Set what is the trial's in every step: a random_state each, and one thread."""
    known = made.get_params(deep=True)
    seeded = sorted(name for name in known if name.rpartition(INSIDE)[2] == "random_state")
    seeds = np.random.SeedSequence(entropy).generate_state(len(seeded) + 1)
    made.set_params(**{name: int(seed) for name, seed in zip(seeded, seeds, strict=False)})
    alone = [n for n, v in known.items() if n.rpartition(INSIDE)[2] == "n_jobs" and v is None]
    made.set_params(**dict.fromkeys(alone, 1))
    for step in (made, *known.values()):
        library = library_of(type(step)) if hasattr(step, "fit") else None
        if library is not None:
            step.set_params(**library.settings(int(seeds[-1]) >> 1))
    if curve_inside(made)[0] == "growth":
        last_step(made)[1].set_params(warm_start=True)
