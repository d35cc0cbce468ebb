"""Tables of a study, as CSV files beside its result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hpsearch.analysis.failures import reason_of
from hpsearch.analysis.ranking import total_violation
from hpsearch.errors import conclusion
from hpsearch.metrics import TREES, TREES_GROWN
from hpsearch.records.layout import Artifact, RunFiles
from hpsearch.records.result import OUTER_FOLD, ArmResult, Result
from hpsearch.records.trial_record import TrialRecord
from hpsearch.spreadsheets import csv_text
from hpsearch.studyfile.arms import ArmPlace

AT = " at "  # between an objective and the length it was measured after
NARROWING_COLUMNS = [
    *("stage", "parameter", "branch", "declared", "before", "now", "low", "high", "share"),
    *("discarded", "reopened", "reopened_by", "edges", "n_survivors", "survivors"),
]


def trials_table(records: Iterable[TrialRecord], arms: Sequence[ArmPlace] = ()) -> pd.DataFrame:
    """One row a trial: number, outcome, stage it was drawn in, scores by length, params, and the
    reason where it failed, diverged or was pruned.

    Where there are any, the stages it was a control in, from 1, the trial of an earlier chapter
    that it trains longer, the training rows of its last training if stages differ in them, the
    folds after which it was stopped as it was behind, the epoch after which its trainer ended by
    itself, the trees of ensembles that stop early, the scores at rungs, and the digests of the
    user's own code that it was trained with, where the table's trials have several of these; in a
    nested search the outer fold whose rows it does not see.

    Args:
        arms: the study's searches, as far as they are known.
    """
    records = list(records)
    folds = {arm.index: arm.fold for arm in arms if arm.fold is not None}
    mixed = len({digest for r in records for digest in r.code}) > 1
    return pd.DataFrame(
        [
            {"trial": r.number, "outcome": r.outcome, "drawn_in_stage": r.stage, "batch": r.batch}
            | ({"outer_fold": folds.get(r.number % len(arms))} if folds else {})
            | ({"control_in": _listed(n + 1 for n in r.controls)} if r.controls else {})
            | ({"continues": r.continues} if r.continues is not None else {})
            | ({"training_rows": r.rows[max(r.rows)]} if r.rows else {})
            | ({"folds_trained": r.folds} if r.folds else {})
            | ({"ended_early": r.ended_early} if r.ended_early else {})
            | _trees(r)
            | ({"own_code": _listed(r.code)} if mixed else {})
            | {f"score_{epochs}": score for epochs, score in r.scores.items()}
            | {f"rung_{epochs}": score for epochs, score in r.rungs.items()}
            | _goals(r)
            | r.params
            | {"reason": reason_of(r) or conclusion(r.reason)}
            for r in records
        ]
    )


def _trees(record: TrialRecord) -> dict[str, float]:
    """Of an ensemble that stops early, the trees that it has and those that were grown for that,
    as means over members."""
    last = {name: curve[-1] for name, curve in record.mean_history().items() if curve}
    columns = {"trees_chosen": TREES, "trees_grown": TREES_GROWN}
    return {column: last[name] for column, name in columns.items() if name in last}


def _goals(record: TrialRecord) -> dict[str, float]:
    """The other objectives at each length, and what the constraints are missed by in all."""
    found: dict[str, float] = {}
    for epochs, values in record.values.items():
        found |= {f"{name}{AT}{epochs}": value for name, value in [*values.items()][1:]}
    for epochs, violations in record.violations.items():
        found[f"violation{AT}{epochs}"] = total_violation(violations)
    return found


def front_table(result: Result) -> pd.DataFrame:
    """A row for each configuration of the Pareto front.

    Columns: trial; of each objective the mean over fresh seeds, as "<objective>, low" and ", high"
    its 95 % interval, as "<objective>, search" its value in the search; the hyperparameters.
    """
    rows = []
    for member in result.front:
        row: dict[str, Any] = {"trial": member.number}
        row |= {name: estimate.mean for name, estimate in member.values.items()}
        for name, estimate in member.values.items():
            row |= {f"{name}, low": estimate.low, f"{name}, high": estimate.high}
            row[f"{name}, search"] = member.searched_values.get(name)
        rows.append(row | member.params)
    return pd.DataFrame(rows)


def outer_table(result: Result) -> pd.DataFrame:
    """A row for the winner of each outer fold, and one for that of the search on all rows.

    Columns: outer fold; trial; the objective as confirmed; the tested metric and, as "gain" of
    it, what tuning gained over the defaults; the hyperparameters.
    """
    assert result.outer is not None
    metric = result.test_name
    everything = ArmResult(
        {OUTER_FOLD: "all rows"},
        result.best_number,
        result.searched,
        result.validation,
        result.test,
        result.untested,
        result.default,
    )
    rows = []
    for fold in (*result.outer.folds, everything):
        assert fold.validation is not None
        tested = fold.test.get(metric)
        gain = fold.default.test_gain if fold.default else None
        row = {**fold.values, "trial": fold.best_number, result.objective: fold.validation.mean}
        row |= {metric: tested and tested.mean, "gain": gain and gain.mean}
        rows.append(row | fold.searched)
    return pd.DataFrame(rows)


def write_tables(
    files: RunFiles, records: Iterable[TrialRecord], result: Result, arms: Sequence[ArmPlace]
) -> None:
    """trials.csv and, where there are any, front.csv and outer.csv among the artifacts."""
    front = files.artifact(Artifact.FRONT)
    front.unlink(missing_ok=True)  # of fewer trials
    if result.front:
        front.write_text(csv_text(front_table(result)), encoding="utf-8")
    if result.outer is not None:
        outer = csv_text(outer_table(result))
        files.artifact(Artifact.OUTER).write_text(outer, encoding="utf-8")
    trials = csv_text(trials_table(records, arms))
    files.artifact(Artifact.TRIALS).write_text(trials, encoding="utf-8")


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


def write_arms(path: Path, result: Result) -> None:
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
    path.write_text(csv_text(pd.DataFrame(rows)), encoding="utf-8")
