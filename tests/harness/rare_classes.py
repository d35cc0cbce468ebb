"""A study of a table of two classes, one of them rare."""

from __future__ import annotations

import numpy as np
import pandas as pd

STUDY = """\
# Two classes, one of them rare.
name = "rare"
objective = { metric = "validation_roc_auc" }
[data]
name = "table.csv"
target = "churned"
columns = "numbers"
split = { kind = "k-fold", folds = 3 }
[space]
trainer = "sklearn.linear_model.LogisticRegression"
C = { low = 0.01, high = 10.0, log = true }
[evaluation]
metrics = ["average_precision", "f1"]
[[stages]]
trials = 3
epochs = 1
[confirmation]
top = 1
seeds = 2
test_seeds = 1
default = false
"""
ROWS = 120


def rare_table(rng: np.random.Generator) -> pd.DataFrame:
    """Every sixth row has churned, more of them where `a` is large."""
    frame = pd.DataFrame({"a": rng.normal(size=ROWS), "b": rng.normal(size=ROWS)})
    order = np.argsort(-frame["a"] + rng.normal(size=ROWS))
    frame["churned"] = np.where(np.isin(np.arange(ROWS), order[: ROWS // 6]), "yes", "no")
    frame["spent"] = 3 + frame["a"].to_numpy() ** 2
    return frame
