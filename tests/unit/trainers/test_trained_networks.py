"""Every network as it is trained: company, pauses, the span, and metrics at inference."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from hpsearch.execution.population import population_key, population_limit
from hpsearch.nn import NETWORKS
from hpsearch.nn.networks.lenet import LeNet
from hpsearch.trainers import Member, Progress, TrainingData
from hpsearch.trainers.backprop import METRICS, Backprop

# By name: what a member of this network is given beside its rate and seed.
NETWORK_PARAMS: dict[str, dict[str, bool | int | float | str]] = {
    "two-layer": {"hidden": 9},
    "multi-layer": {"hidden": 9, "hidden_layers": 2, "batch_norm": True},
    "lenet": {"filters1": 2, "filters2": 3, "hidden": 9},
}


@pytest.fixture
def images(digits: TrainingData) -> TrainingData:
    """The hundred digits at 16 x 16 pixels, in two folds."""
    small = digits.inputs.reshape(-1, 8, 8)
    large = np.kron(small, np.ones((1, 2, 2), np.uint8)).reshape(len(small), 256)
    return TrainingData(large, digits.labels, n_classes=10, splits=digits.splits, scale=16.0)


def member(name: str, number: int, **params: bool | int | float | str) -> Member:
    """A member with an optimizer, rate, dropout and fold of its own, by its number."""
    own: dict[str, Any] = {
        "trainer": ("momentum", "sgd")[number % 2],
        "learning_rate": 0.01 * (1 + number),
    }
    shared = {"network": name, "batch_size": 7, **NETWORK_PARAMS[name]}
    dropout = {"dropout": 0.2 * (number % 3)} if name == "multi-layer" else {}
    momentum = {"batch_norm_momentum": 0.5 + number / 20} if name == "multi-layer" else {}
    all_params = {**own, **shared, **dropout, **momentum, **params}
    return Member(all_params, (3, number), number % 2)


def train(
    members: list[Member], data: TrainingData, until: int = 3
) -> tuple[np.ndarray, list[bytes | None]]:
    """Every metric of every epoch, (epochs, metrics, P), and the states in the end."""
    trainer = Backprop(members, data, n_epochs=3)
    steps: list[Progress] = list(trainer.run(until))
    rows = np.array([[step.metrics[m] for m in METRICS] for step in steps])
    return rows, [trainer.state(i) for i in range(len(members))]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("own", [{}, {"trainer": "adam"}])  # in the span, and not
def test_a_member_has_the_same_bits_alone(
    name: str, own: dict[str, str], images: TrainingData
) -> None:
    members = [member(name, i, **own) for i in range(8)]
    rows, states = train(members, images)
    for i in range(0, 8, 3):
        alone, (state,) = train([members[i]], images)
        assert np.array_equal(alone[:, :, 0], rows[:, :, i])
        assert state == states[i]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_paused_member_continues_to_the_same_bits(name: str, images: TrainingData) -> None:
    members = [member(name, i) for i in range(6)]
    rows, states = train(members, images)
    _, halfway = train(members, images, until=1)
    company = [4, 1, 2]
    going_on = [
        Member(members[i].params, members[i].entropy, members[i].split, halfway[i])
        for i in company
    ]
    rest, ends = train(going_on, images)
    assert np.array_equal(rest, rows[1:, :, company])
    assert ends == [states[i] for i in company]


@pytest.mark.parametrize("name", NETWORKS)
def test_learns_its_training_images(name: str, images: TrainingData) -> None:
    params: dict[str, Any] = {
        "trainer": "adam",
        "learning_rate": 0.01,
        "dropout": 0.0,
        "hidden": 30,
    }
    *_, last = Backprop([member(name, 0, **params)], images, n_epochs=40).run(40)
    assert last.metrics["train_accuracy"] > 0.95
    assert last.metrics["validation_accuracy"] > 0.4  # of 10 classes


def test_metrics_are_those_of_the_whole_network_with_running_statistics(
    images: TrainingData,
) -> None:
    # Dropout of 90 % while training would be seen in the loss.
    own: dict[str, Any] = {"trainer": "adam", "dtype": "float64", "hidden_layers": 1}
    trained = member("multi-layer", 0, dropout=0.9, **own)
    rows, (state,) = train([trained], images)
    assert state is not None
    with np.load(io.BytesIO(state)) as saved:
        w, statistics = saved["weights"], saved["statistics"]
    w1, b1, gamma, beta, w2, b2 = np.split(w, np.cumsum([256 * 9, 9, 9, 9, 9 * 10]))
    x = images.inputs / 16.0
    h = (x @ w1.reshape(256, 9) + b1 - statistics[:9]) / np.sqrt(statistics[9:] + 1e-5)
    logits = np.maximum(gamma * h + beta, 0) @ w2.reshape(9, 10) + b2
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    for metric, part in ((0, "train"), (2, "validation")):
        held = getattr(images.splits[0], part)
        wanted = -log_p[held, images.labels[held]].mean()
        assert rows[-1, metric, 0] == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_deep_network_in_the_span_is_the_plain_one(
    batch_norm: bool, images: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    own: dict[str, Any] = {
        "trainer": "sgd",
        "dtype": "float64",
        "batch_norm": batch_norm,
        "weight_decay": 0.01,
    }
    members = [member("multi-layer", i, **own) for i in range(4)]
    assert Backprop.variant(members[0].params, images)
    rotated, _ = train(members, images)
    monkeypatch.setattr(Backprop, "variant", classmethod(lambda cls, params, data: None))
    plain, _ = train(members, images)
    assert np.abs(rotated - plain).max() < 1e-10


def test_convolutions_are_never_rotated_and_train_alone(images: TrainingData) -> None:
    lenet, deep = (member(name, 1) for name in ("lenet", "multi-layer"))
    assert Backprop.variant(deep.params, images)
    assert not Backprop.variant(lenet.params, images)
    assert population_limit(deep, images) > 1
    assert population_limit(lenet, images) == 1


def test_members_share_what_fixes_shapes_and_nothing_else(images: TrainingData) -> None:
    key = population_key(member("multi-layer", 1), images)
    alike: dict[str, Any] = {
        "dropout": 0.6,
        "batch_norm_momentum": 0.1,
        "initial_weights": "zeros",
    }
    assert population_key(member("multi-layer", 1, **alike), images) == key
    for name, value in (
        ("hidden", 5),
        ("hidden_layers", 4),
        ("width_ratio", 0.5),
        ("activation", "tanh"),
        ("batch_norm", False),
        ("loss", "mean-squared-error"),
    ):
        assert population_key(member("multi-layer", 1, **{name: value}), images) != key


def test_dropout_leaves_initial_weights_and_the_order_of_images(images: TrainingData) -> None:
    # At a rate of learning of 1e-30 the weights stay: only the order could move the generators.
    calm: dict[str, Any] = {"learning_rate": 1e-30, "batch_norm": False}
    with_it, without = (member("multi-layer", 0, dropout=rate, **calm) for rate in (0.5, 0.0))
    rows, _ = train([with_it, without], images)
    assert np.array_equal(rows[:, :, 0], rows[:, :, 1])


def test_units_that_start_at_zero_stay_alike(images: TrainingData) -> None:
    own: dict[str, Any] = {
        "trainer": "adam",
        "activation": "sigmoid",
        "batch_norm": False,
        "hidden_layers": 1,
    }
    trained = member("multi-layer", 0, initial_weights="zeros", **own)
    rows, (state,) = train([trained], images)
    assert state is not None
    with np.load(io.BytesIO(state)) as saved:
        first = saved["weights"][: 256 * 9].reshape(256, 9)
    assert np.abs(first).max() > 0.01
    assert np.abs(first - first[:, :1]).max() < 1e-6
    assert rows[-1, 1, 0] < 0.5  # one unit's worth of accuracy


def test_images_scored_in_portions_give_the_same_scores(
    images: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    for portion in (7, 1000):
        monkeypatch.setattr(LeNet, "images_scored_together", portion)
        rows.append(train([member("lenet", 1)], images)[0])
    assert np.allclose(rows[0], rows[1], rtol=1e-5)
