"""PED-ANOVA in arrays: Optuna's own numbers, of one set of trials and of every resample."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import create_trial

from hpsearch.analysis.ped_anova import importance

DISTRIBUTIONS = {
    "range": FloatDistribution(-1.0, 1.0),
    "log": FloatDistribution(1e-4, 1.0, log=True),
    "steps": FloatDistribution(0.0, 1.0, step=0.25),
    "whole": IntDistribution(1, 12),
    "wide": IntDistribution(0, 1000),
    "whole log": IntDistribution(1, 300, log=True),
    "two": IntDistribution(0, 1),
    "choices": CategoricalDistribution(["a", "b", "c", "d"]),
}


def drawn(distribution: BaseDistribution, n: int, rng: np.random.Generator) -> list[Any]:
    """Values, with some of them again and again."""
    if isinstance(distribution, CategoricalDistribution):
        return [distribution.choices[i] for i in rng.integers(0, 3, n)]  # one is never drawn
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high, share = distribution.low, distribution.high, rng.random(n) ** 2
    share[: n // 4] = share[0]
    places = low * (high / low) ** share if distribution.log else low + (high - low) * share
    if isinstance(distribution, IntDistribution):
        return [int(place) for place in np.round(places)]
    if distribution.step is not None:
        places = np.round((places - low) / distribution.step) * distribution.step + low
    return [float(place) for place in places]


def by_optuna(
    distribution: BaseDistribution, values: Sequence[Any], losses: Sequence[float]
) -> float:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize")
    study.add_trials(
        [
            create_trial(params={"x": v}, distributions={"x": distribution}, value=loss)
            for v, loss in zip(values, losses, strict=True)
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PedAnovaImportanceEvaluator().evaluate(study, params=["x"])["x"]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("n", [9, 40])
def test_resamples_have_the_numbers_of_optuna(name: str, n: int) -> None:
    rng, distribution = np.random.default_rng(n), DISTRIBUTIONS[name]
    values, losses = drawn(distribution, n, rng), np.round(rng.random(n), 1)  # with ties
    counts = rng.multinomial(n, np.full(n, 1 / n), 6).astype(np.float64)
    counts[0] = 1
    found = importance(distribution, values, losses, counts)
    for resample, said in zip(counts.astype(int), found, strict=True):
        rows = np.repeat(np.arange(n), resample)
        known = by_optuna(distribution, [values[i] for i in rows], losses[rows].tolist())
        assert said == pytest.approx(known, rel=1e-6, abs=1e-9)


def test_what_makes_the_best_is_important_and_what_does_not_is_not() -> None:
    rng, ones = np.random.default_rng(0), np.ones((1, 400))
    decides, other = rng.random(400), rng.random(400)
    unit = FloatDistribution(0.0, 1.0)
    losses = (decides - 0.3) ** 2
    of_it = importance(unit, decides.tolist(), losses, ones)[0]
    of_other = importance(unit, other.tolist(), losses, ones)[0]
    assert of_it > 10 * of_other


def test_a_resample_without_any_of_the_trials_says_nothing() -> None:
    unit = FloatDistribution(0.0, 1.0)
    assert importance(unit, [0.1, 0.9], np.array([0.0, 1.0]), np.zeros((1, 2))).tolist() == [0]


def test_a_parameter_of_some_trials_has_the_number_of_optuna() -> None:
    rng, n = np.random.default_rng(5), 60
    model, rate = rng.integers(3, size=n), rng.random(n)
    losses = 0.0002 * model + (rate - 0.5) ** 2
    choice, unit = CategoricalDistribution(["0", "1", "2"]), FloatDistribution(0.0, 1.0)
    study = optuna.create_study(direction="minimize")
    for one, x, loss in zip(model, rate, losses, strict=True):
        distributions: dict[str, BaseDistribution] = {"model": choice, f"rate{one}": unit}
        params = {"model": str(one), f"rate{one}": float(x)}
        study.add_trial(create_trial(params=params, distributions=distributions, value=loss))
    known = PedAnovaImportanceEvaluator().evaluate(study)
    for one in range(3):
        having = np.flatnonzero(model == one)
        values = rate[having].tolist()
        found = importance(unit, values, losses, np.ones((1, n)), having=having.tolist())[0]
        assert found == pytest.approx(known[f"rate{one}"], rel=1e-6, abs=1e-9)
    assert known["rate1"] > 0  # the second model is among the best, too
