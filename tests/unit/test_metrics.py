"""What a metric's name tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.metrics import higher_is_better, lower_is_better
from hpsearch.metrics.catalogue import SCORES


@pytest.mark.parametrize(
    ("metric", "lower", "higher"),
    [
        ("validation_accuracy", False, True),
        ("validation_f1", False, True),
        ("validation/F1 macro", False, True),
        ("validation_r2", False, True),
        ("validation_loss", True, False),
        ("precision_error", True, False),
        ("validation_mse", True, False),
        ("validation_d2_log_loss", False, True),
        ("validation_brier", True, False),
        ("best/validation_mape", True, False),
        ("seconds", False, False),
        ("practice", False, False),
    ],
)
def test_the_better_side_of_a_metric_follows_from_its_words(
    metric: str, lower: bool, higher: bool
) -> None:
    assert (lower_is_better(metric), higher_is_better(metric)) == (lower, higher)


def test_every_score_stands_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
    for name in SCORES:
        stem = name.rpartition("_")[0]  # precision_macro is one of `precision_…`
        assert f"`{name}" in page or f"`{stem}_…`" in page, name
