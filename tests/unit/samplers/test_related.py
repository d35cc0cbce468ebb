"""Optuna's samplers under relations: what they draw is drawn again until it keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from hpsearch.samplers.named import NamedSampler
from hpsearch.samplers.related import Relations


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    return {name: trial.suggest_float(name, 0.0, 1.0) for name in "ab"}


def relations(least: float) -> Relations:
    """That b is larger than a by so much."""

    def draw(rng: np.random.Generator, most: int) -> list[dict[str, Any]]:
        return [{"a": rng.uniform(0, 1 - least) / 2, "b": 1.0} for _ in range(most)]

    return Relations(
        hold=lambda params: params["b"] > params["a"] + least,
        hold_all=lambda columns: columns["b"] > columns["a"] + least,
        draw=draw,
    )


@pytest.mark.parametrize("least", [0.0, 0.9999])  # the second is found by no redraw
@pytest.mark.parametrize("name", ["random", "tpe", "nsga2"])
def test_batches_keep_relations_and_repeat(name: str, least: float) -> None:
    study = optuna.create_study()
    for number in range(20):
        params = {"a": 0.1, "b": 1 - number / 1000}
        spaces = dict.fromkeys(params, FloatDistribution(0.0, 1.0))
        study.add_trial(create_trial(params=params, distributions={**spaces}, value=float(number)))
    sampler, numbers = NamedSampler(name, {}, relations=relations(least)), range(20, 24)
    batch, again = (sampler.draw_ahead(study, numbers, suggest, (0, 1)) for _ in range(2))
    assert batch == again
    assert all(drawn.params["b"] > drawn.params["a"] + least for drawn in batch)
    assert len({drawn.params["a"] for drawn in batch}) == 4
