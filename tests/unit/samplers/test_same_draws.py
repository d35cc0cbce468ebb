"""Draws that need no linear algebra are the same in every version: a study that was begun with an
older one goes on with the trials that it would have drawn."""

from __future__ import annotations

import math
from typing import Any

import optuna
import pytest

from hpsearch.samplers import CoarseToFineSampler

NUMBERS = (0, 5, 6, 9, 12, 20, 25, 28, 29)
# Version 0.1, numpy 2.4; the first, sixth, … of 30 trials.
DRAWN = {
    "model-free": [
        ("c", 0.000601827, 13),
        ("b", 0.00011513, 14),
        ("b", 0.0020391, 1),
        ("a", 0.440437, 21),
        ("a", 0.071088, 1),
        ("a", 0.0571063, 1),
        ("c", 0.00124441, 2),
        ("a", 0.139434, 1),
        ("b", 0.979585, 4),
    ],
    "random": [
        ("a", 0.000475149, 58),
        ("a", 0.000232875, 1),
        ("b", 0.0331029, 2),
        ("a", 0.0692799, 10),
        ("b", 0.0452295, 5),
        ("b", 0.0406884, 3),
        ("b", 0.0331043, 2),
        ("b", 0.0330961, 2),
        ("b", 0.0387629, 2),
    ],
    "uniform": [
        ("a", 0.000475149, 58),
        ("a", 0.000232875, 1),
        ("b", 0.0020391, 1),
        ("a", 0.440437, 21),
        ("a", 0.261546, 46),
        ("a", 0.454256, 25),
        ("a", 0.000366857, 4),
        ("a", 0.000362314, 3),
        ("b", 0.979585, 4),
    ],
}


def three(trial: optuna.Trial) -> float:
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    rate = trial.suggest_float("lr", 1e-4, 1.0, log=True)
    n = trial.suggest_int("n", 1, 64, log=True)
    return (math.log10(rate) + 2) ** 2 + (kind == "a") + n / 64


@pytest.mark.parametrize("proposal", DRAWN)
def test_a_seed_draws_what_it_drew_in_older_versions(proposal: Any) -> None:
    sampler = CoarseToFineSampler(seed=11, proposal=proposal, n_startup=6)
    study = optuna.create_study(sampler=sampler)
    study.optimize(three, n_trials=30)
    drawn = [tuple(study.trials[number].params.values()) for number in NUMBERS]
    assert drawn == DRAWN[proposal]
