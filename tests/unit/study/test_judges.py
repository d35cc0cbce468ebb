"""Who ends at a rung by Pareto rank and crowding distance."""

from __future__ import annotations

import pytest

from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.pruners import ParetoOptions
from hpsearch.study.pruning.judges import ParetoJudge
from tests.harness.records import trial

BOTH = ("maximize", "minimize")


def at_rung(number: int, *values: float, violation: float = 0.0, rung: int = 2) -> TrialRecord:
    record = trial(number, {})
    record.rungs[rung] = values[0]
    record.values[rung] = {f"objective {i}": value for i, value in enumerate(values)}
    record.violations[rung] = {"limit": violation}
    return record


def judge(keep: float = 0.5, n_startup_trials: int = 0) -> ParetoJudge:
    return ParetoJudge(ParetoOptions(keep, n_startup_trials), BOTH)


def test_the_dominated_half_ends() -> None:
    best, cheapest = at_rung(0, 0.9, 50.0), at_rung(1, 0.5, 5.0)
    worse, worst = at_rung(2, 0.8, 60.0), at_rung(3, 0.4, 70.0)
    assert set(judge().ended([best, cheapest, worse, worst], 2)) == {2, 3}


def test_within_a_front_those_in_the_crowd_end() -> None:
    # One front: its ends, and three that are close to each other.
    values = [(0.1, 1.0), (0.5, 5.0), (0.51, 5.1), (0.52, 5.2), (0.9, 9.0)]
    front = [at_rung(number, *value) for number, value in enumerate(values)]
    assert set(judge(keep=0.6).ended(front, 2)) == {2, 3}


def test_those_that_miss_a_constraint_end_first() -> None:
    over = at_rung(0, 0.9, 1.0, violation=0.2)
    within = at_rung(1, 0.1, 99.0)
    assert set(judge().ended([over, within], 2)) == {0}


def test_earlier_batches_count_also_those_that_ended_there() -> None:
    one = judge()
    first = [at_rung(0, 0.9, 1.0), at_rung(1, 0.5, 9.0)]
    assert set(one.ended(first, 2)) == {1}
    # Of three, two go on; better than the one that ended is enough.
    assert set(one.ended([at_rung(2, 0.6, 8.0)], 2)) == {1}
    assert set(one.ended([at_rung(3, 0.4, 9.5)], 2)) == {1, 3}


def test_another_rung_is_another_comparison() -> None:
    one = judge()
    assert set(one.ended([at_rung(0, 0.9, 1.0), at_rung(1, 0.5, 9.0)], 2)) == {1}
    assert set(one.ended([at_rung(2, 0.1, 99.0, rung=4)], 4)) == set()


@pytest.mark.parametrize("n", [0, 3, 4])
def test_nobody_ends_before_so_many_have_come(n: int) -> None:
    trials = [at_rung(number, 0.1 * number, 1.0) for number in range(3)]
    assert set(judge(n_startup_trials=n).ended(trials, 2)) == ({0} if n <= 3 else set())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"keep": 1.0}, "keep must be a share between 0 and 1, got 1.0"),
        ({"keep": True}, "keep must be a share between 0 and 1, got True"),
        ({"n_startup_trials": -1}, "n_startup_trials must be an integer from 0, got -1"),
        ({"n_startup_trials": 2.5}, "n_startup_trials must be an integer from 0, got 2.5"),
        ({"share": 0.5}, "must be keep and n_startup_trials for pareto, got 'share'"),
    ],
)
def test_options_that_it_does_not_take_are_said(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ParetoOptions.of(options)
