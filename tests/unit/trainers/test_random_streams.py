"""The legacy streams are those of a textbook script, and travel with a paused member."""

from __future__ import annotations

import io
import random
from dataclasses import replace

import numpy as np
import pytest

from hpsearch.trainers import Member, TrainingData
from hpsearch.trainers.backprop import METRICS, Backprop
from hpsearch.trainers.random_streams import Legacy

LEGACY: dict[str, str | int | float] = {
    "random_streams": "legacy",
    "initial_weights": "normal",
    "dtype": "float64",
    "network": "two-layer",
    "hidden": 12,
    "batch_size": 7,
    "learning_rate": 0.1,
}


def member(number: int, **params: str | int | float) -> Member:
    """A member with an optimizer, streams, repeat and fold of its own, by its number."""
    own = {"trainer": ("sgd", "momentum")[number % 2]}
    own["random_streams"] = ("legacy", "spawned")[number % 3 == 2]
    return Member({**LEGACY, **own, **params}, (3, number, number % 5, 0), number % 2)


def train(members: list[Member], data: TrainingData, until: int = 3) -> list[tuple[object, ...]]:
    """Every metric of every epoch of each member, and its state in the end."""
    trainer = Backprop(members, data, n_epochs=3)
    steps = list(trainer.run(until))
    return [
        (*(s.metrics[m][i] for s in steps for m in METRICS), trainer.state(i))
        for i in range(len(members))
    ]


@pytest.mark.parametrize("repeat", [0, 4])
def test_weights_are_those_of_the_textbook_script(repeat: int, digits: TrainingData) -> None:
    trainer = Backprop(
        [Member({**LEGACY, "trainer": "sgd"}, (9, 5, repeat, 1), 1)], digits, n_epochs=3
    )
    list(trainer.run(3))
    state = trainer.state(0)
    assert state is not None
    with np.load(io.BytesIO(state)) as saved:
        trained = saved["weights"]
    np.random.seed(1 + repeat)
    random.seed(1 + repeat)
    w1, w2 = 0.01 * np.random.randn(64, 12), 0.01 * np.random.randn(12, 10)
    b1, b2 = np.zeros(12), np.zeros(10)
    x, y = digits.inputs / 16.0, digits.labels
    rows = digits.splits[1].train
    index = [int(row) for k in range(10) for row in rows if y[row] == k]
    for _ in range(3):
        random.shuffle(index)
        for start in range(0, len(index), 7):
            j = index[start : start + 7]
            a1 = x[j] @ w1 + b1
            z = np.maximum(a1, 0)
            d = np.exp(z @ w2 + b2)
            d /= d.sum(1, keepdims=True)
            d[np.arange(len(j)), y[j]] -= 1
            d /= len(j)
            dz = d @ w2.T * (a1 > 0)
            w2 -= 0.1 * (z.T @ d)
            b2 -= 0.1 * d.sum(0)
            w1 -= 0.1 * (x[j].T @ dz)
            b1 -= 0.1 * dz.sum(0)
    wanted = np.concatenate([a.ravel() for a in (w1, b1, w2, b2)])
    assert np.abs(trained - wanted).max() < 1e-13


def test_trials_and_folds_of_one_repeat_start_alike(digits: TrainingData) -> None:
    params = {**LEGACY, "trainer": "sgd"}
    same = [Member(params, entropy, 0) for entropy in ((3, 1, 2, 0), (4, 7, 2, 1))]
    one, other = train(same, digits)
    assert one == other
    assert train([Member(params, (3, 1, 3, 0), 0)], digits) != [one]


@pytest.mark.parametrize("n_members", [8, 32])
def test_a_member_has_the_same_bits_alone(n_members: int, digits: TrainingData) -> None:
    members = [member(i) for i in range(n_members)]
    together = train(members, digits)
    for i in range(0, n_members, 5):
        assert train([members[i]], digits) == [together[i]]


@pytest.mark.parametrize("pause", [1, 2])
def test_a_paused_member_continues_to_the_same_bits(pause: int, digits: TrainingData) -> None:
    members = [member(i) for i in range(6)]
    whole = train(members, digits)
    first = Backprop(members, digits, n_epochs=3)
    list(first.run(pause))
    company = [4, 1, 3]
    going_on = [replace(members[i], state=first.state(i)) for i in company]
    for i, later in zip(company, train(going_on, digits), strict=True):
        assert later == whole[i][len(METRICS) * pause :]


def test_a_refit_has_a_seed_that_numpy_takes(digits: TrainingData) -> None:
    refit = Member(LEGACY, (0, 3, (1 << 32) + 4, 0), 0)
    streams = Legacy(refit, digits.splits[0].train, digits.labels)
    first = streams.weights.standard_normal()
    # Of no repeat's: what is tested is no network that was chosen by its score.
    assert first not in {np.random.RandomState(seed).randn() for seed in range(1, 200)}
