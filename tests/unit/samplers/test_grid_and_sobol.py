"""Samplers that draw from a trial's number alone."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from scipy.stats import qmc

from hpsearch.samplers.grid import GridSampler
from hpsearch.samplers.sobol import BLOCK, SobolSampler

UNIT = FloatDistribution(0.0, 1.0)


def point(sampler: SobolSampler, number: int, *names: str) -> list[float]:
    trial = optuna.trial.create_trial(value=0.0)
    trial.number = number
    study = optuna.create_study()
    return [sampler.sample_independent(study, trial, name, UNIT) for name in names]


@pytest.mark.parametrize("scramble", [True, False])
def test_trial_n_has_point_n_of_the_sequence_whoever_asks_and_when(scramble: bool) -> None:
    expected = qmc.Sobol(2, scramble=scramble, rng=5).random(2 * BLOCK).round(6)
    for numbers in ([0, 1, 7, BLOCK - 1, BLOCK, BLOCK + 3], [BLOCK + 3, 7]):  # a restart, too
        sampler = SobolSampler(["a", "b"], seed=5, scramble=scramble)
        for number in numbers:
            assert sampler.ignores_results(number)
            found = point(sampler, number, "b", "a")
            np.testing.assert_allclose(found[::-1], expected[number], atol=1e-6)


def test_a_grid_gives_cell_n_to_trial_n_and_no_more() -> None:
    sampler = GridSampler([{"kind": "a", "x": 1}, {"kind": "b"}])
    study = optuna.create_study(sampler=sampler)
    for number in range(2):
        assert sampler.ignores_results(number)
        trial = study.ask()
        if trial.suggest_categorical("kind", ["a", "b"]) == "a":
            trial.suggest_int("x", 0, 3)
    assert [trial.params for trial in study.trials] == [{"kind": "a", "x": 1}, {"kind": "b"}]
    with pytest.raises(
        ValueError, match="a grid of 2 cells must have no more trials, got number 2"
    ):
        study.ask().suggest_categorical("kind", ["a", "b"])


def test_a_parameter_that_a_cell_lacks_is_named() -> None:
    study = optuna.create_study(sampler=GridSampler([{"kind": "a", "z": 1}]))
    with pytest.raises(ValueError, match="cell 0 of the grid must have x, got kind, z"):
        study.ask().suggest_int("x", 0, 3)
