"""Importances with their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from hpsearch.analysis.importance import FEWEST, Direction, importances
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space
from tests.harness.records import trial

UNIT = FloatDistribution(0.0, 1.0)
SPACE = Space(
    (
        Parameter("kind", CategoricalDistribution(["a", "b"]), {}),
        Parameter("decides", UNIT, {}),
        Parameter("idle", UNIT, {}),
        Parameter("of_b", UNIT, {"kind": ("b",)}),
    ),
    {},
)


def trials(n: int, seed: int = 0, noise: float = 0.01) -> list[TrialRecord]:
    rng, found = np.random.default_rng(seed), []
    for number in range(n):
        kind, decides = "ab"[number % 2], float(rng.random())
        record = trial(number, {10: -((decides - 0.4) ** 2) + noise * float(rng.normal())})
        record.params |= {"kind": kind, "decides": decides, "idle": float(rng.random())}
        if kind == "b":
            record.params["of_b"] = float(rng.random())
        found.append(record)
    return found


def test_shares_sum_to_one_largest_first_and_lie_in_their_intervals() -> None:
    found = importances(SPACE, trials(100), epochs=10, direction="maximize")
    assert next(iter(found)) == "decides"
    assert set(found) == {"kind", "decides", "idle", "of_b"}
    shares = [one.share for one in found.values()]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= one.low <= one.share <= one.high <= 1 for one in found.values())
    assert found["decides"].low > found["kind"].high  # it is no chance


def test_they_repeat() -> None:
    records = trials(40)
    assert importances(SPACE, records, epochs=10, direction="maximize") == importances(
        SPACE, records, epochs=10, direction="maximize"
    )


def test_of_more_trials_intervals_are_narrower() -> None:
    few, many = (
        importances(SPACE, trials(n, noise=0.05), epochs=10, direction="maximize")["decides"]
        for n in (40, 800)
    )
    assert many.high - many.low < (few.high - few.low) / 2


def test_an_interval_covers_what_other_searches_with_as_many_trials_say() -> None:
    found = [
        importances(SPACE, trials(60, seed, 0.05), epochs=10, direction="maximize")
        for seed in range(60)
    ]
    for name in ("decides", "idle"):
        usual = np.mean([one[name].share for one in found])
        inside = sum(one[name].low <= usual <= one[name].high for one in found)
        assert inside >= 0.9 * len(found)


def test_the_direction_says_which_trials_are_good() -> None:
    records = trials(100)
    for record in records:
        record.scores = {10: float(record.params["decides"])}
    directions: tuple[Direction, ...] = ("maximize", "minimize")
    for direction in directions:
        found = importances(SPACE, records, epochs=10, direction=direction)
        assert next(iter(found)) == "decides"


def test_diverged_trials_count_as_the_worst() -> None:
    records = trials(100)
    for record in records:
        record.scores = {10: 0.5 + 1e-6 * record.number}
        if float(record.params["idle"]) > 0.5:
            record.scores, record.outcome = {}, Outcome.DIVERGED
    found = importances(SPACE, records, epochs=10, direction="maximize")
    assert next(iter(found)) == "idle"


def test_what_only_a_worse_choice_has_does_not_hide_the_choice() -> None:
    """Half of the trials are of a kind that is never among the best."""
    records = trials(100, noise=0.0)
    for record in records:
        worse = record.params["kind"] == "b"
        within = float(record.params["of_b"]) if worse else float(record.params["decides"])
        record.scores = {10: 1e-3 * within - worse}
    found = importances(SPACE, records, epochs=10, direction="maximize")
    assert found["of_b"].share == pytest.approx(0, abs=1e-9)
    assert found["kind"].share > 2 * found["idle"].share
    assert found["kind"].share > 0.05


def test_too_few_trials_say_nothing() -> None:
    assert importances(SPACE, trials(FEWEST - 1), epochs=10, direction="maximize") == {}
    assert importances(SPACE, trials(40), epochs=5, direction="maximize") == {}
    # Of b there are half as many.
    found = importances(SPACE, trials(2 * FEWEST - 2), epochs=10, direction="maximize")
    assert set(found) == {"kind", "decides", "idle"}
