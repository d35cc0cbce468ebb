"""What a sampler knows of a study: its trials so far, made comparable and ranked."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

# A trial that ended without a usable score says so in this user attribute; it ranks last.
OUTCOME = "hpsearch:outcome"
WORST_OUTCOMES = ("diverged", "infeasible")


@dataclass(frozen=True)
class Observation:
    """A trial with its score at its longest training, lower is better; inf for the worst rank."""

    number: int
    params: Mapping[str, Any]
    score: float

    @property
    def usable(self) -> bool:
        """Whether it has a score."""
        return math.isfinite(self.score)


def observe(trials: Iterable[FrozenTrial], direction: StudyDirection) -> list[Observation]:
    """Ranked observations, best first.

    A trial's score is the one at its longest training. Scores of shorter trainings are shifted by
    the median difference that longer training made to the trials that have both, so that all are
    comparable. Failed trials are left out; diverged ones rank last.
    """
    sign = -1.0 if direction == StudyDirection.MAXIMIZE else 1.0
    curves, worst = [], []
    for trial in trials:
        curve = _curve(trial, sign)
        if trial.user_attrs.get(OUTCOME) in WORST_OUTCOMES or (
            trial.state == TrialState.PRUNED and not curve
        ):
            worst.append(Observation(trial.number, trial.params, math.inf))
        elif curve and trial.state != TrialState.FAIL:
            curves.append((trial, curve))
    shifts = _shifts([curve for _, curve in curves])
    seen = []
    for trial, curve in curves:
        longest = max(curve)
        seen.append(Observation(trial.number, trial.params, curve[longest] + shifts[longest]))
    return sorted(seen, key=lambda o: (o.score, o.number)) + worst


def branch_of(trial: FrozenTrial) -> dict[str, Any]:
    """The categorical values a trial has so far."""
    return {
        name: trial.params[name]
        for name, distribution in trial.distributions.items()
        if isinstance(distribution, CategoricalDistribution) and name in trial.params
    }


def in_branch(observation: Observation, branch: Mapping[str, Any]) -> bool:
    """Whether it has all the values of `branch`."""
    return all(observation.params.get(name) == value for name, value in branch.items())


def _curve(trial: FrozenTrial, sign: float) -> dict[float, float]:
    """Score by training length, the finite ones."""
    curve = {float(step): sign * value for step, value in trial.intermediate_values.items()}
    if trial.state == TrialState.COMPLETE and trial.value is not None:
        curve[max(curve, default=0.0)] = sign * trial.value
    return {step: value for step, value in curve.items() if math.isfinite(value)}


def _shifts(curves: list[dict[float, float]]) -> Mapping[float, float]:
    """What to add to a score at each length to compare it with scores at the greatest length."""
    levels = sorted({max(curve) for curve in curves})
    shifts: dict[float, float] = defaultdict(float)
    total = 0.0
    for lower, upper in reversed(list(itertools.pairwise(levels))):
        paired = [c[upper] - c[lower] for c in curves if lower in c and upper in c]
        total += float(np.median(paired)) if paired else 0.0
        shifts[lower] = total
    return shifts
