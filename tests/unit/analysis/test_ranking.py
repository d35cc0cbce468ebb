"""Fronts, crowding and constraints, against their definitions spelled out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.analysis.ranking import (
    Standing,
    crowding_distances,
    feasible_score,
    front,
    mean_standing,
    ranked,
)
from hpsearch.records.outcome import Outcome
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.stages import best_first, promoted

DIRECTIONS = st.lists(st.sampled_from(["maximize", "minimize"]), min_size=2, max_size=4)
# Few different numbers, so that there are many ties.
VALUES = st.integers(-3, 3).map(float)
VIOLATIONS = st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0])


@st.composite
def populations(draw: st.DrawFn) -> tuple[list[Standing], list[str]]:
    directions = draw(DIRECTIONS)
    rows = st.tuples(st.tuples(*[VALUES] * len(directions)), VIOLATIONS)
    drawn = draw(st.lists(rows, max_size=25))
    return [Standing(n, *row) for n, row in enumerate(drawn)], directions


def beats(one: Standing, other: Standing, directions: Sequence[str]) -> bool:
    """Constrained domination as the paper has it, an objective at a time."""
    if one.violation or other.violation:
        return one.violation < other.violation
    better = worse = False
    for mine, theirs, direction in zip(one.values, other.values, directions, strict=True):
        if direction == "minimize":
            mine, theirs = -mine, -theirs
        better, worse = better or mine > theirs, worse or mine < theirs
    return better and not worse


@given(populations())
def test_the_front_is_what_no_feasible_one_dominates(
    drawn: tuple[list[Standing], list[str]],
) -> None:
    everyone, directions = drawn
    wanted = {
        s.number
        for s in everyone
        if not s.violation and not any(beats(other, s, directions) for other in everyone)
    }
    found = front(everyone, directions)
    assert {s.number for s in found} == wanted
    sign = -1 if directions[0] == "maximize" else 1
    assert [sign * s.values[0] for s in found] == sorted(sign * s.values[0] for s in found)


@given(populations())
def test_all_are_ranked_front_by_front_and_the_infeasible_by_violation(
    drawn: tuple[list[Standing], list[str]],
) -> None:
    everyone, directions = drawn
    found = ranked(everyone, directions)
    assert sorted(s.number for s in found) == [s.number for s in everyone]
    for place, one in enumerate(found):
        assert not any(beats(later, one, directions) for later in found[place + 1 :])
    # Peel front after front off by the definition.
    left, fronts = [s for s in everyone if not s.violation], []
    while left:
        best = [s for s in left if not any(beats(other, s, directions) for other in left)]
        fronts.append({s.number for s in best})
        left = [s for s in left if s not in best]
    place = 0
    for numbers in fronts:
        assert {s.number for s in found[place : place + len(numbers)]} == numbers
        place += len(numbers)
    late = [s.violation for s in found[place:]]
    assert late == sorted(late)
    assert ranked(everyone[::-1], directions) == found


@given(populations())
def test_the_first_is_the_best_in_the_first_objective_on_the_front(
    drawn: tuple[list[Standing], list[str]],
) -> None:
    everyone, directions = drawn
    if found := front(everyone, directions):
        assert ranked(everyone, directions)[0] == found[0]


@given(st.lists(st.tuples(VALUES, VIOLATIONS), max_size=20))
def test_one_objective_is_sorted_feasible_ones_first(rows: list[tuple[float, float]]) -> None:
    everyone = [Standing(n, (value,), violation) for n, (value, violation) in enumerate(rows)]
    found = ranked(everyone, ["maximize"])
    assert found == sorted(everyone, key=lambda s: (s.violation, -s.values[0], s.number))


def test_crowding_distances_are_those_of_the_paper() -> None:
    costs = np.array([[0.0, 4.0], [1.0, 3.0], [3.0, 1.0], [4.0, 0.0]])
    # Each side of the cuboid of the neighbours, in units of the front's range of 4.
    assert crowding_distances(costs).tolist() == [math.inf, 1.5, 1.5, math.inf]
    assert crowding_distances(np.ones((3, 2))).tolist() == [math.inf, 0.0, math.inf]


def test_the_lonely_of_a_front_go_first() -> None:
    values = [(0.0, 10.0), (1.0, 9.0), (1.1, 8.9), (5.0, 4.0), (10.0, 0.0)]
    everyone = [Standing(n, each) for n, each in enumerate(values)]
    found = [s.number for s in ranked(everyone, ["minimize", "minimize"])]
    assert found == [0, 4, 3, 2, 1]


def test_of_the_ends_the_best_in_each_objective_go_first() -> None:
    # Accuracy, images and memory, as a search of LeNet's found them; 2 is an end by its images.
    values = [(0.991, 25600.0, 120.0), (0.984, 25600.0, 61.0), (0.964, 3200.0, 10.0)]
    values += [(0.971, 19200.0, 32.0), (0.962, 6400.0, 9.9)]
    everyone = [Standing(n, each) for n, each in enumerate(values)]
    found = [s.number for s in ranked(everyone, ["maximize", "minimize", "minimize"])]
    assert found == [0, 2, 4, 1, 3]


def record(number: int, *values: float, missed: float = 0.0) -> TrialRecord:
    found = TrialRecord(
        uid=str(number),
        kind="trial",
        number=number,
        params={},
        members=[MemberRecord(0, SeedKey(0, number, 0, 0))],
        digests={},
        scores={2: values[0]},
        outcome=Outcome.PAUSED,
        violations={2: {"loss at most 1": missed}},
    )
    if len(values) > 1:
        found.values = {2: {str(place): value for place, value in enumerate(values)}}
    return found


def test_the_front_is_promoted_and_no_infeasible_trial() -> None:
    records = [
        record(0, 0.9, 9.0),  # an end of the second front
        record(1, 0.8, 5.0),
        record(2, 0.7, 6.0),  # dominated by 1
        record(3, 0.5, 1.0),
        record(4, 0.99, 0.0, missed=0.1),
        record(5, 0.98, 0.1, missed=-0.2),
    ]
    directions = ["maximize", "minimize"]
    assert [r.number for r in best_first(records, 2, directions)] == [5, 0, 3, 1, 2, 4]
    going_on = promoted(records, 2, 3, directions)
    assert going_on == [5, 0, 3]


def test_with_one_objective_the_infeasible_are_promoted_last() -> None:
    records = [record(0, 0.9, missed=0.3), record(1, 0.5), record(2, 0.95, missed=0.1)]
    assert [r.number for r in best_first(records, 2, ["maximize"])] == [1, 2, 0]
    assert [feasible_score(r, 2) for r in records] == [None, 0.5, None]
    assert feasible_score(records[1], 4) is None


def test_a_constraint_is_judged_by_its_mean_over_seeds() -> None:
    several = mean_standing([record(0, 0.4, missed=0.2), record(0, 0.6, missed=-0.4)], 2)
    assert several == Standing(0, (0.5,), 0.0)
    assert mean_standing([record(0, 0.4, missed=0.3)], 2).violation == pytest.approx(0.3)
