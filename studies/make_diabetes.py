"""Make diabetes.csv from the data that scikit-learn includes: 442 patients.

Each row has ten numbers about a patient and the one to predict: how far diabetes has progressed
a year later, 25 to 346. Source: B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least Angle
Regression, Annals of Statistics 32 (2004).

Run: python studies/make_diabetes.py
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sklearn.datasets import load_diabetes

NAMES = {  # scikit-learn calls the blood values s1 to s6
    "bp": "blood_pressure",
    "s1": "cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol_by_hdl",
    "s5": "log_triglycerides",
    "s6": "glucose",
}


def diabetes() -> pd.DataFrame:
    """The table, in the units of measurement."""
    table = load_diabetes(as_frame=True, scaled=False).frame.rename(columns=NAMES)
    whole = {name: int for name in table if (table[name] % 1 == 0).all()}
    return table.astype(whole).rename(columns={"target": "progression"})


if __name__ == "__main__":
    diabetes().to_csv(Path(__file__).parent / "diabetes.csv", index=False)
