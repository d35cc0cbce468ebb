"""Tables of a study, as CSV files beside its result."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from hpsearch.search.result import Result
from hpsearch.tracking.record import TrialRecord

ARMS = "arms.csv"
NARROWING_COLUMNS = [
    *("stage", "parameter", "branch", "declared", "before", "now", "low", "high", "share"),
    *("discarded", "reopened", "reopened_by", "edges", "n_survivors", "survivors"),
]
CLAIMS, COMPARISON, AGREEMENT = "claims.json", "comparison.csv", "agreement.json"


def trials_table(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """One row a trial: number, outcome, stage it was drawn in, scores by length, params.

    Where there are any, the stages it was a control in, from 1, and the scores at rungs too.
    """
    return pd.DataFrame(
        [
            {"trial": r.number, "outcome": r.outcome, "drawn_in_stage": r.stage, "batch": r.batch}
            | ({"control_in": _listed(n + 1 for n in r.controls)} if r.controls else {})
            | {f"score_{epochs}": score for epochs, score in r.scores.items()}
            | {f"rung_{epochs}": score for epochs, score in r.rungs.items()}
            | r.params
            for r in records
        ]
    )


def write_tables(folder: Path, records: Iterable[TrialRecord]) -> None:
    """trials.csv in the folder of artifacts."""
    trials_table(records).to_csv(folder / "trials.csv", index=False)


def narrowing_table(ranges: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The audit of narrowing, a row a parameter, branch and stage, stages from 1."""
    rows = [
        row
        | {
            "stage": row["stage"] + 1,
            "n_survivors": len(row["survivors"]),
            "survivors": _listed(row["survivors"]),
            "reopened_by": _listed(row["reopened_by"]),
            "edges": _listed(row["edges"]),
        }
        for row in ranges
    ]
    return pd.DataFrame(rows, columns=NARROWING_COLUMNS)


def _listed(values: Iterable[object]) -> str:
    return " ".join(map(str, values))


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
