"""Training with fewer inputs is the same training: in the span, or with the live inputs alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hpsearch.datasets.selection import Selection
from hpsearch.execution.examples import training_data
from hpsearch.execution.population import population_key
from hpsearch.optimizers import OPTIMIZERS
from hpsearch.trainers import Member, Split, TrainingData
from hpsearch.trainers.backprop import METRICS, Backprop
from hpsearch.trainers.base import Schedule
from hpsearch.trainers.inputs import Reduction, learned_rows
from hpsearch.trainers.live_inputs import LiveFirst, LiveInputs, live_inputs
from hpsearch.trainers.span import Span
from hpsearch.trainers.weight_decay import KINDS
from tests.harness.reduced_inputs import LEARNED, ROTATABLE, data_for, member

OTHERS = [name for name, o in OPTIMIZERS.items() if not o.rotation_invariant]

both = pytest.mark.parametrize("kind", [Span, LiveInputs])
every = pytest.mark.parametrize("kind", [Span, LiveInputs, LiveFirst])


def train(members: list[Member], data: TrainingData, until: int = 15) -> np.ndarray:
    """Every metric of every epoch and member, (epochs, metrics, P)."""
    trainer = Backprop(members, data, n_epochs=15)
    return np.array([[p.metrics[m] for m in METRICS] for p in trainer.run(until)])


def forbid_reductions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backprop, "variant", classmethod(lambda cls, params, data: None))


@every
def test_the_reduced_training_is_the_plain_one(
    kind: type[Reduction], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, members = data_for(kind), [member(kind, i) for i in range(14)]
    assert {Backprop.variant(m.params, data) for m in members} == {kind}
    reduced = train(members, data)
    forbid_reductions(monkeypatch)
    plain = train(members, data)
    assert np.abs(reduced - plain).max() < 1e-12


@every
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_the_same_bits_in_any_company(kind: type[Reduction], dtype: str) -> None:
    data, members = data_for(kind), [member(kind, i, dtype=dtype) for i in range(32)]
    together = train(members, data)
    assert np.array_equal(train(members[:8], data), together[:, :, :8], equal_nan=True)
    for i in (0, 3, 6, 7):
        assert (train([members[i]], data)[:, :, 0] == together[:, :, i]).all()


@every
def test_a_pause_changes_no_bit(kind: type[Reduction]) -> None:
    data, members = data_for(kind), [member(kind, i) for i in range(7)]
    whole = train(members, data)
    first = Backprop(members, data, n_epochs=15)
    for _ in first.run(6):
        pass
    later = [replace(m, state=first.state(i)) for i, m in enumerate(members)]
    assert (train(later, data) == whole[6:]).all()


@both
def test_a_state_holds_the_narrow_weights(kind: type[Reduction]) -> None:
    data = data_for(kind)
    plain = data.n_inputs * 40 + 40 + 40 * 3 + 3
    state = Backprop([member(kind, 0, hidden=40)], data, n_epochs=1).state(0)
    assert state is not None
    assert len(state) < 8 * plain


@both
def test_what_is_inside_and_outside_makes_the_whole(kind: type[Reduction]) -> None:
    data = data_for(kind)
    weights = np.random.default_rng(1).standard_normal((data.n_inputs, 8))
    found = kind.of(data, weights.dtype)
    inside, portions = found.split(weights, data)
    assert portions is not None
    fixed = np.zeros((8, len(data.labels)))
    assert len(portions) == 1
    fixed[:, portions[0].places] = portions[0].values
    assert len(inside) == kind.width(data) == found.data.n_inputs
    outputs = found.data.floats(slice(None), np.float64) @ inside + fixed.T
    assert np.abs(outputs - data.floats(slice(None), np.float64) @ weights).max() < 1e-13
    assert not fixed[:, learned_rows(data)].any()
    assert fixed[:, LEARNED:].any(axis=0).all()


def test_images_without_a_part_outside_are_not_added_to() -> None:
    data = data_for(LiveInputs)
    inputs = np.asarray(data.inputs).copy()
    dead = np.setdiff1d(np.arange(data.n_inputs), live_inputs(data))
    inputs[LEARNED + 1 :, dead] = 0  # of the images that are only scored, one has a part outside
    few = TrainingData(inputs, data.labels, n_classes=data.n_classes, splits=data.splits)
    weights = np.random.default_rng(1).standard_normal((data.n_inputs, 8))
    _, portions = LiveInputs.of(few, weights.dtype).split(weights, few)
    assert portions is not None
    places = portions[0].places
    assert isinstance(places, np.ndarray)
    assert places.tolist() == [LEARNED]
    outside = few.floats([LEARNED], np.float64)[:, dead] @ weights[dead]
    assert np.abs(portions[0].values.T - outside).max() < 1e-13


@pytest.mark.mnist
@pytest.mark.usefixtures("real_mnist")
@pytest.mark.parametrize(
    ("kind", "trainers", "decay"),
    [(Span, ROTATABLE, 0.0), (LiveInputs, OTHERS, 0.0), (LiveFirst, OTHERS, 0.001)],
)
def test_float32_agrees_on_mnists_test_images(
    kind: type[Reduction], trainers: list[str], decay: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = training_data(Selection("mnist", shots=5), "test")
    own: dict[str, Any] = {
        "network": "two-layer",
        "hidden": 50,
        "batch_size": 5,
        "weight_decay": decay,
    }
    members = [Member({**own, "trainer": name}, (1, i), 0) for i, name in enumerate(trainers)]
    assert {Backprop.variant(m.params, data) for m in members} == {kind}

    def hits() -> np.ndarray:
        *_, last = Backprop(members, data, n_epochs=20).run(20, Schedule(every=20))
        return np.rint(last.metrics["validation_accuracy"] * 10_000)

    assert len(data.splits[0].validation) == 10_000
    reduced = hits()
    forbid_reductions(monkeypatch)
    assert np.abs(reduced - hits()).max() <= 1


@pytest.mark.parametrize("trainer", OPTIMIZERS)
@pytest.mark.parametrize("decay", KINDS)
def test_weights_outside_must_shrink_by_one_factor(trainer: str, decay: str) -> None:
    own: dict[str, Any] = {"trainer": trainer, "weight_decay_kind": decay}
    for kind in (Span, LiveInputs):
        rotated = kind is Span and trainer in ROTATABLE
        exact = decay == "decoupled" or (decay == "l2" and trainer in ROTATABLE)
        found = Backprop.variant(member(kind, 1, **own).params, data_for(kind))
        assert (found is kind) == (exact and (rotated or kind is LiveInputs))
        assert exact or found is (LiveFirst if kind is LiveInputs else None)
        none = member(kind, 1, **own, weight_decay=0.0)
        assert Backprop.variant(none.params, data_for(LiveInputs)) is LiveInputs


def test_members_reduced_in_different_ways_do_not_train_together() -> None:
    data = data_for(LiveInputs)
    one, other = member(LiveInputs, 0), member(LiveInputs, 1, weight_decay_kind="l1")
    assert population_key(one, data) != population_key(other, data)
    with pytest.raises(ValueError, match="must have one variant, got LiveFirst, LiveInputs"):
        Backprop([one, other], data, n_epochs=1)


@both
def test_where_little_is_gained_nothing_is_reduced(kind: type[Reduction]) -> None:
    rng = np.random.default_rng(0)
    half = np.arange(20)
    inputs = rng.random((40, 10)) + 0.1
    wide = TrainingData(inputs, half % 2, n_classes=2, splits=[Split(half, half + 20)])
    assert not kind.worthwhile(wide)


def test_images_without_any_ink_are_not_reduced_to_nothing() -> None:
    data = data_for(LiveInputs)
    data.inputs[:LEARNED] = 0
    assert len(live_inputs(data)) == 0
    assert not LiveInputs.worthwhile(data)
    assert np.isfinite(train([member(LiveInputs, 6)], data)).all()


def test_the_basis_is_orthonormal_and_spans_the_training_images() -> None:
    data = data_for(Span)
    found = Span.of(data, np.dtype(np.float64))
    rows = learned_rows(data)
    assert np.abs(found.basis.T @ found.basis - np.eye(24)).max() < 1e-14
    x = data.floats(rows, np.float64)
    assert np.abs(found.data.floats(rows, np.float64) @ found.basis.T - x).max() < 1e-13


def test_equal_training_images_do_no_harm() -> None:
    data = data_for(Span)
    data.inputs[1] = data.inputs[0]
    assert np.isfinite(train([member(Span, 0), member(Span, 1)], data)).all()
