"""Images that training can reduce, and members that may be trained on them so."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpsearch.learning_rates import POLICIES
from hpsearch.optimizers import OPTIMIZERS
from hpsearch.trainers import Member, Split, TrainingData
from hpsearch.trainers.inputs import Reduction
from hpsearch.trainers.live_inputs import LiveFirst
from hpsearch.trainers.span import Span

N, LEARNED = 60, 24  # images; of the others some are only scored on

ROTATABLE = [name for name, o in OPTIMIZERS.items() if o.rotation_invariant]


def data_for(kind: type[Reduction]) -> TrainingData:
    """Images of 90 pixels for the span; of 28, 9 without ink in all learned ones, for the live."""
    rng = np.random.default_rng(0)
    n_inputs = 90 if kind is Span else 28
    inputs = rng.integers(0, 256, size=(N, n_inputs)).astype(np.uint8)
    if kind is not Span:
        inputs[:LEARNED, ::4] = 0
        inputs[:, 1:3] = 0  # nowhere any ink
    train = np.arange(LEARNED)
    folds = [Split(np.setdiff1d(train, train[k::2]), train[k::2]) for k in range(2)]
    beyond = Split(train[::2], np.arange(LEARNED, N))  # scored on images that are never learned
    splits = [*folds, beyond]
    return TrainingData(inputs, np.arange(N) % 3, n_classes=3, splits=splits, scale=255.0)


def member(kind: type[Reduction], number: int, **params: bool | int | float | str) -> Member:
    """A member that may be reduced so, with an optimizer, decay and policy by its number."""
    names = ROTATABLE if kind is Span else list(OPTIMIZERS)
    trainer = str(params.get("trainer", names[number % len(names)]))
    rotatable = OPTIMIZERS[trainer].rotation_invariant
    own: dict[str, Any] = {
        "trainer": trainer,
        "network": "two-layer",
        "hidden": 8,
        "batch_size": 5,
    }
    own |= {"learning_rate": (0.02 if rotatable else 0.002) * (1 + number), "dtype": "float64"}
    own |= {"weight_decay_kind": "l2" if rotatable and number % 2 else "decoupled"}
    if kind is LiveFirst:  # each weight moves at a pace of its own
        own |= {"weight_decay_kind": "l1" if rotatable or number % 2 else "l2"}
    own |= {"learning_rate_policy": list(POLICIES)[number % len(POLICIES)]}
    return Member(
        {**own, "weight_decay": 0.05 * (number + (kind is LiveFirst)), **params},
        (1, number),
        number % 3,
    )
