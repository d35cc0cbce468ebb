"""What the name of a metric tells of it."""

from __future__ import annotations

import re

NOT_SCORES = ("train", "passes/", "resources/")  # metrics that no held-out images have a part in
LOWER_WORDS = ("loss", "error", "mse", "mae", "deviance", "perplexity")
HIGHER_WORDS = frozenset(
    ("accuracy", "acc", "auc", "auroc", "f1", "precision", "recall", "r2", "kappa", "iou", "mcc")
)


def lower_is_better(metric: str) -> bool:
    """Whether a metric of this name is a loss or an error."""
    return any(word in metric.lower() for word in LOWER_WORDS)


def higher_is_better(metric: str) -> bool:
    """Whether a metric of this name is a share of what is right."""
    words = re.findall(r"[a-z0-9]+", metric.lower())
    return not lower_is_better(metric) and not HIGHER_WORDS.isdisjoint(words)


def test_name(metric: str) -> str:
    """What a metric is called when it was measured on the test set."""
    if metric.startswith(NOT_SCORES):
        return metric
    known = metric.startswith("validation")
    return "test" + metric.removeprefix("validation") if known else f"test_{metric}"
