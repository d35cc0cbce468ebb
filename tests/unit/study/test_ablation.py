"""The way from the defaults to the winner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from hpsearch.analysis.trial_model import TrialModel
from hpsearch.study.confirmation.ablation import n_configurations, path
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.relation_reading import read_relations
from hpsearch.studyfile.space import Space

SPACE = Space(
    (
        Parameter("trainer", CategoricalDistribution(["sgd", "momentum"]), {}),
        Parameter("learning_rate", FloatDistribution(1e-4, 1.0, log=True), {}),
        Parameter("hidden", IntDistribution(5, 100), {}),
        Parameter("momentum", FloatDistribution(0.5, 0.99), {"trainer": ("momentum",)}),
    ),
    {"network": "two-layer"},
)
DEFAULT = SPACE.complete({"trainer": "sgd", "network": "two-layer"})
WINNER = SPACE.complete(
    DEFAULT | {"trainer": "momentum", "learning_rate": 0.1, "hidden": 100, "momentum": 0.7}
)


def model(**slopes: float) -> TrialModel:
    """Of trials whose score is a sum of these parts of their parameters."""
    rng = np.random.default_rng(0)
    params, scores = [], []
    for _ in range(300):
        one: dict[str, Any] = {
            "trainer": str(rng.choice(["sgd", "momentum"])),
            "learning_rate": float(10 ** rng.uniform(-4, 0)),
            "hidden": int(rng.integers(5, 101)),
        }
        if one["trainer"] == "momentum":
            one["momentum"] = float(rng.uniform(0.5, 0.99))
        parts = {
            "trainer": float(one["trainer"] == "momentum"),
            "learning_rate": (np.log10(one["learning_rate"]) + 4) / 4,
            "hidden": one["hidden"] / 100,
        }
        params.append(one)
        scores.append(sum(slopes.get(name, 0.0) * part for name, part in parts.items()))
    return TrialModel(SPACE, params, scores, seed=0)


def changes(found: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[list[str]]:
    return [[*changed] for _, changed in found]


def test_what_the_model_expects_most_of_is_changed_first() -> None:
    steps = path(SPACE, DEFAULT, WINNER, model(learning_rate=3, hidden=1), better=1, most=99)
    assert changes(steps)[:2] == [["learning_rate"], ["hidden"]]
    steps = path(SPACE, DEFAULT, WINNER, model(hidden=3, learning_rate=1), better=1, most=99)
    assert changes(steps)[:2] == [["hidden"], ["learning_rate"]]


def test_no_step_breaks_a_relation() -> None:
    space = SPACE.with_relations(read_relations(["hidden > 90 * learning_rate + 40"], SPACE)[0])
    found = model(learning_rate=3, hidden=1)
    winner = WINNER | {"learning_rate": 0.5}
    steps = path(space, DEFAULT, winner, found, better=1, most=99)
    assert changes(steps)[0] == ["hidden"]  # 50 are too few beside the winner's rate
    assert all(space.broken(params) is None for params, _ in steps)


def test_where_lower_is_better_the_model_is_read_so() -> None:
    falls = model(hidden=-3, learning_rate=-1)
    assert changes(path(SPACE, DEFAULT, WINNER, falls, better=-1, most=99))[0] == ["hidden"]


def test_a_choice_brings_along_what_only_it_has() -> None:
    steps = path(SPACE, DEFAULT, WINNER, model(trainer=3), better=1, most=99)
    assert changes(steps)[0] == ["trainer", "momentum"]
    params, changed = steps[0]
    assert changed == {"trainer": "momentum", "momentum": 0.7}
    assert (params["learning_rate"], params["hidden"]) == (0.01, 50)


def test_the_path_ends_at_the_winner_and_changes_each_parameter_once() -> None:
    steps = path(SPACE, DEFAULT, WINNER, model(), better=1, most=99)
    assert steps[-1][0] == WINNER
    names = [name for changed in changes(steps) for name in changed]
    assert sorted(names) == ["hidden", "learning_rate", "momentum", "trainer"]


@pytest.mark.parametrize(("most", "last"), [(0, 4), (1, 3)])
def test_with_few_runs_the_rest_changes_in_one_step(most: int, last: int) -> None:
    steps = path(SPACE, DEFAULT, WINNER, model(learning_rate=3), better=1, most=most)
    assert len(steps) == most + 1
    assert len(steps[-1][1]) == last
    assert steps[-1][0] == WINNER


def test_a_budget_is_of_trainings() -> None:
    assert n_configurations(50, seeds=5, members=5) == 2
    assert n_configurations(24, seeds=5, members=5) == 0
    assert n_configurations(None, seeds=5, members=5) > 1000
