"""Cells of the papers' printed tables, to the digit."""

from __future__ import annotations

import csv

import pytest

from hpsearch.datasets.selection import Selection
from hpsearch.datasets.split_kinds import Fixed
from hpsearch.execution.examples import training_data
from hpsearch.trainers import Member, trainer_kind
from tests.harness.study_files import REPOSITORY

pytestmark = [pytest.mark.mnist, pytest.mark.usefixtures("real_mnist")]

PROTOCOL: dict[str, str | int | float] = {
    "network": "two-layer",
    "initial_weights": "normal",
    "weight_std": 0.01,
    "random_streams": "legacy",
    "dtype": "float64",
}
N_EPOCHS = 100


def printed(paper: str, method: str, shots: int, hidden: int, batch_size: int) -> dict[float, str]:
    """The table's accuracies by learning rate; where it does not print the rate, it is 0.1."""
    path = REPOSITORY / "studies" / "tables" / f"paper_{paper}_table1.csv"
    asked = (method, str(shots), str(hidden), str(batch_size))
    with path.open() as file:
        return {
            float(row["lr"] or 0.1): row["accuracy"]
            for row in csv.DictReader(file)
            if (row["method"], row["shots"], row["hidden"], row["batch_size"]) == asked
        }


def reached(
    trainer: str, rates: list[float], shots: int, hidden: int, batch_size: int
) -> list[str]:
    """Each rate's best accuracy over the epochs on the 10,000 test images, as printed."""
    # The first of each class in file order; the range behind them is never looked at.
    split = Fixed((59_000, 60_000))
    data = training_data(Selection("mnist", shots=shots, draw="first", split=split), "test")
    own = {**PROTOCOL, "trainer": trainer, "hidden": hidden, "batch_size": batch_size}
    members = [Member({**own, "learning_rate": rate}, (0, 0, 0, 0), 0) for rate in rates]
    run = trainer_kind(trainer).trainer(members, data, n_epochs=N_EPOCHS).run(N_EPOCHS)  # type: ignore[union-attr]
    scores = [progress.metrics["validation_accuracy"] for progress in run]
    return [f"{max(ours):.4f}" for ours in zip(*scores, strict=True)]


@pytest.mark.parametrize(
    ("paper", "shots", "hidden", "batch_size"),
    [("000", 1, 20, 8), ("000", 9, 50, 8), ("000", 3, 50, 4), ("001", 2, 50, 2)],
)
def test_sgd_reaches_what_is_printed(paper: str, shots: int, hidden: int, batch_size: int) -> None:
    wanted = printed(paper, "baseline", shots, hidden, batch_size)
    assert len(wanted) == (2 if paper == "000" else 1)
    cell = (shots, hidden, batch_size)
    assert reached("sgd", list(wanted), *cell) == list(wanted.values())


@pytest.mark.parametrize(("shots", "hidden", "batch_size"), [(1, 20, 8), (2, 20, 4), (1, 50, 2)])
def test_alternating_gradients_reach_what_is_printed(
    shots: int, hidden: int, batch_size: int
) -> None:
    wanted = printed("001", "proposed", shots, hidden, batch_size)
    cell = (shots, hidden, batch_size)
    assert reached("alternating-gradient", [0.1], *cell) == list(wanted.values())
