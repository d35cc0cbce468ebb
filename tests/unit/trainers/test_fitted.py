"""A trained network as a file says what its trainer says, whatever inputs it was reduced to."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpsearch.learning_rates import POLICIES
from hpsearch.nn.fitted import SavedNetwork
from hpsearch.trainers import Member, TrainingData, trainer_kind
from hpsearch.trainers.backprop import Backprop
from hpsearch.trainers.inputs import Reduction
from hpsearch.trainers.live_inputs import LiveFirst, LiveInputs
from hpsearch.trainers.span import Span
from tests.harness.reduced_inputs import data_for, member


def check(trainer: Backprop, data: TrainingData, members: list[Member], folder: Path) -> None:
    """The file's classes are those that the trainer predicts."""
    for row, one in enumerate(members):
        fitted = trainer.fitted(row)
        assert fitted is not None
        path = folder / f"{row}.npz"
        path.write_bytes(fitted.to_bytes(("a", "b", "c"), data.inputs[:2]))
        saved = SavedNetwork.load(str(path))
        assert saved.classes == ("a", "b", "c")
        assert (saved.example == data.inputs[:2]).all()
        rows = data.splits[one.split].validation
        taken = saved.network.logits(data.inputs[rows]).argmax(axis=1)
        expected = trainer.predictions(row)
        assert expected is not None
        assert (taken == expected).all()


@pytest.mark.parametrize("kind", [Span, LiveInputs, LiveFirst])
def test_reduced_inputs_are_all_there_again(kind: type[Reduction], tmp_path: Path) -> None:
    data = data_for(kind)
    members = [member(kind, number) for number in range(6)]
    assert {Backprop.variant(m.params, data) for m in members} == {kind}
    trainer = Backprop(members, data, n_epochs=12)
    *_, last = trainer.run(12)
    assert not last.diverged.any()
    check(trainer, data, members, tmp_path)
    for row, one in enumerate(members):
        fitted = trainer.fitted(row)
        assert fitted is not None
        rows = data.splits[one.split].validation
        logits = fitted.logits(data.inputs[rows])
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(rows)), data.labels[rows]]).mean()
        assert math.isclose(loss, last.metrics["validation_loss"][row], rel_tol=1e-9)


@pytest.mark.parametrize(
    "network",
    [
        {"network": "multi-layer", "hidden": 9, "batch_norm": True, "dropout": 0.2},
        {"network": "two-layer", "hidden": 9, "random_streams": "legacy", "dtype": "float64"},
    ],
)
def test_unreduced_networks_with_all_their_statistics(
    digits: TrainingData, network: dict[str, bool | float | str], tmp_path: Path
) -> None:
    params: dict[str, Any] = {"trainer": "adam", "learning_rate": 0.01, **network}
    members = [Member(params, (0, i), i) for i in range(2)]
    trainer = Backprop(members, digits, n_epochs=5)
    list(trainer.run(5))
    check(trainer, digits, members, tmp_path)


def test_proposal_search_has_networks_too(digits: TrainingData, tmp_path: Path) -> None:
    kind = trainer_kind("proposal-search")
    assert kind is not None
    members = [Member({"trainer": "proposal-search", "network": "two-layer"}, (0, 0), 0)]
    trainer = kind.trainer(members, digits, n_epochs=3)
    list(trainer.run(3))
    assert isinstance(trainer, Backprop)
    check(trainer, digits, members, tmp_path)


@pytest.mark.parametrize("policy", list(POLICIES))
def test_the_learning_rate_is_told_unless_it_is_constant(
    digits: TrainingData, policy: str
) -> None:
    params: dict[str, Any] = {
        "trainer": "sgd",
        "network": "two-layer",
        "learning_rate": 0.5,
        "batch_size": 10,
    }
    trainer = Backprop(
        [
            Member(params | {"learning_rate_policy": policy}, (0, 0), 0),
            Member(params, (0, 1), 0),
        ],
        digits,
        n_epochs=4,
    )
    rates = []
    for _ in trainer.run(4):
        rates.append(trainer.learning_rate(0))
        assert trainer.learning_rate(1) is None
    if policy == "cosine":  # 5 steps an epoch, 20 in all; the last one of each epoch
        expected = [0.25 * (1 + math.cos(math.pi * t / 20)) for t in (4, 9, 14, 19)]
        assert rates == pytest.approx(expected, rel=1e-5)
    assert (None in rates) == (policy == "constant")
