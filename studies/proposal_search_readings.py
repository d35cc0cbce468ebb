"""The training function of proposal_search_readings.toml: one reading of paper 000."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from hpsearch.datasets.selection import Selection
from hpsearch.execution.population import training_data
from hpsearch.trainers import Member, trainer_kind

TABLE = Path(__file__).parent / "tables" / "paper_000_table1.csv"
N_EPOCHS = 100
PAPER = {
    "trainer": "proposal-search",
    "network": "two-layer",
    "initial_weights": "normal",
    "weight_std": 0.01,
    "random_streams": "legacy",
    "dtype": "float64",
}


def train(params, data, seed, state=None):
    """Yield the error against the printed cells after 1, 1 and 3, … 1 to 9 images a class.

    What the study calls an epoch is all cells of the next number of images; nothing is random in
    it but what the paper drew with seed 1.
    """
    printed = pd.read_csv(TABLE)
    cells = printed[printed["method"] == "proposed"]
    errors = list(state or [])
    for shots in sorted(cells["shots"].unique())[len(errors) :]:
        errors.append([*_errors(params, cells[cells["shots"] == shots], int(shots))])
        off = np.concatenate(errors)
        yield (
            {
                "table_error": float(np.abs(off).mean()),
                "table_bias": float(off.mean()),
                "cells_within_one_image": int((np.abs(off) < 1.5e-4).sum()),
            },
            errors,
        )


def _errors(params: dict, cells: pd.DataFrame, shots: int) -> Iterator[float]:
    """Ours less theirs, cell by cell; those that differ in the learning rate train together."""
    first = {"draw": "first", "kind": "fixed", "validation": (59_000, 60_000)}
    data = training_data(Selection("mnist", shots=shots, **first), "both")
    kind = trainer_kind("proposal-search")
    for (hidden, batch_size), group in cells.groupby(["hidden", "batch_size"]):
        own = {**PAPER, **params, "hidden": int(hidden), "batch_size": int(batch_size)}
        members = [Member({**own, "learning_rate": rate}, (0, 0, 0), 0) for rate in group["lr"]]
        run = kind.trainer(members, data, n_epochs=N_EPOCHS).run(N_EPOCHS)
        scores = np.array([progress.metrics["test_accuracy"] for progress in run])
        # A cell that diverges stays at its best epoch before, as the paper's maximum would.
        yield from np.nanmax(scores, axis=0) - group["accuracy"]
