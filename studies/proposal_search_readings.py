"""The training function of proposal_search_readings.toml: one reading of paper 000."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from hpsearch.datasets.selection import Selection
from hpsearch.datasets.split_kinds import Fixed
from hpsearch.execution.examples import training_data
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
    """Yield the error against the printed cells after one, two, three and all quarters of them.

    The study's next epoch is the next quarter: some cells of every number of images and of every
    batch size. Nothing in it is random except what the paper drew with seed 1.
    """
    errors = list(state or [])
    for quarter in _quarters()[len(errors) :]:
        errors.append([*_errors(params, quarter)])
        off = np.concatenate(errors)
        yield (
            {
                "table_error": float(np.abs(off).mean()),
                "table_bias": float(off.mean()),
                "cells_within_one_image": int((np.abs(off) < 1.5e-4).sum()),
            },
            errors,
        )


def _quarters() -> list[pd.DataFrame]:
    """The 80 proposed cells: each quarter has another batch size for each number of images."""
    cells = pd.read_csv(TABLE).query("method == 'proposed'")
    places = [cells[name].rank(method="dense").astype(int) for name in ("batch_size", "shots")]
    return [cells[(places[0] + places[1]) % 4 == quarter] for quarter in range(4)]


def _errors(params: dict, cells: pd.DataFrame) -> Iterator[float]:
    """Our error minus theirs, cell by cell; cells that differ only in the rate train together."""
    split = Fixed(validation=(59_000, 60_000))
    kind = trainer_kind("proposal-search")
    for (shots, hidden, batch), group in cells.groupby(["shots", "hidden", "batch_size"]):
        data = training_data(
            Selection("mnist", shots=int(shots), draw="first", split=split), "both"
        )
        own = {**PAPER, **params, "hidden": int(hidden), "batch_size": int(batch)}
        members = [Member({**own, "learning_rate": rate}, (0, 0, 0), 0) for rate in group["lr"]]
        run = kind.trainer(members, data, n_epochs=N_EPOCHS).run(N_EPOCHS)
        scores = np.array([progress.metrics["test_accuracy"] for progress in run])
        # A cell that diverges keeps its best epoch before that, as the paper's maximum would.
        yield from np.nanmax(scores, axis=0) - group["accuracy"]
