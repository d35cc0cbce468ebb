"""Which finished runs stay, and what a [retention] table may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from hpsearch.api.support.retention import FinishedRun, reasons_to_keep
from hpsearch.api.upkeep.prune import size_text
from hpsearch.studyfile.tables.schedule import Retention

NOW = datetime(2026, 3, 1, tzinfo=UTC)
UP, DOWN = ("validation_accuracy", "maximize"), ("validation_loss", "minimize")


def past(*scores: float, goal: tuple[str, str] = UP, first: int = 1) -> list[FinishedRun]:
    """Runs of these scores, one a day, the last of them 40 days ago."""
    return [
        FinishedRun(
            first + i, NOW - timedelta(days=40) - timedelta(days=len(scores) - i), goal, score
        )
        for i, score in enumerate(scores)
    ]


def kept(runs: list[FinishedRun], **table: object) -> list[int]:
    return sorted(reasons_to_keep(runs, Retention.model_validate(table), NOW))


def test_the_best_and_the_last_stay() -> None:
    runs = past(0.1, 0.9, 0.3, 0.8, 0.2, 0.4)
    assert kept(runs, keep_best=2, keep_last=1) == [2, 4, 6]
    assert kept(runs, keep_best=0, keep_last=2) == [5, 6]
    reasons = reasons_to_keep(runs, Retention(keep_best=2, keep_last=3), NOW)
    assert reasons[4] == "best 2 of validation_accuracy, last 3"


def test_the_direction_says_what_is_best_and_nan_never_is() -> None:
    assert kept(past(0.5, 0.1, float("nan"), 0.9, goal=DOWN), keep_best=1, keep_last=1) == [2, 4]
    assert kept(past(0.5, 0.1, float("nan"), 0.2), keep_best=1, keep_last=1) == [1, 4]


def test_scores_of_another_objective_are_ranked_apart() -> None:
    runs = [*past(0.9, 0.8), *past(5.0, 4.0, 6.0, goal=DOWN, first=3)]
    assert kept(runs, keep_best=1, keep_last=1) == [1, 4, 5]


def test_of_equal_scores_the_newer_is_better() -> None:
    assert kept(past(0.5, 0.5, 0.5, 0.1), keep_best=1, keep_last=1) == [3, 4]


def test_what_is_younger_stays() -> None:
    runs = past(0.5, 0.4, 0.3)  # 43, 42 and 41 days
    assert kept(runs, older="42d", keep_best=0, keep_last=1) == [3]
    assert kept(runs, older="1009h", keep_best=0, keep_last=1) == [2, 3]
    found = reasons_to_keep(runs, Retention(older="9w", keep_best=0, keep_last=1), NOW)
    assert found == {1: "younger than 9w", 2: "younger than 9w", 3: "last 1, younger than 9w"}


@pytest.mark.parametrize(
    "table", [{"older": "30"}, {"older": "-1d"}, {"older": "1y"}, {"keep_last": 0}, {"keep": 3}]
)
def test_a_table_that_says_nothing_sensible_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Retention.model_validate(table)


def test_sizes_are_written_in_decimal_units() -> None:
    sizes = (0, 999, 1000, 1_250_000, 3e9, 5e12)
    assert [*map(size_text, sizes)] == ["0 B", "999 B", "1.0 kB", "1.2 MB", "3.0 GB", "5000.0 GB"]
