"""Scores of test rows by group."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from hpsearch.datasets.base import Examples
from hpsearch.execution.scores import Scoring
from hpsearch.records.refit_answers import RefitAnswers
from hpsearch.reports.table_study import groups
from hpsearch.reports.table_study.groups import group_table

RNG = np.random.default_rng(0)
KEYS = np.repeat(["a", "b", "c"], [30, 20, 10])
LABELS = RNG.integers(0, 2, 60)
SCORE = np.clip(0.5 + 0.4 * (LABELS - 0.5) + RNG.normal(0, 0.3, 60), 0, 1)


def study(metric: str) -> Any:
    goal = SimpleNamespace(metric=f"validation_{metric}", direction="maximize")
    return SimpleNamespace(objective=goal, scoring=Scoring())


def rows_of(labels: Any) -> Examples:
    return Examples(np.zeros((60, 1)), labels, 2, classes=("no", "yes"), keys=KEYS)


def refit(score: Any) -> RefitAnswers:
    both = np.stack([1 - score, score], axis=1)
    return RefitAnswers(LABELS, both.argmax(axis=1), ("no", "yes"), both)


def test_each_group_has_the_studys_score_and_the_worst_is_first() -> None:
    table = group_table(
        study("roc_auc"), rows_of(LABELS), [refit(SCORE), refit(1 - SCORE), refit(SCORE)]
    )
    assert table is not None
    assert table.test_roc_auc.is_monotonic_increasing
    assert dict(zip(table.group, table.rows, strict=True)) == {"a": 30, "b": 20, "c": 10}
    for row in table.itertuples():
        own = row.group == KEYS
        area = metrics.roc_auc_score(LABELS[own], SCORE[own])
        assert row.test_roc_auc == pytest.approx((area + 1 - area + area) / 3)
        assert row.low == pytest.approx(min(area, 1 - area))
        assert row.high == pytest.approx(max(area, 1 - area))


def test_where_a_group_has_one_class_all_have_the_accuracy() -> None:
    labels = np.where(KEYS == "c", 1, LABELS)
    table = group_table(study("roc_auc"), rows_of(labels), [refit(SCORE)])
    assert table is not None
    known = {key: np.mean((SCORE > 0.5)[key == KEYS] == labels[key == KEYS]) for key in "abc"}
    assert dict(zip(table.group, table.test_accuracy, strict=True)) == pytest.approx(known)


def test_errors_of_numbers_are_worst_where_they_are_large() -> None:
    numbers = Examples(np.zeros((60, 1)), np.arange(60.0), 0, keys=KEYS)
    off = np.select([KEYS == "a", KEYS == "b"], [1.0, 3.0], 2.0)
    table = group_table(
        study("loss"), numbers, [RefitAnswers(numbers.labels, numbers.labels + off)]
    )
    assert table is not None
    assert list(table.group) == ["b", "c", "a"]
    assert list(table.test_mae) == pytest.approx([3, 2, 1])


def test_of_many_groups_the_largest_are_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 2)
    table = group_table(study("accuracy"), rows_of(LABELS), [refit(SCORE)])
    assert table is not None
    assert {*table.group} == {"a", "b"}
