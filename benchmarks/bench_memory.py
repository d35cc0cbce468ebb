"""The memory of a worker for a table of 100,000 rows x 50 columns, while trainers train on it.

    python benchmarks/bench_memory.py [CHECKOUT ...]

Measures each named checkout of hpsearch in turn, or else the current checkout. A process opens the
table (40 MB of numbers, as Parquet) and trains one slice of two epochs on each of three folds, as
a worker does. Prints a row per trainer and checkout, in MB above the process's memory before: the
peak while it opens the table, and the peak while it trains each fold. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

ROWS, COLUMNS, FOLDS = 100_000, 50, 3
TRAINERS = {
    "sklearn.linear_model.LogisticRegression": "C = 1.0",
    "sklearn.ensemble.HistGradientBoostingClassifier": "learning_rate = 0.1",
    "lightgbm.LGBMClassifier": "n_estimators = 20",
    "adam": "learning_rate = 0.01",
}
STUDY = """
name = "memory"
objective = {{ metric = "validation_accuracy" }}
data = {{ name = "t.parquet", target = "target", split = {{ kind = "k-fold", folds = {folds} }} }}
{network}
space.trainer = "{trainer}"
space.{param}
stages = [{{ trials = 1, epochs = 2 }}]
"""


def held() -> tuple[int, int]:
    """The memory of this process now, and its peak since `reset`, in MB."""
    said = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    now, most = (int(said[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


def reset() -> None:
    """Reset the peak to the memory now."""
    Path("/proc/self/clear_refs").write_text("5")


def worker(folder: Path, trainer: str) -> list[int]:
    """Open the table and train; returns the peak of each step above the memory at the start."""
    import sklearn.compose
    import sklearn.impute
    import sklearn.pipeline
    import sklearn.preprocessing  # noqa: F401  they are no part of what is measured

    from hpsearch.datasets.opened import forget_opened
    from hpsearch.datasets.table import _forget_cells
    from hpsearch.execution.examples import open_data
    from hpsearch.execution.population import run_slice
    from hpsearch.execution.slices import Slice
    from hpsearch.study.slice_settings import slice_settings
    from hpsearch.studyfile.reading import read_text
    from hpsearch.trainers import Member

    network = "" if "." in trainer else 'network.name = "two-layer"'
    text = STUDY.format(folds=FOLDS, network=network, trainer=trainer, param=TRAINERS[trainer])
    read = read_text(text, folder / "memory.toml", ["execution.slice_seconds=1000"])
    forget_opened()  # what reading the study opened
    _forget_cells()
    reset()
    first, _ = held()
    found = []
    open_data(read.selection)
    found.append(held()[1] - first)
    settings, params = slice_settings(read, read.selection), read.space.complete(read.space.fixed)
    for fold in range(FOLDS):
        reset()
        done = run_slice(Slice(settings, (Member(params, (0, 0, 0, fold), fold),), 2))
        assert done.error is None, done.error
        found.append(held()[1] - first)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("checkouts", nargs="*", type=Path, default=[here])
    parser.add_argument("--worker", nargs=2, metavar=("FOLDER", "TRAINER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(worker(Path(given.worker[0]), given.worker[1])))
        return
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"n{i}": rng.normal(size=ROWS) for i in range(COLUMNS)})
    target = (table["n0"] + table["n1"] + rng.normal(size=ROWS) > 0).astype(int)
    with TemporaryDirectory() as name:
        table.assign(target=target).to_parquet(Path(name, "t.parquet"))
        print(f"{'trainer':<48} {'checkout':<20} opened  " + "folds")
        for trainer in TRAINERS:
            for checkout in given.checkouts:
                env = {**os.environ, "PYTHONPATH": str(checkout.resolve())}
                command = [sys.executable, __file__, "--worker", name, trainer]
                done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
                opened, *folds = json.loads(done.stdout.splitlines()[-1])
                said = "  ".join(f"{most:4d}" for most in folds)
                print(f"{trainer:<48} {checkout!s:<20} {opened:6d}  {said}", flush=True)


if __name__ == "__main__":
    main()
