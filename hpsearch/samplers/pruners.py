"""Optuna's pruners, and a user's own, by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna.pruners import BasePruner

from hpsearch.samplers.own_classes import class_of_ones_own

OPTUNA = {
    "median": "MedianPruner",
    "percentile": "PercentilePruner",
    "successive-halving": "SuccessiveHalvingPruner",
    "hyperband": "HyperbandPruner",
    "threshold": "ThresholdPruner",
    "patient": "PatientPruner",
    "wilcoxon": "WilcoxonPruner",
}


def make_pruner(
    name: str, options: Mapping[str, Any], *, rungs: Sequence[int], n_epochs: int
) -> BasePruner:
    """A new object of a pruner.

    Those that count in resources start at the first rung, and end at the full training length,
    unless the options say otherwise.

    Raises:
        ValueError: there is none of this name, or it refuses the options.
    """
    return _made(name, options, {"min_resource": rungs[0], "max_resource": n_epochs})


def _made(name: str, options: Mapping[str, Any], resources: Mapping[str, int]) -> BasePruner:
    found, arguments = pruner_class(name), dict(options)
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


def pruner_class(name: str) -> Callable[..., BasePruner]:
    """The class of this name or import path.

    Raises:
        ValueError: there is none.
    """
    if name in OPTUNA:
        return getattr(optuna.pruners, OPTUNA[name])  # type: ignore[no-any-return]
    return class_of_ones_own(name, BasePruner, list(OPTUNA))  # type: ignore[type-abstract]
