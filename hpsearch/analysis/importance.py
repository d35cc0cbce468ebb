"""How much each searched parameter had to do with which trials were good."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import optuna
from optuna.trial import create_trial

from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.space import Space

if TYPE_CHECKING:
    from optuna.importance import PedAnovaImportanceEvaluator

Direction = Literal["maximize", "minimize"]
FEWEST = 8  # trials; of fewer nothing can be said


def importances(
    space: Space, records: Iterable[TrialRecord], *, epochs: int, direction: Direction
) -> dict[str, float]:
    """PED-ANOVA over the trials' scores after this many epochs, {name: share}, largest first.

    Diverged trials count as worse than all others. A parameter that not all trials have is judged
    among those that have it, each range of a list by itself and by its name in Optuna. {} for too
    few trials.

    Source: Watanabe, Bansal & Hutter 2023; Optuna's default.
    """
    worst = -float("inf") if direction == "maximize" else float("inf")
    scored = []
    for record in records:
        score = record.scores.get(epochs)
        if not record.outcome.ranked:
            score = worst
        if score is not None:
            scored.append((record, score))
    finite = [score for _, score in scored if abs(score) != float("inf")]
    if len(finite) < FEWEST:
        return {}
    bottom = min(finite) if direction == "maximize" else max(finite)
    found = {}
    for parameter in space.parameters:
        with_it = [
            (space.in_optuna(record.params), bottom if abs(score) == float("inf") else score)
            for record, score in scored
            if parameter.name in space.in_optuna(record.params)
        ]
        values = {params[parameter.name] for params, _ in with_it}
        if len(with_it) >= FEWEST and len(values) > 1:
            found[parameter.name] = _share(space, with_it, parameter.name, direction)
    total = sum(found.values())
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return {name: value / total if total else 0.0 for name, value in ordered}


def _share(
    space: Space,
    trials: Sequence[tuple[Mapping[str, object], float]],
    name: str,
    direction: Direction,
) -> float:
    distributions = {p.name: p.distribution for p in space.parameters}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction=direction)
    study.add_trials(
        [
            create_trial(
                params={name: params[name]},
                distributions={name: distributions[name]},
                value=score,
            )
            for params, score in trials
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its being experimental
        found = _ped_anova()().evaluate(study, params=[name])
    return float(found.get(name, 0.0))


@cache
def _ped_anova() -> type[PedAnovaImportanceEvaluator]:
    """Optuna's class, whose package also loads random forests: a second for nothing."""
    package = "optuna.importance"
    alone = package not in sys.modules
    if alone:
        folder = Path(optuna.__file__).parent / "importance"
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = [str(folder)]
    try:
        from optuna.importance._ped_anova import PedAnovaImportanceEvaluator
    finally:
        if alone:
            del sys.modules[package]  # whoever wants all of it loads it
    return PedAnovaImportanceEvaluator
