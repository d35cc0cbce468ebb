"""Optuna's pruners, and a user's own, by name; and what is wrong with a [pruner] table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import optuna
from optuna.pruners import BasePruner

from hpsearch.search.mistakes import Mistake
from hpsearch.search.own_classes import class_of_ones_own
from hpsearch.search.study_file import StudyFile

OPTUNA = {
    "median": "MedianPruner",
    "percentile": "PercentilePruner",
    "successive-halving": "SuccessiveHalvingPruner",
    "hyperband": "HyperbandPruner",
    "threshold": "ThresholdPruner",
    "patient": "PatientPruner",
    "wilcoxon": "WilcoxonPruner",
}


def make_pruner(file: StudyFile) -> BasePruner:
    """A new object of the study's pruner.

    Those that count in resources start at the first rung, and end at the full training length,
    unless the options say otherwise.

    Raises:
        ValueError: there is none of this name, or it refuses the options.
    """
    assert file.pruner is not None
    resources = {"min_resource": file.pruner.rungs[0], "max_resource": file.n_epochs}
    return _made(file.pruner.name, file.pruner.options, resources)


def pruner_mistakes(file: StudyFile) -> Iterator[Mistake]:
    """What is wrong with [pruner]."""
    if file.pruner is None:
        return
    if len(file.goals) > 1:
        rule = f"must be left out with {len(file.goals)} objectives: Optuna's pruners know one"
        yield Mistake("pruner", rule)
    rungs = file.pruner.rungs
    if any(later <= earlier for earlier, later in pairwise(rungs)):
        yield Mistake("pruner.rungs", f"must rise, got {rungs}")
    if rungs[-1] >= file.n_epochs:
        yield Mistake(
            "pruner.rungs",
            f"must be below the {file.n_epochs} epochs of the last stage, got {rungs[-1]}",
        )
    try:
        _pruner_class(file.pruner.name)
    except ValueError as error:
        yield Mistake("pruner.name", str(error))
        return
    try:
        make_pruner(file)
    except ValueError as error:
        yield Mistake("pruner.options", str(error))


def _made(name: str, options: Mapping[str, Any], resources: Mapping[str, int]) -> BasePruner:
    found, arguments = _pruner_class(name), dict(options)
    if name == "hyperband":
        arguments = {**resources, **arguments}
    elif name == "successive-halving":
        arguments.setdefault("min_resource", resources["min_resource"])
    elif name == "patient":
        arguments["wrapped_pruner"] = _wrapped(arguments.get("wrapped_pruner"), resources)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return found(**arguments)
    except Exception as error:
        raise ValueError(
            f"must be arguments that {name} takes, got {dict(options)}: {error}"
        ) from error


def _wrapped(said: object, resources: Mapping[str, int]) -> BasePruner | None:
    """The pruner inside a patient one: a name, or a table with its options too."""
    if said is None:
        return None
    table = {"name": said} if isinstance(said, str) else said
    if not isinstance(table, dict) or not {"name"} <= table.keys() <= {"name", "options"}:
        raise ValueError(
            f"must have a name as wrapped_pruner, or a table with a name and options, got {said!r}"
        )
    return _made(str(table["name"]), table.get("options", {}), resources)


def _pruner_class(name: str) -> Callable[..., BasePruner]:
    if name in OPTUNA:
        return getattr(optuna.pruners, OPTUNA[name])  # type: ignore[no-any-return]
    return class_of_ones_own(name, BasePruner, list(OPTUNA))  # type: ignore[type-abstract]
