"""Networks that predict numbers: in the data's units, and by the training rows alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import mean_squared_error, r2_score

from hpsearch.trainers import Member, Progress, Split, TrainingData
from hpsearch.trainers.backprop import METRICS_OF_NUMBERS, Backprop
from hpsearch.trainers.tables.predictor import NetworkPredictor
from tests.harness.populations import member


def houses(**changed: Any) -> TrainingData:
    """60 prices of about 200,000 on a line, with two splits whose mean prices differ."""
    rng = np.random.default_rng(5)
    inputs = rng.normal(size=(60, 3))
    prices = 200_000 + inputs @ [80_000, -40_000, 0] + rng.normal(0, 2_000, 60)
    order = np.argsort(prices)
    cheap, dear = np.sort(order[:40]), np.sort(order[20:])
    rest = [np.setdiff1d(np.arange(60), rows) for rows in (cheap, dear)]
    splits = [Split(cheap, rest[0]), Split(dear, rest[1])]
    said: dict[str, Any] = {"inputs": inputs, "labels": prices, "n_classes": 0, "splits": splits}
    return TrainingData(**said | changed)


def trained(
    members: list[Member], data: TrainingData, until: int = 3
) -> tuple[Backprop, list[Progress]]:
    trainer = Backprop(members, data, n_epochs=3)
    return trainer, list(trainer.run(until))


def outcome(trainer: Backprop, steps: list[Progress], row: int) -> tuple[Any, ...]:
    rows = [[step.metrics[name][row] for name in METRICS_OF_NUMBERS] for step in steps]
    return rows, trainer.state(row)


def test_learns_a_line_whatever_the_unit() -> None:
    params: dict[str, Any] = {"trainer": "adam", "hidden": 8, "batch_size": 10}
    params["learning_rate"] = 0.02
    everywhere = Split(np.arange(0, 60, 2), np.arange(1, 60, 2))
    data = houses(splits=[everywhere])
    trainer = Backprop([Member(params, (1,), 0)], data, n_epochs=150)
    *_, last = trainer.run(150)
    assert tuple(sorted(last.metrics)) == METRICS_OF_NUMBERS
    assert last.metrics["validation_r2"][0] > 0.95
    assert last.metrics["train_mse"][0] < 6_000**2
    assert trainer.predictions(0) is None


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_a_member_has_the_same_bits_alone_and_beside_those_of_another_mean(
    batch_size: int,
) -> None:
    data = houses()
    members = [member(i, batch_size=batch_size, learning_rate=0.002) for i in range(8)]
    together = trained(members, data)
    for i, one in enumerate(members):
        assert outcome(*trained([one], data), 0) == outcome(*together, i)


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"network": "multi-layer", "hidden_layers": 2, "batch_norm": True, "dropout": 0.1},
        {"dtype": "float64", "epoch_iterations": 3},
    ],
)
def test_a_paused_member_continues_to_the_same_bits(network: dict[str, Any]) -> None:
    members, data = [member(i, **network) for i in range(4)], houses()
    whole = trained(members, data)
    first, _ = trained(members, data, until=1)
    again = [
        Member(m.params, m.entropy, m.split, state=first.state(i)) for i, m in enumerate(members)
    ]
    trainer, steps = trained(again, data)
    for i in range(4):
        rows, state = outcome(*whole, i)
        assert outcome(trainer, steps, i) == (rows[1:], state)


WIDE = np.random.default_rng(0).normal(size=(60, 100))  # more columns than rows
GAPPY = WIDE[:, :6] * [1, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("inputs", [houses().inputs, WIDE, GAPPY], ids=["plain", "wide", "gappy"])
@pytest.mark.parametrize("trainer", ["sgd", "adam"])
def test_scores_are_those_of_scikit_learn_in_units_and_the_saved_file_s(
    trainer: str, inputs: NDArray[Any], tmp_path: Path
) -> None:
    """However the inputs are reduced (trainers.inputs)."""
    own: dict[str, Any] = {"trainer": trainer, "learning_rate": 0.01, "weight_decay": 0.0}
    check_file([member(i, **own) for i in range(4)], houses(inputs=inputs), tmp_path)


def check_file(members: list[Member], data: TrainingData, tmp_path: Path) -> None:
    trainer, steps = trained(members, data)
    for i, one in enumerate(members):
        fitted = trainer.fitted(i)
        assert fitted is not None
        path = tmp_path / f"{i}.npz"
        path.write_bytes(fitted.to_bytes((), data.inputs[:2]))
        predictor = NetworkPredictor(path)
        assert predictor.columns() == [("prediction", float)]
        for part, rows in data.splits[one.split].parts().items():
            told = predictor.predict(data.inputs[rows])["prediction"].to_numpy()
            mse = mean_squared_error(data.labels[rows], told)
            assert steps[-1].metrics[f"{part}_mse"][i] == pytest.approx(mse, rel=1e-6)
            r2 = r2_score(data.labels[rows], told)
            assert steps[-1].metrics[f"{part}_r2"][i] == pytest.approx(r2, rel=1e-6)


def test_rows_that_are_not_trained_on_move_nothing() -> None:
    members, data = [member(i, hidden=4) for i in range(2)], houses()
    prices = data.labels.copy()
    prices[data.splits[0].validation] *= 7
    other = houses(labels=prices)
    assert trained(members, data)[0].state(0) == trained(members, other)[0].state(0)


def test_equal_numbers_are_learned_and_have_no_r2() -> None:
    data = houses(labels=np.full(60, 3.1))
    _, steps = trained([member(0, hidden=4)], data)
    assert np.isfinite(steps[-1].metrics["train_mse"]).all()
    assert np.isnan(steps[-1].metrics["validation_r2"]).all()
    assert not steps[-1].diverged.any()


def test_a_rate_that_is_far_too_large_is_divergence() -> None:
    members = [member(0, learning_rate=1e9, weight_decay=0.0), member(2)]
    _, steps = trained(members, houses())
    assert steps[-1].diverged.tolist() == [True, False]
