"""The proposal search beside the plain loop it stands for, knob by knob."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from hpsearch.execution.population import population_key
from hpsearch.hyperparameters import ParamValue, build, hyperparameters, numbers
from hpsearch.trainers import TRAINERS, Member, Split, TrainingData
from hpsearch.trainers.inputs import Reduction
from hpsearch.trainers.live_inputs import LiveInputs
from hpsearch.trainers.proposal_rules import ProposalSettings
from hpsearch.trainers.proposal_search import ProposalSearch
from hpsearch.trainers.span import Span

METRICS = TRAINERS["proposal-search"].metrics
EPOCHS = 6
CHOICES = {n: h.choices for n, h in hyperparameters(ProposalSettings).items() if h.choices}
OTHERS = [
    (name, choice)
    for name, choices in CHOICES.items()
    for choice in choices
    if choice != hyperparameters(ProposalSettings)[name].default
]
# Where the choice of an alternative is felt within the few iterations of a test.
FELT: dict[str, dict[str, ParamValue]] = {
    "absolute": {"proposed_rates": "0.02, 0.3"},
    "loss-below": {"momentum_threshold": 1.5},
    "change-above": {"momentum_threshold": 0.2},
    "change-below": {"momentum_threshold": 0.1},
    "rise-above": {"momentum_threshold": 0.1, "learning_rate": 0.3},
    "ratio-above": {"momentum_threshold": 0.9},
    "previous_loss": {"momentum_rule": "ratio-above", "momentum_threshold": 0.9},
    "momentum_during_handover": {"momentum_rule": "always", "handover_loss": 2.0},
    "handover_rule": {"handover_loss": 2.0},
    # One image's descent is now and then the whole set's ascent.
    "direction_rule": {"candidate_loss": "training-set", "batch_size": 1},
}


def member(number: int, **params: ParamValue) -> Member:
    own: dict[str, Any] = {
        "trainer": "proposal-search",
        "network": "two-layer",
        "hidden": 12,
        "batch_size": 7,
    }
    own |= {"learning_rate": 0.1, "handover_loss": 1.4, "momentum_threshold": 1.8}
    own |= {"dtype": "float64", "momentum": 0.6}
    return Member({**own, **params}, (5, number), number % 2)


def mixed(number: int, **params: ParamValue) -> Member:
    """A member that chose every knob by chance, with rates of its own number and size."""
    rng = np.random.default_rng(number)
    knobs = {name: choices[rng.integers(len(choices))] for name, choices in CHOICES.items()}
    rates = ", ".join(f"{r:.3g}" for r in rng.uniform(0.3, 2, size=1 + number % 4))
    own: dict[str, ParamValue] = {
        "learning_rate": 0.02 * (1 + number % 5),
        "proposed_rates": rates,
    }
    if knobs["rates_are"] == "absolute":
        own["proposed_rates"] = ", ".join(f"{r / 10:.3g}" for r in numbers(rates))
    own["momentum_threshold"] = 0.1 if "change" in str(knobs["momentum_rule"]) else 1.5
    return member(number, **{**knobs, **own, **params})


class Plain:
    """One member, one iteration at a time, with a whole forward pass for every loss."""

    def __init__(self, member: Member, data: TrainingData) -> None:
        self.knobs = build(ProposalSettings, member.params)
        self.x, self.y = data.inputs / data.scale, data.labels
        self.train, self.rng = data.splits[member.split].train, member.generator()
        self.batch = int(member.params["batch_size"])
        self.squared = member.params.get("loss") == "mean-squared-error"
        self.tanh = member.params.get("activation") == "tanh"
        depth = int(member.params.get("hidden_layers", 1))
        widths = [data.n_inputs, *[int(member.params["hidden"])] * depth, data.n_classes]
        self.w = []
        for n_in, n_out in pairwise(widths):
            self.w += [
                self.rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in),
                np.zeros(n_out),
            ]
        self.v = [np.zeros_like(a) for a in self.w]
        self.previous, self.latched, self.passes = np.inf, False, np.zeros(2, int)

    def forward(self, w: list[np.ndarray], rows: np.ndarray) -> list[np.ndarray]:
        outputs = [self.x[rows]]
        for i in range(0, len(w), 2):
            a = outputs[-1] @ w[i] + w[i + 1]
            last = i == len(w) - 2
            outputs.append(a if last else np.tanh(a) if self.tanh else np.maximum(a, 0))
        return outputs

    def loss(self, w: list[np.ndarray], rows: np.ndarray, *, counted: bool = True) -> float:
        self.passes[0] += counted * -(-len(rows) // self.batch)
        z = self.forward(w, rows)[-1]
        if self.squared:
            return float((np.square(z - np.eye(z.shape[1])[self.y[rows]]).sum(1) / 2).mean())
        z = z - z.max(1, keepdims=True)
        each = np.log(np.exp(z).sum(1)) - z[np.arange(len(rows)), self.y[rows]]
        return float(each.mean())

    def gradient(self, w: list[np.ndarray], rows: np.ndarray) -> list[np.ndarray]:
        self.passes += 1
        outputs = self.forward(w, rows)
        d = outputs.pop()
        if not self.squared:
            d = np.exp(d - d.max(1, keepdims=True))
            d /= d.sum(1, keepdims=True)
        d = (d - np.eye(d.shape[1])[self.y[rows]]) / len(rows)
        found: list[np.ndarray] = []
        for i in range(len(w) - 2, -1, -2):
            z = outputs.pop()
            found = [z.T @ d, d.sum(0), *found]
            d = d @ w[i].T * (1 - z**2 if self.tanh else z > 0)
        return found

    def iterate(self, rows: np.ndarray) -> None:
        k, whole = self.knobs, self.knobs.candidate_loss == "training-set"
        scored = self.train if whole else rows
        g = self.gradient(self.w, rows)
        uses_start = k.handover_rule != "off" or k.previous_loss in (
            "same-batch",
            "previous-start",
        )
        start = self.loss(self.w, scored, counted=whole and uses_start)
        previous = start if k.previous_loss == "same-batch" else self.previous
        over = {
            "current-loss": start <= k.handover_loss,
            "previous-loss": previous <= k.handover_loss,
            "latched": self.latched or start <= k.handover_loss,
            "off": False,
        }[k.handover_rule]
        self.latched = over and k.handover_rule == "latched"
        s, loss = k.learning_rate, start
        if not over:
            s, loss = self.choose(g, scored, previous)
        holds = {
            "loss-above": loss > k.momentum_threshold,
            "loss-below": loss < k.momentum_threshold,
            "change-above": abs(loss - previous) > k.momentum_threshold,
            "change-below": abs(loss - previous) < k.momentum_threshold,
            "rise-above": loss - previous > k.momentum_threshold,
            "ratio-above": loss / previous > k.momentum_threshold,
            "always": True,
            "never": False,
        }[k.momentum_rule]
        allowed = not over or k.momentum_during_handover
        applied, instead = holds and allowed, k.momentum_step == "instead"
        if not (applied and instead):
            self.w = [w - s * a for w, a in zip(self.w, g, strict=True)]
        if applied or (k.velocity_moves == "always" and allowed):
            if (
                k.momentum_gradient == "again"
                and not instead
                and (applied or not k.velocity_reset)
            ):
                g = self.gradient(self.w, rows)
            rate = np.sign(s) * k.learning_rate if k.momentum_rate == "base" else s
            self.v = [k.momentum * v - rate * a for v, a in zip(self.v, g, strict=True)]
        if applied:
            self.w = [w + v for w, v in zip(self.w, self.v, strict=True)]
        elif k.velocity_reset:
            self.v = [np.zeros_like(v) for v in self.v]
        self.previous = loss
        if k.previous_loss == "previous-start":
            self.previous = start
        if k.previous_loss == "after-momentum" and applied:
            self.previous = self.loss(self.w, scored)

    def choose(
        self, g: list[np.ndarray], scored: np.ndarray, previous: float
    ) -> tuple[float, float]:
        k = self.knobs
        rates = np.array(numbers(k.proposed_rates))
        if k.rates_are == "multiples":
            rates = rates * k.learning_rate
        found = {}
        for sign in (1,) if k.direction_rule == "descent" else (1, -1):
            for s in sign * rates:
                moved = [w - s * a for w, a in zip(self.w, g, strict=True)]
                found[float(s)] = self.loss(moved, scored)
        met = {np.sign(s) for s, loss in found.items() if loss < previous}
        if k.direction_rule == "constraint":
            found = {s: loss for s, loss in found.items() if (s < 0) == (met == {-1})}
        s = min(found, key=lambda s: found[s])
        return s, found[s]

    def run(self, epochs: int) -> Plain:
        for _ in range(epochs):
            order = self.rng.permutation(self.train)
            for i in range(0, len(order), self.batch):
                self.iterate(order[i : i + self.batch])
        return self

    @property
    def weights(self) -> np.ndarray:
        return np.concatenate([a.reshape(-1) for a in self.w])

    @property
    def velocity(self) -> np.ndarray:
        return np.concatenate([a.reshape(-1) for a in self.v])


def saved(state: bytes | None) -> dict[str, np.ndarray]:
    assert state is not None
    with np.load(io.BytesIO(state)) as file:
        return {name: file[name] for name in file}


def train(
    members: list[Member], data: TrainingData, until: int = EPOCHS
) -> tuple[np.ndarray, list[bytes | None], list[tuple[int, int] | None]]:
    """Every metric of every epoch, (epochs, metrics, P), and in the end states and passes."""
    trainer = ProposalSearch(members, data, n_epochs=EPOCHS)
    rows = np.array([[p.metrics[m] for m in METRICS] for p in trainer.run(until)])
    ends = range(len(members))
    return rows, [trainer.state(i) for i in ends], [trainer.passes(i) for i in ends]


def assert_as_plain(members: list[Member], data: TrainingData) -> None:
    _, states, passes = train(members, data)
    for i, one in enumerate(members):
        plain, ours = Plain(one, data).run(EPOCHS), saved(states[i])
        assert np.abs(ours["weights"] - plain.weights).max() < 1e-12
        assert np.abs(ours["velocity"] - plain.velocity).max() < 1e-12
        assert ours["previous_loss"] == pytest.approx(plain.previous, abs=1e-12)
        assert passes[i] == tuple(plain.passes)


@pytest.mark.parametrize("batch_size", [1, 7, 50])
def test_the_defaults_are_the_plain_loop(batch_size: int, digits: TrainingData) -> None:
    assert_as_plain([member(i, batch_size=batch_size) for i in range(3)], digits)


@pytest.mark.parametrize(("name", "choice"), OTHERS)
def test_every_alternative_is_the_plain_loops(
    name: str, choice: ParamValue, digits: TrainingData
) -> None:
    felt = FELT.get(str(choice), {}) | FELT.get(name, {})
    with_it, without = member(0, **felt, **{name: choice}), member(0, **felt)
    assert_as_plain([with_it], digits)
    one, other = (saved(train([one], digits)[1][0])["weights"] for one in (with_it, without))
    assert not np.array_equal(one, other)


def test_members_of_any_knobs_train_together_as_the_plain_loop(digits: TrainingData) -> None:
    assert_as_plain([mixed(i) for i in range(60)], digits)


@pytest.mark.parametrize(
    "own",
    [
        {"loss": "mean-squared-error"},
        {"network": "multi-layer", "hidden_layers": 3},
        {"network": "multi-layer", "hidden_layers": 2, "activation": "tanh"},
    ],
)
def test_other_networks_and_losses_are_the_plain_loop(
    own: dict[str, ParamValue], digits: TrainingData
) -> None:
    assert_as_plain([mixed(i, **own) for i in range(12)], digits)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("batch_size", "epochs"), [(1, 1), (7, 2)])  # of 50 images
def test_a_member_has_the_same_bits_in_any_company(
    batch_size: int, epochs: int, dtype: str, digits: TrainingData
) -> None:
    members = [mixed(i, batch_size=batch_size, dtype=dtype) for i in range(32)]
    rows, states, _ = train(members, digits, until=epochs)
    for company in (range(8), *([i] for i in range(0, 32, 3))):
        alone, ends, _ = train([members[i] for i in company], digits, until=epochs)
        assert np.array_equal(alone, rows[:, :, company])
        assert ends == [states[i] for i in company]


@pytest.mark.parametrize("pause", [1, 4])
def test_a_paused_member_continues_to_the_same_bits(pause: int, digits: TrainingData) -> None:
    members = [mixed(i) for i in range(12)]
    rows, states, _ = train(members, digits)
    _, halfway, _ = train(members, digits, until=pause)
    paused = [replace(m, state=state) for m, state in zip(members, halfway, strict=True)]
    for company in ([4, 1, 9], list(range(12))[::-1]):
        rest, ends, _ = train([paused[i] for i in company], digits)
        assert np.array_equal(rest, rows[pause:, :, company])
        assert ends == [states[i] for i in company]


def test_a_training_set_in_portions_is_the_plain_loop(
    digits: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpsearch.trainers.proposal_search.EVALUATION_CHUNK", 33)
    assert_as_plain([mixed(i, candidate_loss="training-set") for i in range(6)], digits)


def test_float32_agrees_with_float64(digits: TrainingData) -> None:
    # Longer, a candidate or two is chosen otherwise.
    single, double = (
        train([member(i, dtype=dtype) for i in range(4)], digits, until=2)[0]
        for dtype in ("float32", "float64")
    )
    assert np.allclose(single, double, rtol=1e-4)


def test_a_diverging_member_is_reported_and_leaves_its_neighbours_bits(
    digits: TrainingData,
) -> None:
    # Whatever is chosen, the weights are near float32's largest number, and logits beyond it.
    wild = member(9, proposed_rates="1e38, 2e38", dtype="float32")
    calm = [mixed(i, dtype="float32") for i in range(4)]
    trainer = ProposalSearch([*calm[:2], wild, *calm[2:]], digits, n_epochs=EPOCHS)
    *_, last = trainer.run(EPOCHS)
    assert last.diverged.tolist() == [False, False, True, False, False]
    _, states, _ = train(calm, digits)
    assert [trainer.state(i) for i in (0, 1, 3, 4)] == states


def test_a_candidate_without_a_finite_loss_loses_against_the_others(digits: TrainingData) -> None:
    own: dict[str, Any] = {"dtype": "float32", "momentum_rule": "never", "batch_size": 25}
    with_it, without = (member(0, proposed_rates=r, **own) for r in ("1e38, 1", "1"))
    ends = [saved(train([one], digits)[1][0])["weights"] for one in (with_it, without)]
    assert np.array_equal(ends[0], ends[1])


def images(kind: type[Reduction]) -> TrainingData:
    """Fewer images than pixels, or pixels that are dead in all training images."""
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 256, size=(60, 90 if kind is Span else 28)).astype(np.uint8)
    inputs[:24, ::4] = 0
    learned = np.arange(24)
    splits = [Split(np.setdiff1d(learned, learned[k::2]), learned[k::2]) for k in range(2)]
    return TrainingData(inputs, np.arange(60) % 3, n_classes=3, splits=splits, scale=255.0)


@pytest.mark.parametrize("kind", [Span, LiveInputs])
def test_the_reduced_training_is_the_plain_one(
    kind: type[Reduction], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, members = images(kind), [mixed(i) for i in range(20)]
    assert {ProposalSearch.variant(m.params, data) for m in members} == {kind}
    reduced, *_ = train(members, data)
    monkeypatch.setattr(ProposalSearch, "variant", classmethod(lambda cls, params, data: None))
    plain, *_ = train(members, data)
    assert np.abs(reduced - plain).max() < 1e-12


def test_learns_xor(xor: TrainingData) -> None:
    own: dict[str, Any] = {
        "hidden": 8,
        "batch_size": 4,
        "learning_rate": 0.3,
        "handover_loss": 0.3,
    }
    *_, last = ProposalSearch([member(0, **own)], xor, n_epochs=300).run(300)
    assert last.metrics["train_accuracy"] == 1


def test_a_policy_moves_the_base_rate_and_its_multiples(digits: TrainingData) -> None:
    calm: dict[str, Any] = {
        "learning_rate_policy": "exp",
        "exp_gamma": 1e-9,
        "momentum_rule": "never",
    }
    for rates_are, stays in (("multiples", True), ("absolute", False)):
        one = member(0, rates_are=rates_are, handover_rule="off", proposed_rates="0.1", **calm)
        first, later = (saved(train([one], digits, until)[1][0])["weights"] for until in (1, 3))
        assert (np.abs(first - later).max() < 1e-8) == stays


def test_members_may_differ_in_all_but_shapes(digits: TrainingData) -> None:
    keys = {population_key(mixed(i, batch_size=7), digits) for i in range(30)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("own", "rule"),
    [
        ({"network": "lenet"}, "must be one of two-layer, multi-layer, got 'lenet'"),
        ({"network": "multi-layer", "batch_norm": True}, "batch_norm must be one of false"),
        ({"network": "multi-layer", "dropout": 0.5}, "dropout must be a number of at least 0 and"),
    ],
)
def test_a_network_that_it_cant_train_is_refused(
    own: dict[str, ParamValue], rule: str, digits: TrainingData
) -> None:
    with pytest.raises(ValueError, match=rule):
        ProposalSearch([member(0, **own)], digits, n_epochs=1)


def test_passes_are_reported_in_the_members_order(digits: TrainingData) -> None:
    own: dict[str, Any] = {"handover_rule": "off", "momentum_rule": "never"}
    rates = ("1", "1, 2, 3", "1, 2")
    members = [member(0, proposed_rates=r, **own) for r in rates]
    trainer = ProposalSearch(members, digits, n_epochs=2)
    assert len([*trainer.run(2)]) == 2
    # 50 images in mini-batches of 7: 8 iterations an epoch, each 1 + 2 |S| forward, 1 back.
    assert [trainer.passes(i) for i in range(3)] == [(48, 16), (112, 16), (80, 16)]
