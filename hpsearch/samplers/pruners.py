"""Optuna's pruners, a user's own, and ours, by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
PARETO = "pareto"  # ours; a trial of Optuna's with several objectives can report nothing


@dataclass(frozen=True)
class ParetoOptions:
    """What the pruner "pareto" is given.

    Attributes:
        keep: the share of the trials at a rung that go on, by Pareto rank and crowding distance;
            a half, as a rung tells little of what several objectives come to.
        n_startup_trials: so many trials must have reached a rung before any is pruned there; as
            many as Optuna's own pruners wait for.
    """

    keep: float = 0.5
    n_startup_trials: int = 5

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> ParetoOptions:
        """Of the options in a study file.

        Raises:
            ValueError: they are no such ones.
        """
        unknown = sorted(options.keys() - {"keep", "n_startup_trials"})
        if unknown:
            raise ValueError(f"must be keep and n_startup_trials for pareto, got {unknown[0]!r}")
        made = cls(**options)
        if not _is_number(made.keep) or not 0 < made.keep < 1:
            raise ValueError(f"keep must be a share between 0 and 1, got {made.keep!r}")
        n = made.n_startup_trials
        if not isinstance(n, int) or isinstance(n, bool) or n < 0:
            raise ValueError(f"n_startup_trials must be an integer from 0, got {n!r}")
        return made


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def make_pruner(
    name: str, options: Mapping[str, Any], *, rungs: Sequence[int], n_epochs: int
) -> BasePruner:
    """A new object of a pruner that is not ours.

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
    if table["name"] == PARETO:
        raise ValueError("must have a pruner of Optuna's as wrapped_pruner, got 'pareto'")
    return _made(str(table["name"]), table.get("options", {}), resources)


def pruner_class(name: str) -> Callable[..., BasePruner]:
    """The class of this name or import path, of a pruner that is not ours.

    Raises:
        ValueError: there is none.
    """
    if name in OPTUNA:
        return getattr(optuna.pruners, OPTUNA[name])  # type: ignore[no-any-return]
    return class_of_ones_own(name, BasePruner, [*OPTUNA, PARETO])  # type: ignore[type-abstract]
