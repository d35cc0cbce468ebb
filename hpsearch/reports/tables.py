"""Tables of a study, as CSV files beside its result."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from hpsearch.search.result import Result
from hpsearch.tracking.record import TrialRecord

ARMS = "arms.csv"
CLAIMS, COMPARISON, AGREEMENT = "claims.json", "comparison.csv", "agreement.json"


def trials_table(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """One row a trial: number, outcome, stage it was drawn in, scores by length, params."""
    return pd.DataFrame(
        [
            {"trial": r.number, "outcome": r.outcome, "drawn_in_stage": r.stage, "batch": r.batch}
            | {f"score_{epochs}": score for epochs, score in r.scores.items()}
            | r.params
            for r in records
        ]
    )


def write_tables(folder: Path, records: Iterable[TrialRecord], result: Result) -> None:
    """trials.csv and narrowing.csv in the folder of artifacts."""
    trials_table(records).to_csv(folder / "trials.csv", index=False)
    rows = [row | {"survivors": " ".join(map(str, row["survivors"]))} for row in result.ranges]
    columns = [
        "stage",
        "parameter",
        "branch",
        "declared",
        "before",
        "now",
        "low",
        "high",
        "share",
        "survivors",
    ]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "narrowing.csv", index=False)


def write_arms(folder: Path, result: Result) -> None:
    """arms.csv: a row for each compared combination, with its winner and its scores."""
    rows = []
    for arm in result.arms:
        row: dict[str, Any] = {**arm.values, "trial": arm.best_number}
        scores = {"fresh_seeds": arm.validation} | dict(arm.test)
        for name, estimate in scores.items():
            if estimate is not None:
                row |= {name: estimate.mean, f"{name}_low": estimate.low}
                row |= {f"{name}_high": estimate.high}
        rows.append(row | arm.searched | {"failure": arm.failure})
    pd.DataFrame(rows).to_csv(folder / ARMS, index=False)
