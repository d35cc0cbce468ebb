"""A forecast of what configurations cost, and draws that are weighed by it."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial
from sklearn.linear_model import RidgeCV

from hpsearch.samplers import CoarseToFineSampler
from hpsearch.samplers.coarse_to_fine.cost import PENALTIES, POWER, LinearForecast, cheapness
from hpsearch.samplers.coarse_to_fine.encoding import Encoding
from hpsearch.samplers.history import SECONDS, Observation, clocked_seconds, recorded_seconds
from hpsearch.samplers.unit import anywhere

SPACE = {
    "kind": CategoricalDistribution(["a", "b"]),
    "trees": IntDistribution(10, 1000, log=True),
    "rate": FloatDistribution(1e-4, 1.0, log=True),
}


def cost(params: Any) -> float:
    """b costs 10 times as much, and has trees, whose number it is proportional to."""
    return 0.3 if params["kind"] == "a" else 3 * params["trees"] / 100


def loss(trial: optuna.Trial) -> float:
    kind = trial.suggest_categorical("kind", ["a", "b"])
    off = math.log10(trial.suggest_float("rate", 1e-4, 1.0, log=True) / 3e-3) ** 2
    if kind == "b":
        off += 0.1 * math.log2(trial.suggest_int("trees", 10, 1000, log=True) / 200) ** 2
    trial.set_user_attr(SECONDS, {"1": cost(trial.params)})
    return off


def drawn(n: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    found = [{name: anywhere(d, rng.random()) for name, d in SPACE.items()} for _ in range(n)]
    for params in found:
        if params["kind"] == "a":
            del params["trees"]
    return found


def known(n: int, length: float = 1.0, noise: float = 0.0) -> list[tuple[Observation, float]]:
    rng = np.random.default_rng(1)
    return [
        (
            Observation(i, params, 0.0, {length: 0.0}),
            cost(params) * length * math.exp(noise * rng.standard_normal()),
        )
        for i, params in enumerate(drawn(n))
    ]


def test_the_forecast_is_scikit_learns_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.random((25, 6)), rng.random((9, 6))
    chosen = set()
    for noise in (0.01, 0.3, 3.0):
        y = x @ np.arange(6) + noise * rng.standard_normal(25) + 4
        theirs = RidgeCV(PENALTIES).fit(x, y)
        chosen.add(theirs.alpha_)
        np.testing.assert_allclose(LinearForecast(x, y)(z), theirs.predict(z), rtol=1e-8)
    assert len(chosen) > 1


def test_costs_of_branches_and_sizes_are_foreseen_from_few_trials() -> None:
    encoding, others = Encoding(SPACE, drawn(20)), drawn(200, seed=5)
    found = cheapness(encoding, known(20), encoding.rows(others), 1.0)
    assert found.max() == 1.0
    expected = np.array([cost(params) for params in others]) ** -POWER
    errors = np.log(found / found.mean()) - np.log(expected / expected.mean())
    assert np.abs(errors - np.median(errors)).max() < 0.25  # of a range of a factor of 30


def test_what_costs_ten_times_as_much_needs_five_times_the_improvement() -> None:
    encoding = Encoding(SPACE, drawn(40))
    pair = encoding.rows([{"kind": "b", "trees": n, "rate": 0.01} for n in (60, 600)])
    cheap, expensive = cheapness(encoding, known(40), pair, 1.0)
    assert cheap / expensive == pytest.approx(10**POWER, rel=0.1)


def test_times_of_short_and_long_trainings_are_not_mistaken_for_parameters() -> None:
    """Those with many trees happen to be trained for long."""
    trials = [
        (Observation(i, one.params, 0.0, {length: 0.0}), seconds * length)
        for i, (one, seconds) in enumerate(known(60))
        for length in [27.0 if one.params.get("trees", 0) > 100 or not i % 3 else 1.0]
    ]
    encoding = Encoding(SPACE, drawn(60))
    pair = encoding.rows([{"kind": "b", "trees": n, "rate": 0.01} for n in (60, 600)])
    cheap, expensive = cheapness(encoding, trials, pair, 27.0)
    assert cheap / expensive == pytest.approx(10**POWER, rel=0.25)


def test_the_noise_of_a_clock_hardly_moves_it() -> None:
    encoding = Encoding(SPACE, drawn(30))
    rows = encoding.rows(drawn(100, seed=5))
    ratio = cheapness(encoding, known(30, noise=0.05), rows, 1.0) / cheapness(
        encoding, known(30), rows, 1.0
    )
    assert np.abs(np.log(ratio)).max() < 0.1


def test_few_costs_or_none_say_nothing() -> None:
    encoding = Encoding(SPACE, drawn(4))
    rows = encoding.rows(drawn(10, seed=5))
    assert cheapness(encoding, known(4), rows, 1.0).tolist() == [1.0] * 10
    assert np.isfinite(cheapness(encoding, [(o, 0.0) for o, _ in known(8)], rows, 1.0)).all()


def search(trials: int, batch: int = 1, **more: Any) -> optuna.Study:
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=3, batch=batch, **more))
    for _ in range(trials // batch):
        asked = [study.ask() for _ in range(batch)]
        for trial, value in [(trial, loss(trial)) for trial in asked]:
            study.tell(trial, value)
    return study


@pytest.mark.parametrize("batch", [1, 4])
def test_per_second_as_many_trials_take_less_time_and_are_as_good(batch: int) -> None:
    plain, weighed = search(40, batch), search(40, batch, per="second")
    spent = [sum(cost(t.params) for t in study.trials[10:]) for study in (plain, weighed)]
    assert spent[1] < 0.8 * spent[0]  # half of what is left goes to the draws from anywhere
    assert weighed.best_value < 0.02
    assert search(40, batch, per="trial").trials[-1].params == plain.trials[-1].params
    first = [[t.params for t in study.trials[:10]] for study in (plain, weighed)]
    assert first[0] == first[1]  # nothing is known yet


@pytest.mark.parametrize("batch", [1, 4])
def test_a_restart_draws_the_same_from_the_same_seconds(batch: int) -> None:
    whole = search(24, batch, per="second")
    again = optuna.create_study(sampler=CoarseToFineSampler(seed=3, batch=batch, per="second"))
    again.add_trials(whole.trials[:20])
    following = [again.ask() for _ in range(batch)]
    for trial in following:
        loss(trial)
    assert [t.params for t in following] == [t.params for t in whole.trials[20 : 20 + batch]]


def test_seconds_may_come_from_the_caller() -> None:
    def reversed_cost(trial: optuna.trial.FrozenTrial) -> float | None:
        return 1 / cost(trial.params) if trial.number != 7 else None

    def n_cheap(**more: Any) -> int:
        return sum(t.params["kind"] == "a" for t in search(40, per="second", **more).trials)

    assert n_cheap(seconds=reversed_cost) < n_cheap()


def test_a_trial_without_recorded_seconds_took_those_until_its_end() -> None:
    began = datetime(2026, 1, 1)
    trial = create_trial(value=1.0)
    trial.datetime_start, trial.datetime_complete = began, began + timedelta(seconds=90)
    assert (clocked_seconds(trial), recorded_seconds(trial)) == (90.0, None)
    trial.set_user_attr(SECONDS, {"3": 4.0, "27": 9.0, "9": 6.0})
    assert (clocked_seconds(trial), recorded_seconds(trial)) == (9.0, 9.0)
    trial = create_trial(state=optuna.trial.TrialState.RUNNING)
    assert clocked_seconds(trial) is None


def test_other_proposals_and_words_are_refused() -> None:
    for proposal in ("model-free", "random", "uniform"):
        with pytest.raises(ValueError, match="per must be left out beside proposal = "):
            CoarseToFineSampler(proposal=proposal, per="second")
    with pytest.raises(ValueError, match="per must be one of trial, second, got 'hour'"):
        CoarseToFineSampler(per="hour")  # type: ignore[arg-type]
