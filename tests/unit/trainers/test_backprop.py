"""Backpropagation: it learns, it repeats itself, and members never disturb each other."""

from typing import Any

import numpy as np
import pytest

from hpsearch.optimizers import OPTIMIZERS
from hpsearch.trainers import TRAINERS, Member, TrainingData, base
from hpsearch.trainers.backprop import Backprop
from tests.harness.catalogues import row
from tests.harness.populations import Outcome, member, train, weights

# Rates at which 8 hidden units learn XOR within 300 epochs.
XOR_RATES = {
    "sgd": 0.5,
    "momentum": 0.1,
    "nesterov": 0.1,
    "adagrad": 0.1,
    "rmsprop": 0.01,
    "adadelta": 10.0,
    "adam": 0.05,
}


def fresh(data: TrainingData) -> TrainingData:
    """The same data without what was cached of it."""
    return TrainingData(
        data.inputs, data.labels, n_classes=data.n_classes, splits=data.splits, scale=data.scale
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_learns_xor(name: str, xor: TrainingData) -> None:
    params: dict[str, Any] = {
        "trainer": name,
        "hidden": 8,
        "batch_size": 4,
        "learning_rate": row(name, XOR_RATES, "XOR_RATES in tests/unit/trainers/test_backprop.py"),
    }
    *_, last = Backprop([Member(params, (1,), 0)], xor, n_epochs=300).run(300)
    assert last.epoch == 300
    assert last.metrics["train_accuracy"] == 1
    assert last.metrics["validation_loss"] < 0.1


def test_the_same_seed_gives_the_same_bits(digits: TrainingData) -> None:
    assert train([member(0)], digits) == train([member(0)], digits)


def test_another_seed_gives_other_weights(digits: TrainingData) -> None:
    first = member(0)
    second = Member(first.params, (4, 0), first.split)
    one, other = train([first, second], digits)
    assert one != other


@pytest.mark.parametrize("batch_size", [1, 7, 50, 1000])
@pytest.mark.parametrize("n_members", [8, 32])
def test_a_member_has_the_same_bits_alone(
    n_members: int, batch_size: int, digits: TrainingData
) -> None:
    members = [member(i, batch_size=batch_size) for i in range(n_members)]
    together = train(members, digits, until=2)
    for i in range(0, n_members, 5):
        assert train([members[i]], digits, until=2) == [together[i]]


def test_a_member_has_the_same_bits_beside_others_of_its_optimizer(digits: TrainingData) -> None:
    members = [member(i, trainer="adam", batch_size=3, learning_rate=0.01) for i in range(32)]
    assert train(members[11:19], digits) == train(members, digits)[11:19]


def test_members_are_reported_in_the_order_they_were_given(digits: TrainingData) -> None:
    members = [member(i) for i in range(6)]
    assert train(members[::-1], digits) == train(members, digits)[::-1]


@pytest.mark.parametrize("pause", [1, 2])
def test_a_paused_member_continues_to_the_same_bits(pause: int, digits: TrainingData) -> None:
    members = [member(i) for i in range(6)]
    whole = train(members, digits)
    first = train(members, digits, until=pause)
    paused = [
        Member(m.params, m.entropy, m.split, half.state)
        for m, half in zip(members, first, strict=True)
    ]
    # Regrouped: another order, another company.
    for company in ([4, 1], [2, 0, 5, 3], [1]):
        second = train([paused[i] for i in company], digits)
        for i, half in zip(company, second, strict=True):
            assert Outcome(first[i].rows + half.rows, half.state) == whole[i]


def test_a_run_left_at_a_yield_goes_on_where_it_was(digits: TrainingData) -> None:
    trainer = Backprop([member(2)], digits, n_epochs=3)
    next(iter(trainer.run(3)))
    assert [progress.epoch for progress in trainer.run(3)] == [2, 3]
    assert trainer.state(0) == train([member(2)], digits)[0].state


# An l2 penalty of 1 multiplies the weights by -1e6 each step. Without it they may stay finite: all
# hidden units are dead after a step.
EXPLODING = {"learning_rate": 1e6, "weight_decay": 1.0, "weight_decay_kind": "l2"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_diverging_member_is_reported_not_raised(name: str, digits: TrainingData) -> None:
    # Steps relative to the gradients are about their rate, or far less in AdaDelta: only one near
    # float32's largest number overflows.
    relative = not OPTIMIZERS[name].rotation_invariant
    blow_up: dict[str, Any] = EXPLODING | ({"learning_rate": 1e38} if relative else {})
    members = [member(0), member(1, trainer=name, **blow_up), member(2)]
    *_, last = Backprop(members, digits, n_epochs=3).run(3)
    assert last.diverged.tolist() == [False, True, False]
    assert not np.isfinite(last.metrics["train_loss"][1])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_diverging_member_leaves_its_neighbours_bits(name: str, digits: TrainingData) -> None:
    calm = [member(0), member(1), member(2), member(3)]
    wild = member(4, trainer=name, learning_rate=1e38, weight_decay=1.0)
    together = train([*calm[:2], wild, *calm[2:]], digits)
    assert together[:2] + together[3:] == train(calm, digits)


def test_metrics_are_those_of_a_plain_computation(digits: TrainingData) -> None:
    trainer = Backprop([member(0), member(1, dtype="float32")], digits, n_epochs=2)
    *_, last = trainer.run(2)
    x, labels = digits.inputs / 16.0, digits.labels
    for i in range(2):
        w1, b1, w2, b2 = unflatten(weights(trainer.state(i)).astype(np.float64))
        logits = np.maximum(x @ w1 + b1, 0) @ w2 + b2
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        for part in ("train", "validation"):
            rows = getattr(digits.splits[i], part)
            loss = -np.mean([log_p[r, labels[r]] for r in rows])
            accuracy = np.mean([logits[r].argmax() == labels[r] for r in rows])
            assert last.metrics[f"{part}_loss"][i] == pytest.approx(loss, rel=1e-5)
            assert last.metrics[f"{part}_accuracy"][i] == accuracy


def test_metrics_do_not_depend_on_the_evaluation_chunk(
    digits: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train([member(0)], digits)[0]
    monkeypatch.setattr("hpsearch.trainers.base.EVALUATION_CHUNK", 33)
    chunked = train([member(0)], fresh(digits))[0]
    assert chunked.state == whole.state
    assert np.allclose(chunked.rows, whole.rows, rtol=1e-5)


def test_a_table_too_large_for_floats_gives_the_same_bits(
    digits: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [member(i) for i in range(4)]
    cached = train(members, digits)
    monkeypatch.setattr(base, "FLOAT_TABLE_BYTES", 1000)
    assert train(members, fresh(digits)) == cached


def test_float32_agrees_with_float64(digits: TrainingData) -> None:
    single = train([member(i, dtype="float32") for i in range(4)], digits)
    double = train([member(i, dtype="float64") for i in range(4)], digits)
    for a, b in zip(single, double, strict=True):
        assert weights(a.state).dtype == np.float32
        assert weights(b.state).dtype == np.float64
        assert np.abs(weights(a.state) - weights(b.state)).max() < 1e-4
        assert np.allclose(np.array(a.rows)[:, ::2], np.array(b.rows)[:, ::2], rtol=1e-4)  # losses


@pytest.mark.parametrize("batch_size", [1, 7, 50])
@pytest.mark.parametrize(
    ("kind", "rate"), [("l2", 0.0), ("l2", 0.01), ("l1", 0.001), ("decoupled", 0.01)]
)
def test_weights_are_those_of_the_textbook_loop(
    kind: str, rate: float, batch_size: int, digits: TrainingData
) -> None:
    decay: dict[str, Any] = {"weight_decay": rate, "weight_decay_kind": kind}
    own: dict[str, Any] = {
        "learning_rate": 0.1,
        "momentum": 0.8,
        "batch_size": batch_size,
        "dtype": "float64",
    }
    trained = member(0, trainer="momentum", **own, **decay)
    (outcome,) = train([trained], digits)
    rng = trained.generator()
    w1 = rng.standard_normal((64, 12)) * np.sqrt(2 / 64)
    w2 = rng.standard_normal((12, 10)) * np.sqrt(2 / 12)
    parameters = [w1, np.zeros(12), w2, np.zeros(10)]
    velocities = [np.zeros_like(a) for a in parameters]
    x, y = digits.inputs / 16.0, digits.labels
    for _ in range(3):
        order = rng.permutation(digits.splits[0].train)
        for start in range(0, len(order), batch_size):
            w1, b1, w2, b2 = parameters
            j = order[start : start + batch_size]
            a1 = x[j] @ w1 + b1
            z = np.maximum(a1, 0)
            logits = z @ w2 + b2
            d = np.exp(logits - logits.max(1, keepdims=True))
            d /= d.sum(1, keepdims=True)
            d[np.arange(len(j)), y[j]] -= 1
            d /= len(j)
            dz = d @ w2.T * (a1 > 0)
            gradients = [x[j].T @ dz, dz.sum(0), z.T @ d, d.sum(0)]
            for i, (w, g) in enumerate(zip(parameters, gradients, strict=True)):
                if w.ndim == 2 and kind != "decoupled":
                    g += rate * (w if kind == "l2" else np.sign(w))
                velocities[i] = 0.8 * velocities[i] - 0.1 * g
                kept = 1 - 0.1 * rate if w.ndim == 2 and kind == "decoupled" else 1
                parameters[i] = kept * w + velocities[i]
    for ours, textbook in zip(unflatten(weights(outcome.state)), parameters, strict=True):
        assert np.abs(ours - textbook).max() < 1e-12


def test_decoupled_decay_under_a_policy_is_that_of_pytorch(digits: TrainingData) -> None:
    # PyTorch 2.13.0 in float64: torch.nn.Linear, ReLU and Linear from this member's initial
    # weights and mini-batches, torch.optim.AdamW(lr=0.02, weight_decay=0.5 on the two weights and
    # 0 on the biases, eps=1e-14, whose place then makes no difference) and
    # lr_scheduler.CosineAnnealingLR(T_max=24), 3 epochs of 8 mini-batches: cross-entropy over the
    # training and validation rows after each epoch.
    wanted = [
        (2.189120399257856, 2.2446766088030925),
        (2.1732735264860294, 2.200335768761541),
        (2.149531457001099, 2.18451919616272),
    ]
    own: dict[str, Any] = {"learning_rate": 0.02, "epsilon": 1e-14, "dtype": "float64"}
    own |= {"learning_rate_policy": "cosine", "weight_decay_kind": "decoupled"}
    (outcome,) = train([member(0, trainer="adam", weight_decay=0.5, **own)], digits)
    assert np.allclose(np.array(outcome.rows)[:, [0, 2]], wanted, rtol=1e-11, atol=0)


def unflatten(w: np.ndarray) -> tuple[np.ndarray, ...]:
    """w1 (64, 12), b1, w2 (12, 10), b2 of one row of the flat weights."""
    w1, b1, w2, b2 = np.split(w, np.cumsum([64 * 12, 12, 12 * 10]))
    return w1.reshape(64, 12), b1, w2.reshape(12, 10), b2


def test_a_batch_larger_than_the_training_rows_is_all_of_them(digits: TrainingData) -> None:
    n_train = len(digits.splits[0].train)
    exact, larger = (train([member(0, batch_size=n)], digits)[0] for n in (n_train, 10**6))
    assert exact == larger


def test_validation_rows_are_never_trained_on(digits: TrainingData) -> None:
    (before,) = train([member(0)], digits)
    digits.inputs[digits.splits[0].validation] = 0
    (after,) = train([member(0)], fresh(digits))
    assert after.state == before.state
    assert after.rows != before.rows


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_broken_value_is_refused_by_name(name: str, digits: TrainingData) -> None:
    with pytest.raises(ValueError, match="learning_rate must be a number above 0, got -1"):
        Backprop([member(0, trainer=name, learning_rate=-1.0)], digits, n_epochs=1)


def test_every_optimizer_is_a_trainer_with_its_own_and_the_shared_hyperparameters() -> None:
    assert all(TRAINERS[name].trainer is Backprop for name in OPTIMIZERS)
    described = TRAINERS["momentum"].hyperparameters()
    assert [name for name, h in described.items() if h.when is None] == [
        "learning_rate",
        "momentum",
        "batch_size",
        "dtype",
        "random_streams",
        "epoch_iterations",
        "learning_rate_policy",
        "weight_decay",
        "weight_decay_kind",
    ]
