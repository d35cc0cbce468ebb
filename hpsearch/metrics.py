"""What the name of a metric tells of it."""

from __future__ import annotations

NOT_SCORES = ("train", "passes/", "resources/")  # metrics that no held-out images have a part in
LOWER_WORDS = ("loss", "error", "mse", "mae", "deviance", "perplexity")


def lower_is_better(metric: str) -> bool:
    """Whether a metric of this name is a loss or an error."""
    return any(word in metric.lower() for word in LOWER_WORDS)


def test_name(metric: str) -> str:
    """What a metric is called when it was measured on the test set."""
    if metric.startswith(NOT_SCORES):
        return metric
    known = metric.startswith("validation")
    return "test" + metric.removeprefix("validation") if known else f"test_{metric}"
