"""What folds as needed are worth, with as many fits in all.

    python benchmarks/bench_folds.py [--seeds 5] [--fits 160] [--first-seed 0]

Eight studies of tables, four of scikit-learn's own and four made ones, with 5-fold
cross-validation and the default sampler, with and without `split.folds_as_needed`. Both have the
same budget of fits. A search is judged by the objective of its best trial that has all folds,
after some of its fits; the regret is its distance from the best score that any search of the same
study and seed found with all fits, over that of the median score. The table has the mean regret
over seeds without and with, their ratio, and the trials that were begun. The last lines have the
geometric mean of the ratios, with a 95 % interval of resampled seeds, and the mean regrets. Fits
of confirmation and test don't count.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import datasets

from hpsearch.records.layout import Home
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study

FOLDS = 5
LEAST = 0.01  # is added to mean regrets: ratios of what is less say nothing
RESAMPLES = 2000
STUDY = """
name = "study"
seed = {seed}
objective = {{ metric = "{metric}", direction = "{direction}" }}
[data]
name = "table.csv"
target = "y"
task = "{task}"
split = {{ kind = "k-fold", folds = {folds}, folds_as_needed = {as_needed} }}
[space]
{space}
[budget]
epochs = {fits}
[[stages]]
trials = 1000
epochs = 1
[confirmation]
top = 1
seeds = 2
test_seeds = 1
default = false
"""
SVC = """\
trainer = "sklearn.svm.SVC"
C = { low = 1e-3, high = 1e3, log = true }
gamma = { low = 1e-5, high = 10.0, log = true }
kernel = { choices = ["rbf", "poly", "sigmoid"] }
"""
TREE = """\
trainer = "sklearn.tree.DecisionTreeCLASS"
max_depth = { low = 1, high = 20 }
min_samples_leaf = { low = 1, high = 60, log = true }
min_samples_split = { low = 2, high = 100, log = true }
max_features = { low = 0.1, high = 1.0 }
ccp_alpha = { low = 1e-6, high = 0.1, log = true }
"""
SVR = """\
trainer = "sklearn.svm.SVR"
C = { low = 1e-2, high = 1e4, log = true }
gamma = { low = 1e-5, high = 10.0, log = true }
epsilon = { low = 1e-3, high = 10.0, log = true }
"""
SEVERAL = """\
trainer = { choices = ["sklearn.svm.SVC", "sklearn.neighbors.KNeighborsClassifier",
  "sklearn.tree.DecisionTreeClassifier", "sklearn.linear_model.LogisticRegression"] }
