"""tune against FLAML's AutoML and against a grid search, on the same rows, minutes and cores.

    python benchmarks/bench_tables.py [--minutes 3] [--only wine,friedman] [--flaml PYTHON]

There are twelve tables: scikit-learn's own, and synthetic ones with texts for categories, gaps,
rare classes and noise. Each is split into rows to learn from and test rows, which no method sees.
`tune` seals a fifth of its rows as its own test set; the others learn from all rows. FLAML runs
with the Python that --flaml names, if it has FLAML. The grid search uses imputed, one-hot and
scaled columns, logistic or ridge regression and a random forest, and five folds. All use the cores
that this process may use.

Prints a row per table: the score of each method on the test rows (ROC AUC, accuracy for more than
two classes, R^2), half the width of the 95 % bootstrap interval of the difference from ours, and
the seconds of each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from joblib import cpu_count
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TARGET, TEST, BOOTSTRAPS = "target", 0.3, 1000
FLAML = """
import json, sys, pandas as pd
from flaml import AutoML
train, test, task, seconds, cores = sys.argv[1:6]
train, test = pd.read_csv(train), pd.read_csv(test)
for name in train:
    if train[name].dtype == object or str(train[name].dtype) == "str":
        for frame in (train, test):
            if name in frame and name != "target":
                frame[name] = frame[name].astype("category")
metric = {"binary": "roc_auc", "classes": "accuracy", "numbers": "r2"}[task]
model = AutoML()
model.fit(
    train.drop(columns="target"), train["target"], metric=metric, seed=0, verbose=0,
    n_jobs=int(cores),
    task="regression" if task == "numbers" else "classification", time_budget=float(seconds),
)
if task == "binary":
    answers = model.predict_proba(test)[:, 1]
else:
    answers = model.predict(test)
