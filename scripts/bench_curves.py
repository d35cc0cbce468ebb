"""Learning curves of real trainings for bench_tasks.py and bench_fidelity.py."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpsearch.execution.population import training_data
from hpsearch.search.study_file import Data, Fixed
from hpsearch.trainers import Member, trainer_kind

SPACE: dict[str, BaseDistribution] = {
    "learning_rate": FloatDistribution(1e-3, 1e3, log=True),
    "weight_decay": FloatDistribution(1e-6, 10.0, log=True),
    "momentum": FloatDistribution(0.0, 0.99),
    "batch_size": IntDistribution(16, 256, log=True),
    "hidden": IntDistribution(8, 256, log=True),
}
DIGITS, MNIST = "digits MLP", "few-shot MNIST"
DATA = {
    DIGITS: Data(name="digits"),
    # 20 images a class, scored on 2,000 others.
    MNIST: Data(
        name="mnist",
        shots=20,
        split=Fixed(kind="fixed", train=[0, 50_000], validation=[50_000, 52_000]),
    ),
}
WORST = 2.5  # cross entropy of a network that knows nothing


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
        until: epochs trained, of `epochs` in a full training.
    """
    return _curve(name, tuple(sorted(params.items())), until, epochs)


@cache
def _curve(
    name: str, items: tuple[tuple[str, Any], ...], until: int, epochs: int
) -> Sequence[float]:
    kind = trainer_kind("momentum")
    assert kind is not None
    described = kind.hyperparameters() | kind.trainer.network_hyperparameters("two-layer")
    params = {n: h.default for n, h in described.items() if h.default is not None}
    params |= {"trainer": "momentum", "network": "two-layer", **dict(items)}
    data = training_data(DATA[name].selection(seed=0), "validation")
    trainer = kind.trainer([Member(params, (0, 0, 0, 0), 0)], data, n_epochs=epochs)
    losses = [WORST] * until
    for progress in trainer.run(until):
        if progress.diverged[0]:
            break
        loss = float(progress.metrics["validation_loss"][0])
        losses[progress.epoch - 1] = min(WORST, loss) if math.isfinite(loss) else WORST
    return losses
