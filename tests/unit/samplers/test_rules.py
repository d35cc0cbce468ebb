"""What the versions of the proposal by a Gaussian process add to those before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import create_trial

from hpsearch.samplers import CoarseToFineSampler, Prior
from hpsearch.samplers.coarse_to_fine.encoding import ABSENT, Encoding
from hpsearch.samplers.coarse_to_fine.gp_proposal import FAR, n_candidates, stalled
from hpsearch.samplers.coarse_to_fine.model import mixed_targets, normal_scores
from hpsearch.samplers.coarse_to_fine.pool import around_branches
from hpsearch.samplers.coarse_to_fine.rules import rule_of
from hpsearch.samplers.history import Observation

SPACE = {
    "trainer": CategoricalDistribution(["sgd", "momentum", "adam"]),
    "lr": FloatDistribution(1e-4, 1.0, log=True),
    "momentum": FloatDistribution(0.0, 1.0),
}
SEEN: list[dict[str, Any]] = [
    {"trainer": "momentum", "lr": 0.01, "momentum": 0.5},
    {"trainer": "momentum", "lr": 0.011, "momentum": 0.6},
    {"trainer": "sgd", "lr": 0.1},
    {"trainer": "adam", "lr": 0.001},
]
CLUSTER = [0.001 * k for k in range(20)]


@pytest.mark.parametrize("targets", [normal_scores, mixed_targets])
def test_targets_keep_the_order_and_put_diverged_trials_last(targets: Any) -> None:
    scores = np.array([3.0, 1.0, np.inf, 2.0, np.inf, 4.0, 5.0, 6.0, 7.0, 8.0])
    found = targets(scores)
    assert list(np.argsort(found, kind="stable"))[:3] == [1, 3, 0]
    assert found[2] == found[4] == found.max()
    assert np.isfinite(targets(np.ones(9))).all()


def test_trials_that_cluster_take_little_of_the_mixed_targets_range() -> None:
    scores = np.array([*CLUSTER, *np.linspace(0.5, 3.0, 20)])
    shares = [np.ptp(found[:20]) / np.ptp(found) for found in map(_targets(scores), (1, 2))]
    assert shares[1] < 0.75 * shares[0]


def _targets(scores: Any) -> Any:
    return lambda rule: (mixed_targets if rule_of(rule).mixed_targets else normal_scores)(scores)


def test_few_scores_count_by_rank_alone() -> None:
    scores = np.array([3.0, 1.0, 2.0, 9.0])
    np.testing.assert_array_equal(mixed_targets(scores), normal_scores(scores))


def test_candidates_lie_around_the_best_of_every_branch() -> None:
    encoding = Encoding(SPACE, SEEN)
    rng = np.random.default_rng(0)
    found = [
        encoding.params(r) for r in around_branches(encoding, encoding.rows(SEEN), 300, 0.1, rng)
    ]
    for best in (SEEN[0], *SEEN[2:]):
        near = [params for params in found if params["trainer"] == best["trainer"]]
        assert len(near) > 60
        assert all(params.keys() == best.keys() for params in near)
        off = [abs(math.log10(params["lr"] / best["lr"])) for params in near]
        assert 0 < np.median(off) < 0.5
    rows = encoding.rows([{"lr": 0.1, "momentum": 0.5}])
    numeric = Encoding({n: SPACE[n] for n in ("lr", "momentum")}, [])
    assert len(around_branches(numeric, rows[:, 1:], 300, 0.1, rng)) == 0


def test_categories_on_which_others_depend_are_gates() -> None:
    other = {"activation": CategoricalDistribution(["relu", "tanh"])}
    encoding = Encoding(SPACE | other, [{**seen, "activation": "relu"} for seen in SEEN])
    assert [encoding.names[j] for j in encoding.gates()] == ["trainer"]
    flat = Encoding(other, [{"activation": "relu"}])
    assert flat.gates() == [0]
    assert (encoding.rows(SEEN) == ABSENT).any()


def seen(*scores: float) -> list[Observation]:
    return sorted((Observation(n, {}, s) for n, s in enumerate(scores)), key=lambda o: o.score)


def test_a_search_stalls_where_the_last_ten_brought_next_to_nothing() -> None:
    start = [1.0 - 0.01 * k for k in range(15)]
    assert not stalled(seen(*start[:12], *[0.5] * 7))  # too few to tell
    assert stalled(seen(*start, *[0.2] * 11))
    assert stalled(seen(*start, 0.2, *[0.195] * 10))
    assert not stalled(seen(*start, 0.2, *[0.1] * 10))
    assert not stalled(seen(*[math.inf] * 40, *start[:10]))


def drawn(rule: Any, batch: int, trials: int = 60) -> list[dict[str, Any]]:
    """Of a study in which one branch is soon as good as it can be."""
    sampler = CoarseToFineSampler(seed=0, rule=rule, batch=batch)
    study = optuna.create_study(sampler=sampler)
    while len(study.trials) < trials:
        asked = [study.ask() for _ in range(batch)]
        scores = [_flat(trial) for trial in asked]
        for trial, score in zip(asked, scores, strict=True):
            study.tell(trial, score)
    return [trial.params for trial in study.trials]


def _flat(trial: optuna.Trial) -> float:
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    x = trial.suggest_float("x", 0.0, 1.0)
    return max(0.1, abs(x - 0.4)) + {"a": 0.0, "b": 0.3, "c": 0.4}[kind]


@pytest.mark.parametrize("batch", [1, 4])
def test_a_stalled_search_leaves_the_best_s_category(batch: int) -> None:
    late = range(40, 60, max(2, batch))
    by_rule = {rule: drawn(rule, batch) for rule in (1, 2)}
    elsewhere = {rule: sum(p[n]["kind"] != "a" for n in late) for rule, p in by_rule.items()}
    assert elsewhere[2] == len(late) > elsewhere[1]


def test_a_stalled_search_of_numbers_looks_far_from_the_best() -> None:
    def score(trial: optuna.Trial) -> float:
        x, y = (trial.suggest_float(name, 0.0, 1.0) for name in "xy")
        return max(0.05, abs(x - 0.3)) + max(0.05, abs(y - 0.3))

    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    study.optimize(score, n_trials=60)
    best = study.best_trial.params
    far = [max(abs(t.params[n] - best[n]) for n in "xy") for t in study.trials[40:60:2]]
    assert min(far) > FAR


def test_every_tenth_trial_heeds_results_until_there_are_sixty() -> None:
    def heeds(rule: Any, number: int) -> bool:
        found = []
        for sign in (1.0, -1.0):
            study = optuna.create_study(sampler=CoarseToFineSampler(seed=0, rule=rule))
            for x in np.random.default_rng(0).random(number):
                space = {"x": FloatDistribution(0.0, 1.0)}
                trial = create_trial(params={"x": x}, distributions={**space}, value=sign * x)
                study.add_trial(trial)
            found.append(study.ask().suggest_float("x", 0.0, 1.0))
        return found[0] != found[1]

    assert [heeds(rule, 19) for rule in (1, 2, 3, 4)] == [False, False, True, True]
    assert [heeds(3, number) for number in (59, 69)] == [True, False]


def test_a_trial_alone_has_more_candidates_by_newer_rules() -> None:
    assert [n_candidates(1, rule_of(rule)) for rule in (1, 2, 3, 4)] == [240, 240, 960, 960]
    assert {n_candidates(4, rule_of(rule)) for rule in (1, 2, 3, 4)} == {480}


def test_a_rule_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="rule must be one of 1, 2, 3, 4, got 5"):
        CoarseToFineSampler(rule=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", [1, 2, 3, 4])
@pytest.mark.parametrize("highs", [(10,), (5, 5), (3, 12)])
def test_the_first_trials_of_a_small_space_differ(rule: Any, highs: Sequence[int]) -> None:
    for seed in range(5):
        study = optuna.create_study(sampler=CoarseToFineSampler(seed=seed, rule=rule))
        for _ in range(10):
            trial = study.ask()
            study.tell(trial, sum(trial.suggest_int(f"n{i}", 1, h) for i, h in enumerate(highs)))
        assert len({tuple(t.params.values()) for t in study.trials}) == 10


# The first five trials without and with a prior, in thousandths of the range: a study goes on with
# the rule it was begun with, on any machine.
BEFORE = [992, 63, 647, 775, 232], [992, 900, 647, 930, 232]
NOW = [795, 238, 588, 665, 339], [795, 900, 588, 665, 759]
FIRST = {1: BEFORE, 2: BEFORE, 3: BEFORE, 4: NOW}


@pytest.mark.parametrize("rule", [1, 2, 3, 4])
def test_the_first_draws_of_a_rule_stay_what_they_are(rule: Any) -> None:
    for priors, expected in zip(({}, {"x": Prior(0.9)}), FIRST[rule], strict=True):
        study = optuna.create_study(sampler=CoarseToFineSampler(seed=1, rule=rule, priors=priors))
        for _ in range(len(expected)):
            trial = study.ask()
            study.tell(trial, trial.suggest_float("x", 0.0, 1.0))
        found = [1000 * trial.params["x"] for trial in study.trials]
        np.testing.assert_allclose(found, expected, atol=0.51)


def test_the_newest_rule_draws_the_first_trials_from_the_middle_of_ranges() -> None:
    def first(rule: Any, proposal: Any = "gp") -> tuple[list[float], list[str]]:
        sampler = CoarseToFineSampler(seed=0, rule=rule, proposal=proposal)
        study = optuna.create_study(sampler=sampler)
        for _ in range(10):
            trial = study.ask()
            x = trial.suggest_float("x", 1e-4, 1.0, log=True)
            kind = trial.suggest_categorical("kind", list("abcde"))
            study.tell(trial, x + len(kind))
        return [t.params["x"] for t in study.trials], [t.params["kind"] for t in study.trials]

    (before, kinds), (now, same_kinds) = first(3), first(4)
    places = [1 + math.log10(x) / 4 for x in before]
    middle = [1 + math.log10(x) / 4 for x in now]
    np.testing.assert_allclose(middle, [0.5 + 0.6 * (u - 0.5) for u in places], atol=1e-5)
    assert kinds == same_kinds
    assert min(places) < 0.1
    assert max(places) > 0.9
    assert first(3, "model-free") == first(4, "model-free")


def test_tiny_scores_have_targets() -> None:
    scores = 1e-200 * (1 + np.linspace(0, 1, 12) ** 2)
    found = mixed_targets(scores)
    np.testing.assert_array_equal(np.argsort(found, kind="stable"), np.arange(12))
    np.testing.assert_allclose(found, mixed_targets(1e200 * scores))


def test_a_stalled_search_leaves_the_best_s_category_while_others_run() -> None:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
    running: list[tuple[optuna.Trial, float]] = []
    while len(study.trials) < 60:
        trial = study.ask()
        running.append((trial, _flat(trial)))
        if len(running) > 1:
            study.tell(*running.pop(0))
    assert all(study.trials[n].params["kind"] != "a" for n in range(40, 60, 2))
