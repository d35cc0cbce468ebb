"""Permutation importance of columns: what matters, repeats, and a limit of time."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression

from hpsearch.datasets.base import Examples
from hpsearch.datasets.table_columns import TableColumn
from hpsearch.reports.page.plotly import to_plotly
from hpsearch.reports.png_charts import draw_png
from hpsearch.reports.table_study.importance import (
    chosen_rows,
    importance_chart,
    importance_table,
    permutation_importances,
)

N = 400
COLUMNS = tuple(TableColumn(name, "number") for name in ("strong", "weak", "none"))


def examples() -> Examples:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(N, 3))
    labels = inputs @ [3.0, 1.0, 0.0]
    return Examples(inputs, labels, 0, columns=COLUMNS)


def score(inputs: Any, texts: Any) -> float:
    """Minus the squared error of the right model."""
    return -float(np.mean((inputs @ [3.0, 1.0, 0.0] - examples().labels) ** 2))


def test_the_importances_are_about_scikit_learns() -> None:
    some = examples()
    found = permutation_importances(some, score, rng=np.random.default_rng(1))
    assert [one.column for one in found] == ["strong", "weak", "none"]
    model = LinearRegression().fit(some.inputs, some.labels)
    known = permutation_importance(
        model, some.inputs, some.labels, scoring="neg_mean_squared_error", n_repeats=50
    ).importances_mean
    for one, right in zip(found, known, strict=True):
        assert len(one.losses) == 5
        assert np.mean(one.losses) == pytest.approx(right, rel=0.15, abs=1e-9)
    again = permutation_importances(some, score, rng=np.random.default_rng(1))
    assert again == found


def test_texts_are_shuffled_with_their_column() -> None:
    labels = np.arange(N) % 2
    texts = {0: np.array(["no", "yes"], object)[labels]}
    words = (TableColumn("note", "text"),)
    some = Examples(np.zeros((N, 1)), labels, 2, columns=words, texts=texts)

    def right(inputs: Any, given: Any) -> float:
        return float(np.mean((given[0] == "yes") == labels))

    (note,) = permutation_importances(some, right, rng=np.random.default_rng(0))
    assert np.mean(note.losses) == pytest.approx(0.5, abs=0.1)


def test_a_limit_of_time_costs_repeats_first_then_columns(tmp_path: Path) -> None:
    def found(seconds: float) -> Any:
        ticks = count()
        return permutation_importances(
            examples(),
            score,
            rng=np.random.default_rng(1),
            seconds=seconds,
            clock=lambda: float(next(ticks)),
        )

    assert sorted(len(one.losses) for one in found(4)) == [1, 1, 2]
    assert [one.column for one in found(2)] == ["strong", "weak"]
    table = importance_table(found(2))
    chart = importance_chart(table, "rise of mse", 3)
    assert "1 of 3 columns was left out" in chart.what
    draw_png(tmp_path / "importance.png", chart)
    (bars,) = to_plotly(chart)["data"]
    assert bars["y"] == ["strong", "weak"]


def test_few_rows_are_all_taken_and_many_are_drawn() -> None:
    assert chosen_rows(9, rng=np.random.default_rng(0)).tolist() == list(range(9))
    some = chosen_rows(10_000, rng=np.random.default_rng(0))
    assert (len(some), len(np.unique(some))) == (2000, 2000)
