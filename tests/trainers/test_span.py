"""Training in the span of the training images is the same training."""

from __future__ import annotations

import numpy as np
import pytest

from hpsearch.execution.population import population_key
from hpsearch.trainers import Member, Split, TrainingData, span
from hpsearch.trainers.backprop import METRICS, Backprop
from hpsearch.trainers.span import Span, learned_rows, worthwhile

N, D = 60, 90  # 60 images of 90 pixels; 24 of them are trained on


@pytest.fixture
def data() -> TrainingData:
    rng = np.random.default_rng(0)
    inputs, labels = rng.integers(0, 256, size=(N, D)).astype(np.uint8), np.arange(N) % 3
    train = np.arange(24)
    folds = [Split(np.setdiff1d(train, train[k::2]), train[k::2]) for k in range(2)]
    beyond = Split(train[::2], np.arange(24, N))  # scored on images outside the span
    return TrainingData(inputs, labels, n_classes=3, splits=[*folds, beyond], scale=255.0)


def member(number: int, **params: bool | int | float | str) -> Member:
    trainer = ("sgd", "momentum", "nesterov")[number % 3]
    kind = ("l2", "decoupled")[number // 2 % 2]
    own = {"trainer": trainer, "network": "two-layer", "hidden": 8, "weight_decay_kind": kind}
    own |= {"learning_rate": 0.02 * (1 + number), "batch_size": 5, "dtype": "float64"}
    return Member({**own, "weight_decay": 0.05 * number, **params}, (1, number), number % 3)


def train(members: list[Member], data: TrainingData, until: int = 15) -> np.ndarray:
    """Every metric of every epoch and member, (epochs, metrics, P)."""
    trainer = Backprop(members, data, n_epochs=15)
    return np.array([[p.metrics[m] for m in METRICS] for p in trainer.run(until)])


def test_the_rotated_training_is_the_plain_one(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [member(i) for i in range(6)]
    assert worthwhile(data)
    rotated = train(members, data)
    monkeypatch.setattr(span, "WORTHWHILE", 0)
    assert not worthwhile(data)
    plain = train(members, data)
    assert np.abs(rotated - plain).max() < 1e-12


def test_rows_are_the_same_bits_in_any_company(data: TrainingData) -> None:
    members = [member(i, dtype="float32") for i in range(8)]
    together = train(members, data)
    for i in (0, 3, 7):
        assert (train([members[i]], data)[:, :, 0] == together[:, :, i]).all()


def test_a_pause_changes_no_bit(data: TrainingData) -> None:
    members = [member(i) for i in range(4)]
    whole = train(members, data)
    first = Backprop(members, data, n_epochs=15)
    for _ in first.run(6):
        pass
    later = [Member(m.params, m.entropy, m.split, first.state(i)) for i, m in enumerate(members)]
    assert (train(later, data) == whole[6:]).all()


def test_a_state_holds_the_narrow_weights(data: TrainingData) -> None:
    plain = 90 * 8 + 8 + 8 * 3 + 3
    trainer = Backprop([member(0)], data, n_epochs=1)
    state = trainer.state(0)
    assert state is not None
    assert len(state) < 8 * plain


def test_optimizers_that_see_coordinates_are_not_rotated(data: TrainingData) -> None:
    adam, sgd = member(0, trainer="adam"), member(0)
    assert Backprop.variant(sgd.params, data)
    assert not Backprop.variant(adam.params, data)
    assert population_key(sgd, data) != population_key(adam, data)


def test_an_l1_penalty_is_not_rotated(data: TrainingData) -> None:
    assert not Backprop.variant(member(1, weight_decay_kind="l1").params, data)
    assert Backprop.variant(member(1, weight_decay_kind="l1", weight_decay=0.0).params, data)


def test_more_images_than_pixels_are_not_rotated() -> None:
    rng = np.random.default_rng(0)
    half = np.arange(20)
    wide = TrainingData(
        rng.random((40, 10)), half % 2, n_classes=2, splits=[Split(half, half + 20)]
    )
    assert not worthwhile(wide)


def test_the_basis_is_orthonormal_and_spans_the_training_images(data: TrainingData) -> None:
    found = Span.of(data, np.dtype(np.float64))
    rows = learned_rows(data)
    assert np.abs(found.basis.T @ found.basis - np.eye(24)).max() < 1e-14
    x = data.floats(rows, np.float64)
    assert np.abs(found.data.floats(rows, np.float64) @ found.basis.T - x).max() < 1e-13


def test_equal_training_images_do_no_harm(data: TrainingData) -> None:
    data.inputs[1] = data.inputs[0]
    assert np.isfinite(train([member(0), member(1)], data)).all()
