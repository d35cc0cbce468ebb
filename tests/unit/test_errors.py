"""Names that are mistyped, and what they may have meant."""

from __future__ import annotations

import pytest

from hpsearch.errors import closest, one_line

NAMES = ["n_estimators", "max_depth", "batch_size", "validation_accuracy", "train_loss", "sgd"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sdg", "sgd"),
        ("batchsize", "batch_size"),
        ("max_depht", "max_depth"),
        ("accuracy", "validation_accuracy"),
        ("loss", "train_loss"),
        ("n_est", "n_estimators"),
        ("n", "n_estimators"),
        ("t", ""),
        ("random_state", ""),
        ("max_features", ""),
        ("gamma", ""),
        ("", ""),
        (3, ""),
    ],
)
def test_only_a_plausible_name_is_proposed(name: object, meant: str) -> None:
    assert closest(name, NAMES) == meant


def test_the_lines_of_a_reason_are_joined() -> None:
    reason = "no trial has a score:\n4 failed: ValueError: x\nCorrect it, then start anew\n"
    joined = "no trial has a score: 4 failed: ValueError: x; Correct it, then start anew"
    assert one_line(reason) == joined
