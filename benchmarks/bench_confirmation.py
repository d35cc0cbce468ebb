"""How often the winner's interval is right, how much pairing narrows a difference, and how often
studies report a gain from tuning where none exists.

    python benchmarks/bench_confirmation.py [--seeds 20] [--null-seeds 40] [--only svc,forest]

Runs nine studies on few rows, each with many unseen rows as its test set and with --seeds seeds,
which also draw the rows:

- coverage: how often the 95 % interval of the winner's validation score covers its mean test score
  over the refits, with splits = "kept" and with "fresh";
- widths: the interval of winner minus defaults on validation data, paired by repeat, against the
  interval for independent scores (the root of the sum of squares);
- the null: two classes assigned at random; how often "tuning gained" is reported over --null-seeds
  seeds, from the test rows as in the study, and from validation data alone.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import datasets

from hpsearch.errors import StudyFailed
from hpsearch.records.estimate import Estimate
from hpsearch.records.layout import Home
from hpsearch.records.result import Result
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study

UNSEEN = 10_000  # rows
Table = tuple[NDArray[Any], NDArray[Any]]
HEAD = """
name = "study"
seed = {seed}
objective = {{ metric = "{metric}", direction = "maximize" }}
[data]
{data}
split = {split}
{body}
[confirmation]
top = 3
seeds = 5
test_seeds = 10
splits = "{splits}"
"""
HOLD_OUT = '{ kind = "hold-out" }'
FOLDS = '{ kind = "k-fold", folds = 5 }'
REPEATED = '{ kind = "repeated-k-fold", folds = 3, repeats = 2 }'


def stages(*lengths: tuple[int, int]) -> str:
    return "".join(f"[[stages]]\ntrials = {n}\nepochs = {epochs}\n" for n, epochs in lengths)


def network(trainer: str, *lengths: tuple[int, int]) -> str:
    return f"""[network]
name = "two-layer"
[space]
trainer = "{trainer}"
learning_rate = {{ low = 1e-4, high = 1.0, log = true }}
weight_decay = {{ low = 1e-6, high = 1e-1, log = true }}
hidden = {{ low = 8, high = 64, log = true }}
{stages(*lengths)}"""


def estimator(name: str, space: str, trials: int = 24) -> str:
    return f'[space]\ntrainer = "sklearn.{name}"\n{space}\n{stages((trials, 1))}'


def blobs(n: int, seed: int) -> Table:
    """Ten inputs, five of which separate two overlapping classes."""
    return datasets.make_classification(  # type: ignore[no-any-return]
        n, 10, n_informative=5, flip_y=0.15, class_sep=0.7, random_state=seed
    )


def three(n: int, seed: int) -> Table:
    return datasets.make_classification(  # type: ignore[no-any-return]
        n, 15, n_informative=6, n_classes=3, flip_y=0.1, class_sep=0.8, random_state=seed
    )


def moons(n: int, seed: int) -> Table:
    return datasets.make_moons(n, noise=0.35, random_state=seed)  # type: ignore[no-any-return]


def friedman(n: int, seed: int) -> Table:
    return datasets.make_friedman1(n, noise=2.0, random_state=seed)  # type: ignore[no-any-return]


def nothing(n: int, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 6)), rng.integers(2, size=n)


ACCURACY = "validation_accuracy"
# What the rows are, how many are learned from, the metric, the split, space and stages.
TABLES: dict[str, tuple[Callable[[int, int], Table], int, str, str, str]] = {
    "svc": (
        *(moons, 150, ACCURACY, HOLD_OUT),
        estimator(
            "svm.SVC",
            "C = { low = 0.01, high = 100.0, log = true }\n"
            "gamma = { low = 0.001, high = 10.0, log = true }",
        ),
    ),
    "logistic": (
        *(blobs, 120, ACCURACY, FOLDS),
        estimator(
            "linear_model.LogisticRegression", "C = { low = 1e-3, high = 100.0, log = true }"
        ),
    ),
    "forest": (
        *(three, 300, ACCURACY, FOLDS),
        estimator(
            "ensemble.RandomForestClassifier",
            "n_estimators = 30\nmin_samples_leaf = { low = 1, high = 20, log = true }\n"
            "max_features = { low = 0.1, high = 1.0 }",
            16,
        ),
    ),
    "ridge": (
        *(friedman, 120, "validation_r2", HOLD_OUT),
        estimator(
            "kernel_ridge.KernelRidge",
            'kernel = "rbf"\nalpha = { low = 1e-3, high = 10.0, log = true }\n'
            "gamma = { low = 1e-3, high = 1.0, log = true }",
        ),
    ),
    "neighbours": (
        *(moons, 200, ACCURACY, REPEATED),
        estimator(
            "neighbors.KNeighborsClassifier", "n_neighbors = { low = 1, high = 60, log = true }"
        ),
    ),
    "tree": (
        *(blobs, 200, ACCURACY, HOLD_OUT),
        estimator(
            "tree.DecisionTreeClassifier",
            "max_depth = { low = 1, high = 12 }\n"
            "min_samples_leaf = { low = 1, high = 30, log = true }",
        ),
    ),
    "network": (*(three, 200, ACCURACY, HOLD_OUT), network("adam", (16, 8), (8, 24))),
    "folds": (*(blobs, 150, ACCURACY, FOLDS), network("sgd", (12, 8), (6, 24))),
}
SHOTS = network("momentum", (12, 8), (6, 24))  # of MNIST


def study_text(name: str, seed: int, splits: str, folder: Path) -> str:
    """The study file, with the rows it names beside it."""
    if name == "mnist":
        data = 'name = "mnist"\nshots = 10'
        return HEAD.format(
            seed=seed, metric=ACCURACY, data=data, split=FOLDS, body=SHOTS, splits=splits
        )
    is_null = name == "null"
    make, n, metric, split, body = TABLES["svc" if is_null else name]
    inputs, labels = (nothing if is_null else make)(n + UNSEEN, seed)
    table = pd.DataFrame(inputs).add_prefix("x")
    table["y"] = labels
    table[:n].to_csv(folder / "rows.csv", index=False)
    table[n:].to_csv(folder / "unseen.csv", index=False)
    data = 'name = "rows.csv"\ntest = "unseen.csv"\ntarget = "y"'
    if metric == ACCURACY:
        data += '\ntask = "classification"'
    return HEAD.format(seed=seed, metric=metric, data=data, split=split, body=body, splits=splits)


def result_of(name: str, seed: int, splits: str) -> Result | None:
    """The study's result, in this process and without MLflow; None if nothing trains."""
    with TemporaryDirectory() as place, suppress(StudyFailed):
        file = Path(place, "study.toml")
        file.write_text(study_text(name, seed, splits, file.parent))
        read, home = read_study(file), Home(Path(place, "home"))
        home.create()
        run = open_run(read, home, fresh=False)
        try:
            return Study(read, run, home.storage_url, 0).execute()
        finally:
            run.close()
    return None