C = { low = 1e-3, high = 1e3, log = true }
gamma = { low = 1e-5, high = 10.0, log = true }
n_neighbors = { low = 1, high = 40, log = true }
weights = { choices = ["uniform", "distance"] }
max_depth = { low = 1, high = 20 }
min_samples_leaf = { low = 1, high = 60, log = true }
max_iter = 200
"""
Table = tuple[NDArray[np.float64], NDArray[np.float64]]


def _with_noise(table: Table, n: int) -> Table:
    """With so many inputs more that say nothing."""
    x, y = table
    return np.hstack([x, np.random.default_rng(0).normal(size=(len(x), n))]), y


def _some(table: Table, n: int) -> Table:
    rows = np.random.default_rng(0).permutation(len(table[1]))[:n]
    return table[0][rows], table[1][rows]


# By study: the table, what is predicted, and the space.
TASKS: dict[str, tuple[Callable[[], Table], str, str]] = {
    "breast cancer": (
        lambda: datasets.load_breast_cancer(return_X_y=True),
        "classification",
        SEVERAL,
    ),
    "wine": (lambda: datasets.load_wine(return_X_y=True), "classification", SVC),
    "digits, 400 rows": (
        lambda: _some(datasets.load_digits(return_X_y=True), 400),
        "classification",
        SEVERAL,
    ),
    "diabetes": (lambda: datasets.load_diabetes(return_X_y=True), "regression", SVR),
    "classification": (
        lambda: datasets.make_classification(400, 20, n_informative=6, flip_y=0.1, random_state=0),
        "classification",
        SVC,
    ),
    "moons and noise": (
        lambda: _with_noise(datasets.make_moons(300, noise=0.3, random_state=0), 6),
        "classification",
        SEVERAL,
    ),
    "friedman1": (
        lambda: datasets.make_friedman1(250, noise=1.0, random_state=0),
        "regression",
        TREE.replace("CLASS", "Regressor"),
    ),
    "hastie": (
        lambda: datasets.make_hastie_10_2(400, random_state=0),
        "classification",
        TREE.replace("CLASS", "Classifier"),
    ),
}


@dataclass(frozen=True)
class Search:
    """A search by its trials, in their order.

    Attributes:
        spent: fits up to each trial's end.
        scores: of those with all folds, higher is better; else -inf.
    """

    spent: Sequence[int]
    scores: Sequence[float]

    def best(self, fits: int) -> float:
        """Among the trials that these fits suffice for."""
        found = [s for n, s in zip(self.spent, self.scores, strict=True) if n <= fits]
        return max(found)


def searched(task: str, *, seed: int, fits: int, as_needed: bool) -> Search:
    """Run a study."""
    table, kind, space = TASKS[task]
    metric = "validation_accuracy" if kind == "classification" else "validation_mse"
    text = STUDY.format(
        seed=seed,
        metric=metric,
        direction="maximize" if kind == "classification" else "minimize",
        task=kind,
        folds=FOLDS,
        as_needed=str(as_needed).lower(),
        space=space,
        fits=fits,
    )
    with TemporaryDirectory() as place:
        x, y = table()
        frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
        frame["y"] = y if kind == "regression" else y.astype(int)
        frame.to_csv(Path(place, "table.csv"), index=False)
        file = Path(place, "study.toml")
        file.write_text(text)
        read, home = read_study(file), Home(Path(place, "home"))
        home.create()
        run = open_run(read, home, fresh=False)
        try:
            Study(read, run, home.storage_url, 0).execute()
            records = [*run.folder.read_all("trial")]
        finally:
            run.close()
    return _as_search(records, 1.0 if kind == "classification" else -1.0)


def _as_search(records: Sequence[TrialRecord], sign: float) -> Search:
    spent = np.cumsum([sum(member.epoch for member in record.members) for record in records])
    scores = [sign * record.scores[1] if record.scores else -np.inf for record in records]
    return Search(spent.tolist(), scores)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--fits", type=int, default=160)
    args = parser.parse_args()
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    marks = [args.fits // 4, args.fits // 2, args.fits]
    print(f"{'study':18}" + "".join(f"{n:>9} with ratio" for n in marks) + "   trials  with")
    regrets = np.empty((len(TASKS), 2, len(seeds), len(marks)))
    for row, task in enumerate(TASKS):
        counts = np.empty((2, len(seeds)))
        for column, seed in enumerate(seeds):
            both = [
                searched(task, seed=seed, fits=args.fits, as_needed=as_needed)
                for as_needed in (False, True)
            ]
            top = max(search.best(args.fits) for search in both)
            every = [score for search in both for score in search.scores if np.isfinite(score)]
            spread = top - float(np.median(every)) or 1.0
            for arm, search in enumerate(both):
                counts[arm, column] = len(search.scores)
                gaps = [(top - search.best(n)) / spread for n in marks]
                regrets[row, arm, column] = gaps
        means = regrets[row].mean(axis=1) + LEAST
        cells = "".join(f"{a:9.4f} {b:.4f} {b / a:5.2f}" for a, b in zip(*means, strict=True))
        print(
            f"{task:18}{cells} {np.median(counts[0]):8.0f} {np.median(counts[1]):5.0f}", flush=True
        )
    rng = np.random.default_rng(0)
    for place, n in enumerate(marks):
        ratio = _ratio(regrets[..., place])
        drawn = [
            _ratio(regrets[..., rng.integers(len(seeds), size=len(seeds)), place])
            for _ in range(RESAMPLES)
        ]
        low, high = np.quantile(drawn, (0.025, 0.975))
        without, with_it = regrets[:, :, :, place].mean(axis=(0, 2))
        print(
            f"after {n} fits: geometric mean of the ratios {ratio:.2f} ({low:.2f} … {high:.2f}), "
            f"mean regret {without:.4f} without, {with_it:.4f} with: {with_it / without:.2f}"
        )


def _ratio(regrets: NDArray[np.float64]) -> float:
    """(tasks, 2, seeds) -> the geometric mean over tasks of the ratio of mean regrets."""
    means = regrets.mean(axis=2) + LEAST
    return float(np.exp(np.log(means[:, 1] / means[:, 0]).mean()))


if __name__ == "__main__":
    main()
