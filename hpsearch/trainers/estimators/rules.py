"""What a scikit-learn estimator tells of itself before it is fitted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from hpsearch.errors import nearest
from hpsearch.trainers.base import Task

Curve = Literal["passes", "growth", "once"]
RULE = re.compile(r"must be (.*?)\. Got ", re.DOTALL)  # in scikit-learn's messages


def task_of(made: Any) -> Task:
    """What it predicts.

    Raises:
        TypeError: neither classes nor numbers.
    """
    from sklearn.base import is_classifier, is_regressor

    if is_classifier(made):
        return "classification"
    if is_regressor(made):
        return "regression"
    raise TypeError(f"{type(made).__name__}, which is neither")


def curve_of(make: type, arguments: Mapping[str, object]) -> tuple[Curve, str]:
    """What an epoch is to it, and the argument that counts its trees where they grow."""
    # Naive Bayes has partial_fit and no max_iter: a second pass would count its rows twice.
    if hasattr(make, "partial_fit") and "max_iter" in arguments:
        return "passes", ""
    if "warm_start" in arguments and "n_estimators" in arguments:
        return "growth", "n_estimators"
    # A linear model with warm_start has max_iter too, but there it limits one solver's run.
    if "warm_start" in arguments and "max_iter" in arguments and hasattr(make, "staged_predict"):
        return "growth", "max_iter"
    return "once", ""


def kind_of(make: type, default: object) -> type:
    """What an argument's default tells of its values, where the estimator has no rules for it."""
    if isinstance(default, float):
        return float
    known = hasattr(make, "_parameter_constraints") or isinstance(default, bool)
    return int if isinstance(default, int) and not known else object


def judge(make: type, name: str, value: object) -> str | None:
    """What the estimator itself finds wrong with a value, before it is fitted."""
    return problem_of(make, make, name, value)


def problem_of(new: Callable[..., Any], make: type, name: str, value: object) -> str | None:
    """The same, of an estimator of this class that `new` gives for the value."""
    if not hasattr(make, "_parameter_constraints"):
        return None
    try:
        new(**{name: value})._validate_params()
    except (TypeError, ValueError) as error:
        rule = RULE.search(str(error))
        if rule is None:
            return f"must suit {make.__name__}, got {value!r}: {error}"
        near = nearest(value, re.findall(r"'([^']*)'", rule[1]))
        return f"must be {rule[1]}, got {value!r}{near}"
    return None
