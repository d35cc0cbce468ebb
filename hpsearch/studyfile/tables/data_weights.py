"""What is wrong with the weights of rows and classes in [data], and with its positive class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hpsearch.datasets.base import Examples
from hpsearch.datasets.selection import Pool
from hpsearch.errors import Problem, unknown_name
from hpsearch.trainers import TrainerKind, is_program


def class_problems(
    positive: bool | int | str | None, class_weight: str | None, examples: Examples
) -> Iterator[Problem]:
    """What is wrong with keys that are of classes, for these examples."""
    if class_weight is not None and examples.regression:
        rule = "must be left out where numbers are predicted"
        yield Problem("data.class_weight", rule, repr(class_weight))
    if positive is None:
        return
    if examples.n_classes != 2:
        what = "numbers" if examples.regression else f"{examples.n_classes} classes"
        rule = f"must be left out: only one of two classes can be positive, and there are {what}"
        yield Problem("data.positive", rule, repr(positive))
    elif str(positive) not in examples.classes:
        yield unknown_name("data.positive", positive, examples.classes)


def weight_problems(
    weight: str | None, class_weight: str | None, trainers: Mapping[str, TrainerKind]
) -> Iterator[Problem]:
    """Trainers that take no weights, where [data] has some."""
    key = "data.class_weight" if weight is None else "data.weight"
    if weight is None and class_weight is None:
        return
    for name, kind in trainers.items():
        if kind.weighted or is_program(name):
            continue
        own = "class_weight" in kind.arguments and weight is None
        hint = "set space.class_weight, its own argument" if own else "take another trainer"
        yield Problem(key, "must be left out: a trainer takes no weights", name, hint)


def row_problems(pool: Pool, where: str = "data.weight") -> Iterator[Problem]:
    """Folds of which nothing counts, or no row of a class that is trained on."""
    examples = pool.examples
    if examples.weights is None:
        return
    counts = examples.weights > 0
    for fold, (train, held) in enumerate(pool.splits, start=1):
        lost = np.setdiff1d(examples.strata[train], examples.strata[train[counts[train]]])
        if len(lost):
            got = f"only 0 for class {str(lost[0])!r} in fold {fold}"
            got = f"only 0 in fold {fold}" if examples.regression else got
            yield Problem(where, "must be above 0 for some rows of every class to train on", got)
            return
        if not counts[held].any():
            rule = "must be above 0 for some validation rows of every fold"
            yield Problem(where, rule, f"only 0 in fold {fold}")
            return
