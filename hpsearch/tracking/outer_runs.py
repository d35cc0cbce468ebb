"""The runs of outer folds in MLflow: below the study's run, and a fold's records below each.

parent.json names them: `folds`, {uid, name, index, tags, metrics} each, and `searches`, of
which the trials of search `index` have the numbers that leave this remainder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hpsearch.tracking.run_content import TAG_LENGTH, fitting, rounded

if TYPE_CHECKING:
    from mlflow import MlflowClient

FOLD = "hpsearch.outer_fold"  # a tag of their runs, and of those below them
Fold = Mapping[str, Any]


def folds_of(parent: Mapping[str, Any]) -> Sequence[Fold]:
    """Those of a study; () where it has none, as in older parent.json."""
    folds: Sequence[Fold] = parent.get("folds", ())
    return folds


def fold_of(parent: Mapping[str, Any], number: int) -> Fold | None:
    """The outer fold whose search a trial is of; None: of the one on all rows."""
    folds = folds_of(parent)
    return next((f for f in folds if f["index"] == number % parent["searches"]), None)


def uid_above(parent: Mapping[str, Any], number: int | None) -> str:
    """The uid of the run that another one lies below.

    Args:
        number: of the trial that it is of; None: it is of an outer fold.
    """
    fold = None if number is None else fold_of(parent, number)
    return str(parent["uid"] if fold is None else fold["uid"])


def missing(
    client: MlflowClient, run_id: str, metrics: Mapping[str, float]
) -> list[tuple[str, float]]:
    """Metrics of one value, rounded, that a run does not have; an older version rounded none."""
    there = client.get_run(run_id).data.metrics
    sent = {name: rounded(value) for name, value in metrics.items()}
    return [(k, v) for k, v in sent.items() if k not in there or rounded(there[k]) != v]


def send_fold(client: MlflowClient, parent: Mapping[str, Any], fold: Fold, run_id: str) -> None:
    """Bring a fold's run to what parent.json says; again and again without a difference."""
    from mlflow.entities import Metric, RunTag

    when = parent["ended"] or parent["started"]
    client.log_batch(
        run_id,
        metrics=[Metric(k, v, when, 0) for k, v in missing(client, run_id, fold["metrics"])],
        tags=[RunTag(name, fitting(value, TAG_LENGTH)) for name, value in fold["tags"].items()],
    )
    if parent["status"] == "RUNNING":
        client.update_run(run_id, status="RUNNING")
    else:
        client.set_terminated(run_id, parent["status"], end_time=parent["ended"])