print(json.dumps([a if isinstance(a, str) else float(a) for a in answers]))
"""


def tables() -> dict[str, Callable[[], pd.DataFrame]]:
    """Each as a frame with its target."""

    def bunch(load: Callable[..., object]) -> Callable[[], pd.DataFrame]:
        return lambda: load(as_frame=True).frame.rename(columns={"target": TARGET})  # type: ignore[attr-defined]

    def named(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[TARGET].astype(int)
        return frame.assign(**{TARGET: values.map(lambda k: f"class {k}")})

    def made(seed: int, rare: float, classes: int = 2) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        weights = [1 - rare] if classes == 2 else None
        x, y = datasets.make_classification(
            2000,
            16,
            n_informative=8,
            n_classes=classes,
            weights=weights,
            flip_y=0.05,
            random_state=seed,
        )
        frame = pd.DataFrame(x).add_prefix("x")
        for place in (0, 1, 2):  # as categories
            cut = pd.qcut(frame[f"x{place}"], 6, labels=[f"level {k}" for k in "abcdef"])
            frame[f"x{place}"] = cut.astype(str)
        for place in (3, 4, 5):
            frame.loc[rng.random(2000) < 0.1, f"x{place}"] = np.nan
        return named(frame.assign(**{TARGET: y}))

    def friedman(
        make: Callable[..., tuple[NDArray[Any], NDArray[Any]]], noise: float
    ) -> pd.DataFrame:
        x, y = make(1500, noise=noise, random_state=0)
        return pd.DataFrame(x).add_prefix("x").assign(**{TARGET: y + 0.5})

    return {
        "breast_cancer": lambda: named(bunch(datasets.load_breast_cancer)()),
        "wine": lambda: named(bunch(datasets.load_wine)()),
        "iris": lambda: named(bunch(datasets.load_iris)()),
        "digits": lambda: named(bunch(datasets.load_digits)()),
        "diabetes": lambda: bunch(datasets.load_diabetes)().assign(
            **{TARGET: lambda frame: frame[TARGET] + 0.5}
        ),
        "mixed": lambda: made(1, 0.5),
        "mixed_rare": lambda: made(2, 0.08),
        "mixed_classes": lambda: made(3, 0.5, classes=4),
        "friedman1": lambda: friedman(datasets.make_friedman1, 1.0),
        "friedman2": lambda: friedman(datasets.make_friedman2, 100.0),
        "friedman3": lambda: friedman(datasets.make_friedman3, 0.2),
        "hastie": lambda: named(hastie()),
    }


def hastie() -> pd.DataFrame:
    x, y = datasets.make_hastie_10_2(2000, random_state=0)
    return pd.DataFrame(x).add_prefix("x").assign(**{TARGET: (y > 0).astype(int)})


def task_of(target: pd.Series) -> str:
    if target.dtype.kind == "f":
        return "numbers"
    return "binary" if target.nunique() == 2 else "classes"


def score(task: str, true: NDArray[Any], answers: NDArray[Any]) -> float:
    """Larger is better."""
    if task == "numbers":
        return float(r2_score(true, answers))
    if task == "binary":
        return float(roc_auc_score(true == "class 1", answers))
    return float(accuracy_score(true, answers))


def by_tune(folder: Path, task: str, minutes: float) -> NDArray[Any]:
    metric = {"binary": "roc_auc", "classes": "accuracy", "numbers": "r2"}[task]
    words = ["tune", "train.csv", "--target", TARGET, "--minutes", str(minutes)]
    hpsearch = [sys.executable, "-m", "hpsearch"]
    subprocess.run(
        [*hpsearch, *words, "--metric", metric, "--home", "home"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    score_rows = ["predict", "train", "test.csv", "--to", "scored.csv", "--home", "home"]
    subprocess.run([*hpsearch, *score_rows], cwd=folder, check=True, capture_output=True)
    scored = pd.read_csv(folder / "scored.csv")
    name = {"binary": "probability_class 1", "classes": "class", "numbers": "prediction"}[task]
    return np.asarray(scored[name])


def by_flaml(folder: Path, task: str, minutes: float, python: str) -> NDArray[Any]:
    words = ["train.csv", "rows.csv", task, str(60 * minutes), str(cpu_count())]
    done = subprocess.run(
        [python, "-c", FLAML, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return np.array(json.loads(done.stdout.splitlines()[-1]))


def by_grid(folder: Path, task: str) -> NDArray[Any]:
    train, rows = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "rows.csv")
    x, y = train.drop(columns=TARGET), train[TARGET]
    words = [name for name in x if not pd.api.types.is_numeric_dtype(x[name])]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), words),
        remainder=make_pipeline(SimpleImputer(), StandardScaler()),
    )
    numbers = task == "numbers"
    linear = Ridge() if numbers else LogisticRegression(max_iter=1000)
    forest = (RandomForestRegressor if numbers else RandomForestClassifier)(random_state=0)
    strength = "ridge__alpha" if numbers else "logisticregression__C"
    leaf = f"{type(forest).__name__.lower()}__min_samples_leaf"
    scoring = {"binary": "roc_auc", "classes": "accuracy", "numbers": "r2"}[task]
    searches = [
        GridSearchCV(
            make_pipeline(columns, model), grid, cv=5, n_jobs=cpu_count(), scoring=scoring
        )
        for model, grid in (
            (linear, {strength: [0.001, 0.01, 0.1, 1, 10, 100]}),
            (forest, {leaf: [1, 3, 10]}),
        )
    ]
    best = max((search.fit(x, y) for search in searches), key=lambda s: s.best_score_)
    return np.asarray(best.predict_proba(rows)[:, 1] if task == "binary" else best.predict(rows))


def half_width(task: str, true: NDArray[Any], ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Of the 95 % interval of the difference, over test rows drawn again and again."""
    rng = np.random.default_rng(0)
    found: list[float] = []
    while len(found) < BOOTSTRAPS:
        rows = rng.integers(0, len(true), len(true))
        if task == "binary" and len(set(true[rows])) < 2:
            continue
        found.append(score(task, true[rows], ours[rows]) - score(task, true[rows], theirs[rows]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(high - low) / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--flaml", default="", help="a Python that has FLAML")
    said = parser.parse_args()
    names = said.only.split(",") if said.only else list(tables())
    head = f"{'table':<14} {'tune':>8} {'flaml':>8} {'±':>7} {'grid':>8} {'±':>7}"
    print(f"{head}   seconds of each")
    for name in names:
        compare(name, tables()[name](), said.minutes, said.flaml)


def compare(name: str, frame: pd.DataFrame, minutes: float, flaml: str) -> None:
    """Print a row."""
    task = task_of(frame[TARGET])
    stratify = None if task == "numbers" else frame[TARGET]
    train, test = train_test_split(frame, test_size=TEST, random_state=0, stratify=stratify)
    true = test[TARGET].to_numpy()
    answers: list[NDArray[Any] | None] = []
    seconds = []
    with TemporaryDirectory() as place:
        folder = Path(place)
        train.to_csv(folder / "train.csv", index=False)
        for file in ("rows.csv", "test.csv"):
            test.drop(columns=TARGET).to_csv(folder / file, index=False)
        methods: list[Callable[[], NDArray[Any]]] = [
            lambda: by_tune(folder, task, minutes),
            lambda: by_flaml(folder, task, minutes, flaml),
            lambda: by_grid(folder, task),
        ]
        for number, method in enumerate(methods):
            began = time.perf_counter()
            answers.append(None if number == 1 and not flaml else method())
            seconds.append(f"{time.perf_counter() - began:.0f}")
    ours = answers[0]
    assert ours is not None
    cells = [f"{score(task, true, ours):8.4f}"]
    for theirs in answers[1:]:
        if theirs is None:
            cells.append(f"{'':>8} {'':>7}")
            continue
        width = half_width(task, true, ours, theirs)
        cells.append(f"{score(task, true, theirs):8.4f} {width:7.4f}")
    print(f"{name:<14} {' '.join(cells)}   {' / '.join(seconds)}", flush=True)


if __name__ == "__main__":
    main()
