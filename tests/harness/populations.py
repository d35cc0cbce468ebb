"""Members that differ in all that members may differ in, and what their training gives."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from hpsearch.learning_rates import POLICIES
from hpsearch.optimizers import OPTIMIZERS
from hpsearch.trainers import Member, Progress, TrainingData
from hpsearch.trainers.backprop import METRICS, Backprop
from hpsearch.trainers.weight_decay import KINDS


def member(number: int, **params: bool | int | float | str) -> Member:
    """A member with an optimizer, rate, policy, decay and fold of its own, by its number."""
    trainer = list(OPTIMIZERS)[number % len(OPTIMIZERS)]
    relative = not OPTIMIZERS[trainer].rotation_invariant  # steps of about the rate's size
    rate: dict[str, Any] = {"learning_rate": (0.002 if relative else 0.05) * (1 + number / 10)}
    decay: dict[str, Any] = {
        "weight_decay": 0.01 * (number % 2),
        "weight_decay_kind": KINDS[number % 3],
    }
    policy: dict[str, Any] = {"learning_rate_policy": list(POLICIES)[number % len(POLICIES)]}
    own: dict[str, Any] = {
        "trainer": trainer,
        "network": "two-layer",
        "hidden": 12,
        "batch_size": 7,
    }
    return Member({**own, **rate, **decay, **policy, **params}, (3, number), number % 2)


def weights(state: bytes | None) -> np.ndarray:
    assert state is not None
    with np.load(io.BytesIO(state)) as saved:
        array: np.ndarray = saved["weights"]
    return array


class Outcome:
    """All that can be told of a member after training: metrics by epoch, and its state."""

    def __init__(self, rows: list[tuple[float, ...]], state: bytes | None) -> None:
        self.rows, self.state = rows, state

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Outcome)
        return self.rows == other.rows and self.state == other.state


def train(members: Sequence[Member], data: TrainingData, until: int = 3) -> list[Outcome]:
    trainer = Backprop(members, data, n_epochs=3)
    steps: list[Progress] = list(trainer.run(until))
    return [
        Outcome([tuple(s.metrics[m][i] for m in METRICS) for s in steps], trainer.state(i))
        for i in range(len(members))
    ]
