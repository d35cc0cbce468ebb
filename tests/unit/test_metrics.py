"""What a metric's name tells of it."""

from __future__ import annotations

import pytest

from hpsearch.metrics import higher_is_better, lower_is_better


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
        ("seconds", False, False),
        ("practice", False, False),
    ],
)
def test_the_better_side_of_a_metric_follows_from_its_words(
    metric: str, lower: bool, higher: bool
) -> None:
    assert (lower_is_better(metric), higher_is_better(metric)) == (lower, higher)
