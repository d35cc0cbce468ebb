"""Make customers.csv, a table with texts, gaps and dates whose best answer is known.

A customer leaves if

    z = (age - 45) / 15 + 1.5 [plan = basic] + 1.0 [the note says cancel or refund] - 2.3

is above 0. For one customer in twenty the table says the opposite. No model can be right about
those, so the best accuracy on new rows is 0.95. Age, city and the day are missing in some rows.

Run: python studies/make_customers.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ROWS, SEED, WRONG = 800, 7, 0.05
WORDS = [
    *("slow", "fast", "great", "bill", "support", "love"),
    *("call", "app", "login", "crash", "cancel", "refund"),
]


def customers(rng: np.random.Generator) -> pd.DataFrame:
    """The table."""
    age = rng.normal(45, 15, ROWS).clip(18, 90).round()
    plan = rng.choice(["basic", "pro", "team"], ROWS, p=[0.5, 0.35, 0.15])
    notes = [" ".join(rng.choice(WORDS, 4)) for _ in range(ROWS)]
    angry = np.array(["cancel" in note or "refund" in note for note in notes])
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 900, ROWS), "D")
    leaves = (age - 45) / 15 + 1.5 * (plan == "basic") + angry - 2.3 > 0
    leaves ^= rng.random(ROWS) < WRONG
    table = pd.DataFrame(
        {
            "customer_id": 10000 + rng.permutation(ROWS),
            "age": pd.array(age.astype(int), "Int64"),
            "city": rng.choice(["Berlin", "Lyon", "Oslo", "Porto"], ROWS),
            "plan": plan,
            "newsletter": rng.choice(["yes", "no"], ROWS),
            "since": days.strftime("%Y-%m-%d"),
            "note": notes,
            "churned": np.where(leaves, "yes", "no"),
        }
    )
    for column, n in (("age", 40), ("city", 60), ("since", 30)):
        table.loc[rng.choice(ROWS, n, replace=False), column] = pd.NA
    return table


if __name__ == "__main__":
    path = Path(__file__).parent / "customers.csv"
    customers(np.random.default_rng(SEED)).to_csv(path, index=False)
