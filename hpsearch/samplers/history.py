"""What a sampler knows of a study: its trials so far, made comparable and ranked."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

# A trial that ended without a usable score says so in this user attribute; it ranks last.
OUTCOME = "hpsearch:outcome"
# What a trial has at each length of several objectives and of constraints, as records have it.
GOALS = "hpsearch:goals"
# The seconds that a trial's training took to each length, where a sampler weighs by them.
SECONDS = "hpsearch:seconds"
WORST_OUTCOMES = ("diverged", "infeasible")
MOST_LENGTHS = 4  # at which scores are compared, beside a trial's own longest training


@dataclass(frozen=True)
class Observation:
    """A trial with its score at its longest training, lower is better; inf for the worst rank.

    Attributes:
        curve: its scores at the lengths where trials end, shifted like `score`, by length.
    """

    number: int
    params: Mapping[str, Any]
    score: float
    curve: Mapping[float, float] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether it has a score."""
        return math.isfinite(self.score)


def observe(trials: Iterable[FrozenTrial], direction: StudyDirection) -> list[Observation]:
    """Ranked observations, best first.

    Infeasible trials come after all feasible ones, by their violation.

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
    ends = Counter(max(curve) for _, curve in curves)
    shifts = shifts_of([curve for _, curve in curves], sorted(ends))
    common = sorted(ends, key=lambda length: (-ends[length], length))[:MOST_LENGTHS]
    seen = []
    for trial, curve in curves:
        longest = max(curve)
        shifted = {x: curve[x] + shifts[x] for x in sorted({*common, longest}) if x in curve}
        seen.append(Observation(trial.number, trial.params, shifted[longest], shifted))
    seen = _penalised(seen, {t.number: violations_of(t) for t, _ in curves})
    return sorted(seen, key=lambda o: (o.score, o.number)) + worst


def violations_of(trial: FrozenTrial) -> dict[str, float]:
    """By how much a trial misses each constraint after its longest training, over 0 if it does."""
    known = trial.user_attrs.get(GOALS, {}).get("violations", {})
    return dict(known[max(known, key=int)]) if known else dict(trial.constraints)


def _penalised(
    seen: Sequence[Observation], violations: Mapping[int, Mapping[str, float]]
) -> list[Observation]:
    """Infeasible ones worse than all feasible ones, by their violation.

    Source: Deb, "An efficient constraint handling method for genetic algorithms" (2000), eq. (4).
    There the violation v is added as it is; here v / (1 + v) spreads of the feasible scores, so
    that a model sees the feasible ones beside the worst that was tried.
    """
    missed = {n: sum(max(0.0, v) for v in each.values()) for n, each in violations.items()}
    if not any(missed.values()):
        return list(seen)
    feasible = [o.score for o in seen if not missed[o.number]]
    worst = max(feasible, default=0.0)
    spread = (worst - min(feasible, default=0.0)) or 1.0
    found = []
    for one in seen:
        if missed[one.number]:
            score = worst + spread * missed[one.number] / (1 + missed[one.number])
            one = Observation(one.number, one.params, score, dict.fromkeys(one.curve, score))
        found.append(one)
    return found


def recorded_seconds(trial: FrozenTrial) -> float | None:
    """The seconds of its longest training, as its user attribute says; None where none does."""
    known: dict[str, float] = trial.user_attrs.get(SECONDS, {})
    return known[max(known, key=int)] if known else None


def clocked_seconds(trial: FrozenTrial) -> float | None:
    """The seconds that are recorded, or else those from its start to its end; None before."""
    if SECONDS in trial.user_attrs or trial.duration is None:
        return recorded_seconds(trial)
    return trial.duration.total_seconds()


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


def pending(trials: Iterable[FrozenTrial]) -> dict[int, Mapping[str, Any]]:
    """Params, as far as they are drawn, of the trials that run and have no score yet."""
    return {
        t.number: t.params
        for t in trials
        if t.state == TrialState.RUNNING and not _curve(t, 1.0) and OUTCOME not in t.user_attrs
    }


def shifts_of(curves: list[dict[float, float]], levels: list[float]) -> Mapping[float, float]:
    """What to add to a score at each length to compare it with scores at the greatest length."""
    shifts: dict[float, float] = defaultdict(float)
    total = 0.0
    for lower, upper in reversed(list(itertools.pairwise(levels))):
        paired = [c[upper] - c[lower] for c in curves if lower in c and upper in c]
        total += float(np.median(paired)) if paired else 0.0
        shifts[lower] = total
    return shifts