def half(estimate: Estimate) -> float:
    """Half the width of an interval."""
    return 0.0 if estimate.high is None else estimate.high - estimate.mean


def covers(result: Result) -> bool:
    """Whether the winner's interval contains the score of its refits on unseen rows."""
    truth, found = result.test_score, result.validation
    assert truth is not None
    if found.low is None or found.high is None:
        return found.mean == truth.mean
    return found.low <= truth.mean <= found.high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--null-seeds", type=int, default=40)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    names = [*filter(None, args.only.split(","))] or [*TABLES, "mnist", "null"]
    print(
        f"{'study':12} {'kept':>6} {'fresh':>6} {'bias':>8} {'width':>8} {'paired/unpaired':>16}"
    )
    covered: dict[str, list[bool]] = {"kept": [], "fresh": []}
    ratios = []
    for name in names:
        if name == "null":
            continue
        found = {
            splits: [r for s in range(args.seeds) if (r := result_of(name, s, splits))]
            for splits in ("kept", "fresh")
        }
        mine = {splits: [covers(r) for r in results] for splits, results in found.items()}
        for splits, hits in mine.items():
            covered[splits] += hits
        fresh = found["fresh"]
        bias = np.mean([r.validation.mean - r.test_score.mean for r in fresh if r.test_score])
        narrower = [
            half(r.default.gain) / math.hypot(half(r.validation), half(r.default.validation))
            for r in fresh
            if r.default and r.default.gain and r.default.validation
        ]
        ratios.append(median(narrower))
        print(
            f"{name:12} {np.mean(mine['kept']):6.2f} {np.mean(mine['fresh']):6.2f} {bias:+8.4f} "
            f"{median(2 * half(r.validation) for r in fresh):8.4f} {ratios[-1]:16.3f}",
            flush=True,
        )
    if ratios:
        kept, fresh_share = (np.mean(covered[splits]) for splits in ("kept", "fresh"))
        print(f"{'all':12} {kept:6.2f} {fresh_share:6.2f} {'':8} {'':8} {median(ratios):16.3f}")
    if "null" in names:
        nulls = [r for s in range(args.null_seeds) if (r := result_of("null", s, "fresh"))]
        tuned = [r.default for r in nulls if r.default]
        by_test = sum(d.test_gain is not None and d.test_gain.sign > 0 for d in tuned)
        by_validation = sum(d.gain is not None and d.gain.sign > 0 for d in tuned)
        print(f"null: tuning said to gain in {by_test} of {len(tuned)} seeds by the test rows,")
        print(f"      {by_validation} by validation data alone")


if __name__ == "__main__":
    main()
