"""Learning curves of real trainings for bench_tasks.py and bench_fidelity.py."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpsearch.execution.examples import training_data
from hpsearch.studyfile.tables.data import Data
from hpsearch.trainers import Member, trainer_kind

SPACE: dict[str, BaseDistribution] = {
    "learning_rate": FloatDistribution(1e-3, 1e3, log=True),
    "weight_decay": FloatDistribution(1e-6, 10.0, log=True),
    "momentum": FloatDistribution(0.0, 0.99),
    "batch_size": IntDistribution(16, 256, log=True),
    "hidden": IntDistribution(8, 256, log=True),
}
DIGITS, MNIST = "digits MLP", "few-shot MNIST"
FIXED = {"kind": "fixed", "train": [0, 50_000], "validation": [50_000, 52_000]}
DATA = {  # MNIST: 20 images per class, scored on 2,000 others
    DIGITS: Data(name="digits"),
    MNIST: Data.model_validate({"name": "mnist", "shots": 20, "split": FIXED}),
}
WORST = 2.5  # cross entropy of a network that knows nothing
FRESH_SEEDS = 8  # trainings that measure the worth of a configuration; a single one is off by .01


def ask(trial: optuna.Trial, name: str, d: BaseDistribution) -> Any:
    if isinstance(d, CategoricalDistribution):
        return trial.suggest_categorical(name, d.choices)
    if isinstance(d, IntDistribution):
        return trial.suggest_int(name, d.low, d.high, log=d.log)
    assert isinstance(d, FloatDistribution)
    return trial.suggest_float(name, d.low, d.high, log=d.log)


def learning_curve(name: str, params: dict[str, Any], until: int, epochs: int) -> Sequence[float]:
    """Validation loss after each epoch of hpsearch's own training of a two-layer network.

    Args:
        name: a key of DATA.
        until: number of epochs to train; a full training has `epochs`.
    """
    return _curve(name, tuple(sorted(params.items())), until, epochs)


@cache
def _curve(
    name: str, items: tuple[tuple[str, Any], ...], until: int, epochs: int
) -> Sequence[float]:
    return _curves(name, dict(items), (0,), until, epochs)[0]


def fresh_loss(name: str, params: dict[str, Any], epochs: int) -> float:
    """Mean validation loss after full trainings from seeds that no search has seen."""
    fresh = range(1, FRESH_SEEDS + 1)
    return statistics.fmean(curve[-1] for curve in _curves(name, params, fresh, epochs, epochs))


def _curves(
    name: str, params: dict[str, Any], repeats: Sequence[int], until: int, epochs: int
) -> list[list[float]]:
    """One curve per repeat."""
    kind = trainer_kind("momentum")
    assert kind is not None
    described = kind.hyperparameters() | kind.trainer.network_hyperparameters("two-layer")
    full = {n: h.default for n, h in described.items() if h.default is not None}
    full |= {"trainer": "momentum", "network": "two-layer", **params}
    data = training_data(DATA[name].selection(seed=0), "validation")
    members = [Member(full, (0, 0, repeat, 0), 0) for repeat in repeats]
    curves = [[WORST] * until for _ in members]
    diverged = np.zeros(len(members), bool)  # for good
    for progress in kind.trainer(members, data, n_epochs=epochs).run(until):
        diverged |= progress.diverged
        losses = np.where(diverged, WORST, progress.metrics["validation_loss"])
        for curve, loss in zip(curves, losses, strict=True):
            curve[progress.epoch - 1] = min(WORST, float(loss)) if math.isfinite(loss) else WORST
    return curves
