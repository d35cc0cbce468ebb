"""Alternating gradients: whose turn it is, what the turns are, and that members stay apart."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hpsearch.execution.population import population_key
from hpsearch.trainers import TRAINERS, Member, Split, TrainingData
from hpsearch.trainers.alternating_gradient import (
    ALTERNATIONS,
    AlternatingGradient,
    Alternation,
)
from hpsearch.trainers.backprop import METRICS, Backprop
from hpsearch.trainers.base import CHAINS_OF_AFFINE_LAYERS
from hpsearch.trainers.live_inputs import LiveInputs

NAME = "alternating-gradient"
HIDDEN = 5


def member(number: int, **params: bool | int | float | str) -> Member:
    """A member with a rule of alternation, period, rate and fold of its own, by its number."""
    own: dict[str, Any] = {
        "trainer": NAME,
        "network": "two-layer",
        "hidden": HIDDEN,
        "batch_size": 20,
    }
    rule: dict[str, Any] = {
        "alternation": list(ALTERNATIONS)[number % 3],
        "period": 1 + number % 2,
    }
    rate: dict[str, Any] = {
        "learning_rate": 0.05 * (1 + number / 10),
        "difference_step": 1e-4 * (1 + number % 4),
    }
    decay: dict[str, Any] = {
        "weight_decay": 0.01 * (number % 2),
        "learning_rate_policy": ("exp", "inv")[number % 2],
    }
    return Member({**own, **rule, **rate, **decay, **params}, (3, number), number % 2)


def train(
    members: list[Member], data: TrainingData, until: int = 3
) -> list[tuple[list[float], bytes | None]]:
    """Every metric of every epoch of each member, and its state in the end."""
    trainer = AlternatingGradient(members, data, n_epochs=3)
    steps = list(trainer.run(until))
    return [
        ([s.metrics[m][i] for s in steps for m in METRICS], trainer.state(i))
        for i in range(len(members))
    ]


def weights(state: bytes | None) -> np.ndarray:
    assert state is not None
    with np.load(io.BytesIO(state)) as saved:
        array: np.ndarray = saved["weights"]
    return array


@pytest.mark.parametrize(
    ("rule", "period", "turns"),
    [
        ("checkerboard", 1, ["nan", "ana", "nan", "ana"]),
        ("checkerboard", 2, ["nna", "naa", "aan", "ann"]),
        ("global", 1, ["nan", "ana", "nan", "ana"]),
        ("global", 2, ["nna", "ann", "aan", "naa"]),
        ("per-epoch", 1, ["nnn", "aaa", "nnn", "aaa"]),
        ("per-epoch", 3, ["nnn", "nnn", "nnn", "aaa"]),
    ],
)
def test_whose_turn_it_is(rule: str, period: int, turns: list[str]) -> None:
    """Epochs of 3 steps; n is numerical, a is analytic."""
    alternation = Alternation(rule, period)
    said = [
        "".join("an"[alternation.numerical(epoch, step, 3 * epoch + step)] for step in range(3))
        for epoch in range(4)
    ]
    assert said == turns


def test_a_checkerboard_differs_from_counting_where_epochs_have_an_even_number_of_steps() -> None:
    steps = [(epoch, step, 2 * epoch + step) for epoch in range(2) for step in range(2)]
    turns = {rule: [Alternation(rule).numerical(*now) for now in steps] for rule in ALTERNATIONS}
    assert turns["checkerboard"] == [True, False, False, True]
    assert turns["global"] == [True, False, True, False]


@pytest.mark.parametrize("rule", ALTERNATIONS)
def test_weights_are_those_of_the_textbook_loops(rule: str, digits: TrainingData) -> None:
    # h = 0.3 makes quotients unlike derivatives, so that a turn missed is seen.
    h, offset, batch_size = 0.3, 1e-3, 13
    own: dict[str, Any] = {
        "dtype": "float64",
        "learning_rate_policy": "constant",
        "learning_rate": 0.3,
    }
    own |= {"difference_step": h, "log_offset": offset, "batch_size": batch_size}
    trained = member(0, alternation=rule, period=1, **own)
    ((_, state),) = train([trained], digits)
    rng = trained.generator()
    w1 = rng.standard_normal((64, HIDDEN)) * np.sqrt(2 / 64)
    w2 = rng.standard_normal((HIDDEN, 10)) * np.sqrt(2 / HIDDEN)
    parameters = [w1, np.zeros(HIDDEN), w2, np.zeros(10)]
    x, y = digits.inputs / 16.0, digits.labels

    def forward(j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w1, b1, w2, b2 = parameters
        z = np.maximum(x[j] @ w1 + b1, 0)
        p = np.exp(z @ w2 + b2)
        return z, p / p.sum(axis=1, keepdims=True)

    def loss(j: np.ndarray) -> float:
        return float(-np.log(forward(j)[1][np.arange(len(j)), y[j]] + offset).mean())

    def analytic(j: np.ndarray) -> list[np.ndarray]:
        z, d = forward(j)
        d[np.arange(len(j)), y[j]] -= 1
        d /= len(j)
        dz = d @ parameters[2].T * (z > 0)
        return [x[j].T @ dz, dz.sum(axis=0), z.T @ d, d.sum(axis=0)]

    def numerical(j: np.ndarray) -> list[np.ndarray]:
        gradients = [np.empty_like(w) for w in parameters]
        for w, g in zip(parameters, gradients, strict=True):
            for i in np.ndindex(w.shape):
                kept = w[i]
                w[i] = kept + h
                above = loss(j)
                w[i] = kept - h
                g[i] = (above - loss(j)) / (2 * h)
                w[i] = kept
        return gradients

    counted = 0
    for epoch in range(3):
        order = rng.permutation(digits.splits[0].train)
        for step, start in enumerate(range(0, len(order), batch_size)):
            j = order[start : start + batch_size]
            turn = {"checkerboard": epoch + step, "global": counted, "per-epoch": epoch}[rule]
            gradients = numerical(j) if turn % 2 == 0 else analytic(j)
            for w, g in zip(parameters, gradients, strict=True):
                w -= 0.3 * g
            counted += 1
    wanted = np.concatenate([w.ravel() for w in parameters])
    assert np.abs(weights(state) - wanted).max() < 1e-12


def test_learns_xor(xor: TrainingData) -> None:
    params: dict[str, Any] = {"trainer": NAME, "hidden": 8, "batch_size": 4, "learning_rate": 0.5}
    *_, last = AlternatingGradient([Member(params, (1,), 0)], xor, n_epochs=300).run(300)
    assert last.metrics["train_accuracy"] == 1
    assert last.metrics["validation_loss"] < 0.1


@pytest.mark.parametrize("n_members", [8, 32])
def test_a_member_has_the_same_bits_alone(n_members: int, digits: TrainingData) -> None:
    members = [member(i) for i in range(n_members)]
    assert len({population_key(m, digits) for m in members}) == 1
    together = train(members, digits)
    for i in range(0, n_members, 5):
        assert train([members[i]], digits) == [together[i]]


@pytest.mark.parametrize("pause", [1, 2])
def test_a_paused_member_continues_to_the_same_bits(pause: int, digits: TrainingData) -> None:
    members = [member(i) for i in range(6)]
    whole = train(members, digits)
    first = AlternatingGradient(members, digits, n_epochs=3)
    list(first.run(pause))
    company = [4, 1, 3]
    going_on = [replace(members[i], state=first.state(i)) for i in company]
    for i, (rows, state) in zip(company, train(going_on, digits), strict=True):
        assert rows == whole[i][0][len(METRICS) * pause :]
        assert state == whole[i][1]


def test_a_diverging_member_is_reported_and_leaves_its_neighbours_bits(
    digits: TrainingData,
) -> None:
    calm = [member(0), member(1)]
    wild = member(2, learning_rate=1e6, weight_decay=1.0)
    members = [calm[0], wild, calm[1]]
    *_, last = AlternatingGradient(members, digits, n_epochs=3).run(3)
    assert last.diverged.tolist() == [False, True, False]
    together = train(members, digits)
    assert [together[0], together[2]] == train(calm, digits)


def test_float32_agrees_with_float64(digits: TrainingData) -> None:
    single, double = (train([member(0, dtype=d)], digits)[0] for d in ("float32", "float64"))
    assert weights(single[1]).dtype == np.float32
    assert np.abs(weights(single[1]) - weights(double[1])).max() < 1e-4


def test_inputs_are_reduced_to_the_live_ones_and_never_rotated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 256, size=(40, 60)).astype(np.uint8)
    inputs[:20, ::3] = 0
    train_rows, held = np.arange(20), np.arange(20, 40)
    splits = [Split(train_rows, held), Split(train_rows[::2], held)]
    data = TrainingData(inputs, np.arange(40) % 3, n_classes=3, splits=splits, scale=255.0)
    members = [member(2 * i, dtype="float64", weight_decay=0.02) for i in range(4)]
    assert Backprop.variant({**members[0].params, "trainer": "sgd"}, data) not in (
        None,
        LiveInputs,
    )
    assert {AlternatingGradient.variant(m.params, data) for m in members} == {LiveInputs}
    reduced = [rows for rows, _ in train(members, data)]
    monkeypatch.setattr(
        AlternatingGradient, "variant", classmethod(lambda cls, params, data: None)
    )
    plain = [rows for rows, _ in train(members, data)]
    assert np.abs(np.array(reduced) - np.array(plain)).max() < 1e-10


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"network": "lenet"}, "must be one of two-layer, multi-layer, got 'lenet'"),
        ({"network": "multi-layer", "batch_norm": True}, "batch_norm must be one of false"),
        ({"network": "multi-layer", "dropout": 0.5}, "dropout must be .* of at most 0"),
    ],
)
def test_networks_that_it_cannot_train_are_refused(
    own: dict[str, bool | float | str], said: str, digits: TrainingData
) -> None:
    with pytest.raises(ValueError, match=said):
        AlternatingGradient([member(0, **own)], digits, n_epochs=1)


@pytest.mark.parametrize("network", CHAINS_OF_AFFINE_LAYERS)
def test_networks_that_it_takes_are_trained_with_their_defaults(
    network: str, digits: TrainingData
) -> None:
    described = AlternatingGradient.network_hyperparameters(network)
    defaults = {name: h.default for name, h in described.items() if h.default is not None}
    assert not any(h.problem(defaults[name]) for name, h in described.items() if name in defaults)
    ((rows, _),) = train([member(0, **{**defaults, "network": network, "hidden": 5})], digits, 1)
    assert np.isfinite(rows).all()


def test_it_takes_what_sgd_takes_and_its_own() -> None:
    own = TRAINERS[NAME].hyperparameters()
    added = {"alternation", "period", "difference_step", "log_offset"}
    assert set(own) == set(TRAINERS["sgd"].hyperparameters()) | added


def test_passes_count_the_quotients_of_all_weights(digits: TrainingData) -> None:
    one = member(0, hidden=5, batch_size=25)
    trainer = AlternatingGradient([one], digits, n_epochs=4)
    assert len([*trainer.run(3)]) == 3
    # 2 steps an epoch in a checkerboard: one of them numerical, two losses for each weight.
    n_weights = 64 * 5 + 5 + 5 * 10 + 10
    assert trainer.passes(0) == (3 + 3 * 2 * n_weights, 3)
    paused = replace(one, state=trainer.state(0))
    again = AlternatingGradient([paused], digits, n_epochs=4)
    assert again.passes(0) == trainer.passes(0)
