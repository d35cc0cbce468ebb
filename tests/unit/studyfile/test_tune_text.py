"""The study file that `tune` writes: valid, and with a metric, split and trainers that fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hpsearch.datasets.card import table_card
from hpsearch.datasets.table import TableFile, TableOptions
from hpsearch.studyfile.reading import ReadStudy, read_text
from hpsearch.studyfile.tune_text import TuneRequest, tune_text
from tests.harness.tables import ROWS, customers

RNG = np.random.default_rng(0)
RARE = np.where(np.arange(ROWS) % 13, "no", "yes")


def written(folder: Path, table: pd.DataFrame, target: str, **more: Any) -> ReadStudy:
    table.to_csv(folder / "t.csv", index=False)
    card = table_card(TableFile(folder / "t.csv", TableOptions(target)))
    request = TuneRequest("t", "python -m hpsearch tune t.csv", "t.csv", card, 5)
    return read_text(tune_text(replace(request, **more)), folder / "t.toml")


@pytest.mark.parametrize(
    ("target", "values", "metric"),
    [
        ("left", None, "validation_roc_auc"),
        ("rare", RARE, "validation_average_precision"),
        ("kind", np.array(["a", "b", "c"])[np.arange(ROWS) % 3], "validation_accuracy"),
        ("price", RNG.normal(size=ROWS), "validation_rmse"),
    ],
)
def test_the_metric_and_the_trainers_follow_the_target(
    tmp_path: Path, target: str, values: np.ndarray | None, metric: str
) -> None:
    table = customers() if values is None else customers().assign(**{target: values})
    read = written(tmp_path, table, target)
    assert read.file.objective.metric == metric
    assert metric.removeprefix("validation_") not in read.file.evaluation.metrics
    regression = target == "price"
    trainers = str(read.file.space["trainer"])
    assert ("Ridge" in trainers) == regression
    assert ("LogisticRegression" in trainers) == (not regression)
    assert "adam" in trainers
    assert read.file.budget.total_seconds == 275
    assert read.file.confirmation.model == "all-rows"
    if target == "rare":
        assert read.file.data is not None
        assert read.file.data.positive == "yes"


def test_groups_and_times_are_split_by(tmp_path: Path) -> None:
    table = customers().assign(shop=np.arange(ROWS) % 20)
    grouped = written(tmp_path, table, "left", group="shop").file.data
    ordered = written(tmp_path, table.dropna(), "left", time="since").file.data
    assert grouped is not None
    assert ordered is not None
    assert (grouped.split.kind, ordered.split.kind) == ("group-k-fold", "time-ordered")


def test_the_first_trials_take_usual_values(tmp_path: Path) -> None:
    file = written(tmp_path, customers(), "left").file
    first = [row["trainer"] for row in file.enqueue]
    assert first[0] == "sklearn.linear_model.LogisticRegression"
    assert len(first) == len(set(first)) >= 3


def test_an_asked_metric_counts(tmp_path: Path) -> None:
    read = written(tmp_path, customers(), "left", metric="f1")
    assert read.file.objective.metric == "validation_f1"
