"""Which configuration is better: one objective or several, with constraints or without.

Feasible ones come before infeasible ones, which are ordered by their total violation. By several
objectives the feasible ones are sorted into fronts, none of whose members dominates another, and
those of a front by crowding distance, so that a share of the best is spread over the front; of its
ends the best in the first objective comes first, then the best in the second, and so on.

Source: Deb, Pratap, Agarwal and Meyarivan, "A fast and elitist multiobjective genetic algorithm:
NSGA-II" (2002): constrained domination VI.B, crowding distance III.B. Fronts are found as in
Zhang, Tian, Cheng and Jin, "An efficient approach to nondominated sorting" (2015), Algorithm 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpsearch.records.trial_record import TrialRecord

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """What a configuration is ranked by.

    Attributes:
        number: of its trial; earlier ones come first among equals.
        values: one an objective.
        violation: the sum of what its constraints are missed by; 0: feasible.
    """

    number: int
    values: tuple[float, ...]
    violation: float = 0.0


def standing(record: TrialRecord, epochs: int) -> Standing:
    """Of a record that has a score at this length, or at a rung."""
    values = record.values.get(epochs) or {"": record.reported[epochs]}
    violation = total_violation(record.violations.get(epochs, {}))
    return Standing(record.number, tuple(values.values()), violation)


def mean_standing(records: Sequence[TrialRecord], epochs: int) -> Standing:
    """Of one configuration's runs on several seeds, by the mean of each objective and constraint.

    A constraint that is broken on some seeds alone is kept if it is kept on average.
    """
    values = [standing(record, epochs).values for record in records]
    violations = [record.violations.get(epochs, {}) for record in records]
    means = {name: float(np.mean([each[name] for each in violations])) for name in violations[0]}
    return Standing(
        records[0].number,
        tuple(np.mean(values, axis=0).tolist()),
        total_violation(means),
    )


def total_violation(violations: Mapping[str, float]) -> float:
    """What a configuration misses its constraints by, those that it keeps not counted."""
    return sum(max(0.0, value) for value in violations.values())


def feasible_score(record: TrialRecord, epochs: int) -> float | None:
    """The (first) objective at this length; None without one, or where a constraint is missed."""
    known = epochs in record.scores and not standing(record, epochs).violation
    return record.scores[epochs] if known else None


def ranked(standings: Iterable[Standing], directions: Sequence[str]) -> list[Standing]:
    """All of them, best first: the first is the best in the first objective on the first front."""
    feasible, infeasible = _apart(standings)
    first = _sign(directions[0])
    infeasible.sort(key=lambda s: (s.violation, first * s.values[0], s.number))
    if len(directions) == 1:
        return sorted(feasible, key=lambda s: (first * s.values[0], s.number)) + infeasible
    costs = _costs(feasible, directions)
    found: list[Standing] = []
    for members in _fronts(costs):
        distances, leads = crowding_distances(costs[members]), _leads(costs[members])
        keys = zip(-distances, leads, costs[members].tolist(), members, strict=True)
        found += [feasible[i] for *_, i in sorted(keys)]
    return found + infeasible


def front(standings: Iterable[Standing], directions: Sequence[str]) -> list[Standing]:
    """The feasible ones that no other one dominates, best in the first objective first."""
    feasible, _ = _apart(standings)
    costs = _costs(feasible, directions)
    members = next(iter(_fronts(costs)), [])
    order = sorted(members, key=lambda i: (*costs[i].tolist(), feasible[i].number))
    return [feasible[i] for i in order]


def crowding_distances(costs: Floats) -> Floats:
    """How far the neighbours of each member of a front are apart, (N, M) -> (N,).

    Summed over objectives, each in units of its range on the front; inf at the ends of one.
    """
    distances = np.zeros(len(costs))
    for column in costs.T:
        order = np.argsort(column, kind="stable")
        width = column[order[-1]] - column[order[0]]
        distances[order[[0, -1]]] = math.inf
        if width > 0:
            distances[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / width
    return distances


def _leads(costs: Floats) -> list[int]:
    """The first objective that each member of a front is the best in, their number for none.

    By three objectives and more a front has ends that are but the worst in one.
    """
    best = [int(np.argmin(column)) for column in costs.T]
    return [best.index(i) if i in best else len(best) for i in range(len(costs))]


def _apart(standings: Iterable[Standing]) -> tuple[list[Standing], list[Standing]]:
    """The feasible ones by number, and the infeasible ones."""
    everyone = sorted(standings, key=lambda s: s.number)
    feasible = [s for s in everyone if not s.violation]
    return feasible, [s for s in everyone if s.violation]


def _sign(direction: str) -> float:
    return -1.0 if direction == "maximize" else 1.0


def _costs(standings: Sequence[Standing], directions: Sequence[str]) -> Floats:
    """A row a configuration, lower is better."""
    signs = [_sign(direction) for direction in directions]
    return np.array([s.values for s in standings], float).reshape(-1, len(signs)) * signs


def _fronts(costs: Floats) -> list[list[int]]:
    """Rows by front; equal rows share one."""
    fronts: list[list[int]] = []
    # In this order nobody is dominated by one that comes after it.
    for row in np.lexsort(costs.T[::-1]).tolist():
        for members in fronts:
            others = costs[members]
            better = (others <= costs[row]).all(axis=1) & (others < costs[row]).any(axis=1)
            if not better.any():
                members.append(row)
                break
        else:
            fronts.append([row])
    return fronts
