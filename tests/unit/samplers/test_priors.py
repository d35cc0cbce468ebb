"""What people expect of good configurations shapes a search, and fades where it is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from hpsearch.samplers import CoarseToFineSampler, Prior
from hpsearch.samplers.coarse_to_fine.encoding import Encoding
from hpsearch.samplers.coarse_to_fine.priors import Confidence, Priors
from hpsearch.samplers.history import Observation
from hpsearch.samplers.unit import Floats, from_unit

RATE = FloatDistribution(1e-5, 1.0, log=True)
UNITS = IntDistribution(8, 512, log=True)
KIND = CategoricalDistribution(["a", "b", "c"])
BEST = {"rate": 3e-3, "units": 64, "kind": "b"}
RIGHT = {"rate": Prior(3e-3), "units": Prior(64), "kind": Prior(weights=(1, 4, 1))}
WRONG = {"rate": Prior(0.5), "units": Prior(8), "kind": Prior(weights=(4, 1, 1))}


def loss(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 1e-5, 1.0, log=True)
    units = trial.suggest_int("units", 8, 512, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    off = math.log10(rate / 3e-3) ** 2 + math.log2(units / 64) ** 2 / 8
    return off + 0.5 * (kind != "b")


def searched(priors: Mapping[str, Prior], trials: int, **more: Any) -> optuna.Study:
    sampler = CoarseToFineSampler(seed=3, priors=priors, **more)
    study = optuna.create_study(sampler=sampler)
    study.optimize(loss, n_trials=trials)
    return study


def places(prior: Prior, distribution: Any, n: int = 400) -> Floats:
    return np.array([prior.place(distribution, (i + 0.5) / n) for i in range(n)])


@pytest.mark.parametrize("distribution", [RATE, UNITS])
@pytest.mark.parametrize(("confidence", "share"), [("low", 0.3), ("medium", 0.5), ("high", 0.95)])
def test_the_surer_it_is_the_closer_it_draws(
    distribution: Any, confidence: Confidence, share: float
) -> None:
    prior = Prior(float(from_unit(distribution, 0.5)), confidence)
    found = places(prior, distribution)
    assert (np.diff(found) > 0).all()
    assert found.mean() == pytest.approx(prior.centre(distribution), abs=0.01)
    assert np.mean(np.abs(found - prior.centre(distribution)) < 0.12) > share
    assert 0 <= found.min() < found.max() <= 1


def test_at_an_end_of_the_range_it_draws_inside() -> None:
    found = places(Prior(1.0, "high"), RATE)
    assert found.max() <= 1
    assert found.min() > 0.7


def test_choices_come_as_often_as_their_weights_say() -> None:
    found = np.floor(places(Prior(weights=(1, 3, 0)), KIND) * 3)
    assert np.bincount(found.astype(int), minlength=3).tolist() == [100, 300, 0]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "must have a value, or weights"),
        ({"value": 1.0, "weights": (1.0,)}, "must have a value, or weights"),
        ({"value": 1.0, "confidence": "sure"}, "confidence must be one of low, medium, high"),
        ({"weights": (0.0, 0.0)}, "must be at least 0, and one above 0"),
        ({"weights": (-1.0, 2.0)}, "must be at least 0, and one above 0"),
        ({"weights": (1e308, 1e308)}, "must be at least 0, and one above 0"),
        ({"value": math.nan}, "must be finite"),
        ({"value": 1.0, "confidence": ["high"]}, "confidence must be one of"),
    ],
)
def test_what_is_no_prior_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Prior(**given)


@pytest.mark.parametrize(
    ("prior", "distribution", "why"),
    [
        (Prior(2.0), RATE, "must be a number in it, got 2"),
        (Prior(weights=(1, 1)), KIND, "must be 3 numbers, one for each choice"),
        (Prior(weights=(1, 1)), RATE, "must be a number in it, got None"),
    ],
)
def test_a_prior_of_something_else_is_refused(prior: Prior, distribution: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        prior.place(distribution, 0.5)


@pytest.mark.parametrize("proposal", ["random", "uniform"])
def test_proposals_that_would_not_use_it_refuse_it(proposal: Any) -> None:
    with pytest.raises(ValueError, match=f"beside proposal = '{proposal}'"):
        CoarseToFineSampler(seed=0, proposal=proposal, priors=RIGHT)


@pytest.mark.parametrize(("proposal", "every"), [("gp", 3), ("model-free", 2)])
def test_some_of_the_first_trials_are_drawn_by_it_and_the_others_are_not(
    proposal: Any, every: int
) -> None:
    expected = [t.params for t in searched(RIGHT, 10, proposal=proposal).trials]
    plain = [t.params for t in searched({}, 10, proposal=proposal).trials]
    by_prior = range(1, 10, every)
    for number in {*range(10)} - {*by_prior}:
        assert expected[number] == plain[number]
    assert expected[1] == BEST
    assert all(1e-4 < expected[n]["rate"] < 0.1 for n in by_prior)
    assert all(expected[n]["rate"] != plain[n]["rate"] for n in by_prior)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_right_one_helps_and_a_wrong_one_is_recovered_from(batch: int) -> None:
    without, right, wrong = (
        searched(priors, 30, batch=batch).best_value for priors in ({}, RIGHT, WRONG)
    )
    assert right <= without
    assert wrong < 0.1  # the median of random ones is 1.9


def test_it_is_trusted_as_far_as_results_agree() -> None:
    space = {"rate": RATE}
    priors, encoding = Priors({"rate": Prior(1e-5)}), Encoding(space, [])

    def trust(scores: Floats) -> float:
        rates = np.logspace(-5, 0, len(scores))
        pairs = sorted(zip(scores, rates, strict=True))
        seen = [Observation(i, {"rate": r}, s, {1: s}) for i, (s, r) in enumerate(pairs)]
        return priors.trust(encoding, seen)

    rising = np.linspace(0, 1, 20)
    assert trust(rising) > 0.9
    assert trust(-rising) == 0
    assert 0 < trust(np.ones(20)) < 0.2  # nothing is known but what people say
    assert trust(np.ones(3)) == pytest.approx(0.5)


def test_its_weight_fades_with_the_results() -> None:
    priors, encoding = Priors(RIGHT), Encoding({"rate": RATE, "units": UNITS, "kind": KIND}, [])
    pool = encoding.rows([BEST, {"rate": 1.0, "units": 8, "kind": "a"}])
    ratios = [np.divide(*priors.preference(encoding, pool, 1.0, n)) for n in (10, 20, 100)]
    assert ratios[0] == pytest.approx(1000)  # the least density is a thousandth
    assert ratios[1] == pytest.approx(1000**0.5)
    assert ratios[2] < 2.1
    assert priors.preference(encoding, pool, 0.0, 10).tolist() == [1, 1]


def test_a_restart_in_the_middle_of_a_batch_draws_the_same() -> None:
    def asked(study: optuna.Study, n: int) -> list[tuple[optuna.Trial, float]]:
        drawn = [study.ask() for _ in range(n)]
        return [(trial, loss(trial)) for trial in drawn]

    def study() -> optuna.Study:
        sampler = CoarseToFineSampler(seed=3, priors=RIGHT, batch=4)
        return optuna.create_study(sampler=sampler)

    whole, again = study(), study()
    for _ in range(4):
        for trial, value in asked(whole, 4):
            whole.tell(trial, value)
    again.add_trials(whole.trials)
    first = [trial.params for trial, _ in asked(whole, 4)]
    begun = [trial.params for trial, _ in asked(again, 2)]
    again.sampler = CoarseToFineSampler(seed=3, priors=RIGHT, batch=4)  # with two pending
    assert begun + [trial.params for trial, _ in asked(again, 2)] == first


def test_a_branch_without_the_parameter_is_neither_better_nor_worse_for_it() -> None:
    space = {"kind": CategoricalDistribution(["a", "b"]), "rate": RATE}
    encoding = Encoding(space, [{"kind": "a", "rate": 0.1}, {"kind": "b"}])
    priors = Priors({"rate": Prior(3e-3, "high")})
    rng = np.random.default_rng(0)
    drawn = [from_unit(RATE, priors.of["rate"].place(RATE, u)) for u in rng.random(4000)]
    rows = encoding.rows([{"kind": "a", "rate": rate} for rate in drawn])
    (without,) = priors.log_density(encoding, encoding.rows([{"kind": "b"}]))
    assert priors.log_density(encoding, rows).mean() == pytest.approx(without, abs=0.05)


def test_many_priors_do_not_weigh_more_than_a_few() -> None:
    space = {f"x{i:02}": FloatDistribution(0.0, 1.0) for i in range(20)}
    encoding, rng = Encoding(space, []), np.random.default_rng(0)
    priors = Priors(dict.fromkeys(space, Prior(0.5)))
    weights = priors.preference(encoding, rng.random((500, 20)), 1.0, 10)
    assert len(np.unique(weights)) > 400  # few are at the floor


def test_what_was_tried_is_drawn_without_it() -> None:
    sure = {"n": Prior(2, "high"), "kind": Prior(weights=(1, 0, 0))}
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=0, priors=sure))

    def few(trial: optuna.Trial) -> float:
        kind = trial.suggest_categorical("kind", ["a", "b", "c"])
        return trial.suggest_int("n", 1, 4) + "abc".index(kind)

    study.optimize(few, n_trials=10)
    assert len({tuple(trial.params.items()) for trial in study.trials}) >= 9


def test_a_centre_that_breaks_a_relation_is_drawn_elsewhere() -> None:
    sampler = CoarseToFineSampler(seed=0, proposal="model-free", priors={"x": Prior(0.5, "high")})

    def second(sampler: Any) -> float:
        study = optuna.create_study(sampler=sampler)
        study.enqueue_trial({"x": 0.1})
        for value in (1.0, 2.0):
            trial = study.ask()
            x = trial.suggest_float("x", 0.0, 1.0)
            study.tell(trial, value)
        return x

    assert second(sampler) == 0.5
    again = {second(sampler.redrawn(attempt)) for attempt in (1, 2, 3)}
    assert len(again | {0.5}) == 4
