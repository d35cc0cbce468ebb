"""What ending trials by Pareto rank is worth, with as many epochs in all.

    python benchmarks/bench_pruning.py [--seeds 10] [--epochs 540]

Two studies of two objectives, validation loss and a cost that is known of every configuration
(passes of training, or size of the network), with and without `[pruner] name = "pareto"`. Both
have the same budget of epochs. A search is judged by the hypervolume below the front of its
complete trials: cost on a log scale between the least and the most possible, loss between 0 and
that of guessing; larger is better. Figures are medians and quartiles over seeds, and the share of
seeds in which pruning was ahead.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study

EPOCHS = 27  # of a whole training
GUESS = math.log(10)
KEEPS = (0.5, 0.3)
STUDY = """
name = "study"
seed = {seed}
[[objectives]]
metric = "validation_loss"
direction = "minimize"
[[objectives]]
metric = "{cost}"
direction = "minimize"
[data]
name = "digits"
shots = {shots}
[network]
name = "two-layer"
[space]
trainer = "momentum"
learning_rate = {{ low = 1e-3, high = 1.0, log = true }}
momentum = {{ low = 0.5, high = 0.99 }}
weight_decay = {{ low = 1e-6, high = 1e-1, log = true }}
{space}
[evaluation]
passes = true
resources = true
[budget]
epochs = {epochs}
[sampler]
name = "{sampler}"
batch = 4
[[stages]]
trials = 1000
epochs = {length}
[confirmation]
top = 1
seeds = 2
test_seeds = 1
"""
TASKS = {
    "passes": (
        "passes/backward",
        20,
        "hidden = 30\nbatch_size = { low = 2, high = 128, log = true }",
    ),
    "size": (
        "resources/array_bytes",
        40,
        "batch_size = 16\nhidden = { low = 2, high = 200, log = true }",
    ),
}


def front_of(
    task: str, sampler: str, keep: float, seed: int, epochs: int
) -> tuple[list[tuple[float, float]], int]:
    """Loss and cost of the complete trials of a search, and how many trials it began.

    Args:
        keep: what goes on from a rung; 1: no pruner.
    """
    cost, shots, space = TASKS[task]
    text = STUDY.format(
        seed=seed,
        cost=cost,
        shots=shots,
        space=space,
        epochs=epochs,
        length=EPOCHS,
        sampler=sampler,
    )
    if keep < 1:
        text += f'[pruner]\nname = "pareto"\nrungs = [3, 9]\noptions = {{ keep = {keep} }}\n'
    with TemporaryDirectory() as place:
        file = Path(place, "study.toml")
        file.write_text(text)
        read, home = read_study(file), Home(Path(place, "home"))
        home.create()
        run = open_run(read, home, fresh=False)
        try:
            Study(read, run, home.storage_url, 0).execute()
            trials = [*run.folder.read_all("trial")]
        finally:
            run.close()
    last = [r.values[EPOCHS].values() for r in trials if r.outcome is Outcome.COMPLETE]
    return [(loss, cost) for loss, cost in last], len(trials)


def hypervolume(points: list[tuple[float, float]], low: float, high: float) -> float:
    """The share of the unit square that the points dominate."""
    width = math.log(high / low)
    scaled = sorted(
        (math.log(cost / low) / width, min(loss / GUESS, 1.0)) for loss, cost in points
    )
    volume, best = 0.0, 1.0
    for cost, loss in scaled:
        if loss < best:
            volume += (1.0 - cost) * (best - loss)
            best = loss
    return volume


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=540)
    args = parser.parse_args()
    print(f"{'study':8} {'sampler':8} {'keep':>5} {'trials':>7} {'hypervolume':>24} {'ahead':>6}")
    for task in TASKS:
        for sampler in ("tpe", "random"):
            found = {
                keep: [front_of(task, sampler, keep, s, args.epochs) for s in range(args.seeds)]
                for keep in (1.0, *KEEPS)
            }
            costs = [
                cost for searches in found.values() for points, _ in searches for _, cost in points
            ]
            low, high = min(costs), max(costs)
            volumes = {
                keep: np.array([hypervolume(points, low, high) for points, _ in searches])
                for keep, searches in found.items()
            }
            for keep, searches in found.items():
                q1, q2, q3 = np.quantile(volumes[keep], (0.25, 0.5, 0.75))
                ahead = np.mean(volumes[keep] > volumes[1.0])
                n = np.median([n for _, n in searches])
                print(
                    f"{task:8} {sampler:8} {keep:5} {n:7.0f} {q2:8.4f} ({q1:.4f} … {q3:.4f}) "
                    f"{ahead:6.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
