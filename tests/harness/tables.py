"""A table of customers who leave, with texts, gaps and dates, and a study of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

TREES, LINEAR = (
    "sklearn.ensemble.HistGradientBoostingClassifier",
    "sklearn.linear_model.LogisticRegression",
)
CUSTOMERS = f"""\
# Customers who leave: texts, gaps, dates.
name = "customers"
objective = {{ metric = "validation_accuracy", direction = "maximize" }}

[data]
name = "customers.csv"
target = "left"
split = {{ kind = "k-fold", folds = 3 }}

[network]
name = "two-layer"
hidden = 8

[space]
trainer = {{ choices = ["adam", "{LINEAR}", "{TREES}"] }}
learning_rate = {{ low = 1e-2, high = 1e-1, log = true, when = {{ trainer = "adam" }} }}

[prepare]
text_features = 8
scale = {{ choices = ["standard", "none"], when = {{ trainer = ["adam", "{LINEAR}"] }} }}

[[stages]]
trials = 3
epochs = 2

[confirmation]
top = 1
seeds = 2
test_seeds = 2
default = false
"""
# One quick trainer, for what does not depend on it.
ONE_TRAINER = f"""\
{CUSTOMERS.partition("[network]")[0]}
[space]
trainer = "{LINEAR}"
C = {{ low = 0.1, high = 10.0, log = true }}
[prepare]
text_features = 8
{CUSTOMERS[CUSTOMERS.index("[[stages]]") :].replace("epochs = 2", "epochs = 1")}"""
ROWS = 150


def customers(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.normal(45, 12, ROWS).round(1)
    plan = rng.choice(["basic", "pro"], ROWS)
    notes = [" ".join(rng.choice(["slow", "fast", "bill", "love"], 4)) for _ in range(ROWS)]
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 700, ROWS), "D")
    logit = (age - 45) / 12 + 2.0 * (plan == "basic") - 1 + rng.normal(0, 0.5, ROWS)
    frame = pd.DataFrame(
        {
            "id": np.arange(ROWS) + 100,
            "age": age,
            "plan": plan,
            "paid": rng.choice(["yes", "no"], ROWS),
            "since": days.strftime("%Y-%m-%d"),
            "note": notes,
            "left": np.where(logit > 0, "yes", "no"),
        }
    )
    frame.loc[rng.choice(ROWS, 20), "age"] = np.nan
    frame.loc[rng.choice(ROWS, 20), "plan"] = np.nan
    return frame
