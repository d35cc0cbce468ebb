"""A study's trials as a sampler that knows no stages is shown them: complete, and comparable."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from hpsearch.samplers.history import (
    GOALS,
    OUTCOME,
    WORST_OUTCOMES,
    observe,
    shifts_of,
    violations_of,
)

Values = Mapping[int, Sequence[float]]


def settled(
    trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]
) -> list[FrozenTrial]:
    """Copies with the same numbers: complete where there is a score or the worst rank.

    Each has its values at its longest training, shorter ones shifted as for CoarseToFineSampler,
    and its violations as Optuna's constraints. Diverged ones are as bad as the worst in all.
    """
    signs = [-1.0 if direction == StudyDirection.MAXIMIZE else 1.0 for direction in directions]
    seen = _costs(trials, directions[0]) if len(signs) == 1 else _several_costs(trials, signs)
    worst = [
        max((c for c in column if math.isfinite(c)), default=None)
        for column in zip(*seen.values(), strict=True)
    ]
    missed = {trial.number: violations_of(trial) for trial in trials}
    farthest: dict[str, float] = {}
    for each in missed.values():
        farthest |= {name: max(value, farthest.get(name, value)) for name, value in each.items()}
    copies = []
    for number, trial in enumerate(trials):
        assert trial.number == number
        costs = seen.get(number)
        if costs is not None and not all(map(math.isfinite, costs)):
            costs = None if None in worst else [c for c in worst if c is not None]
            missed[number] = farthest
        notes = {k: v for k, v in trial.system_attrs.items() if not k.startswith("constraints:")}
        copies.append(
            create_trial(
                state=TrialState.FAIL if costs is None else TrialState.COMPLETE,
                values=None
                if costs is None
                else [sign * cost for sign, cost in zip(signs, costs, strict=True)],
                params=trial.params,
                distributions=trial.distributions,
                system_attrs=notes,
                constraints=missed[number],
            )
        )
    return copies


def _costs(trials: Sequence[FrozenTrial], direction: StudyDirection) -> Values:
    """The score of each trial that has one or the worst rank, lower is better."""
    return {o.number: [o.score] for o in observe(trials, direction)}


def _several_costs(trials: Sequence[FrozenTrial], signs: Sequence[float]) -> Values:
    """The same of several objectives, each shifted by itself."""
    found: dict[int, list[float]] = {}
    curves: dict[int, dict[float, list[float]]] = {}
    for trial in trials:
        known = trial.user_attrs.get(GOALS, {}).get("values", {})
        if trial.user_attrs.get(OUTCOME) in WORST_OUTCOMES:
            found[trial.number] = [math.inf] * len(signs)
        elif known and trial.state != TrialState.FAIL:
            curves[trial.number] = {
                float(epochs): [s * v for s, v in zip(signs, values.values(), strict=True)]
                for epochs, values in known.items()
            }
    ends = sorted(Counter(max(curve) for curve in curves.values()))
    shifts = [
        shifts_of([{x: c[place] for x, c in curve.items()} for curve in curves.values()], ends)
        for place in range(len(signs))
    ]
    for number, curve in curves.items():
        last = max(curve)
        costs = zip(curve[last], shifts, strict=True)
        found[number] = [cost + shift[last] for cost, shift in costs]
    return found
