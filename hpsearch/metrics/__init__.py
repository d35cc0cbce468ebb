"""What the name of a metric tells of it."""

from __future__ import annotations

import math
import re

from hpsearch.metrics.catalogue import OWN, Better, part_of, score_of

# Of a probability, from which on a row is taken for the positive class; as a metric.
THRESHOLD = "decision/threshold"
# Of an ensemble that stops early: trees that it predicts with, and trees that were grown.
TREES, TREES_GROWN = "trees/chosen", "trees/grown"
# Metrics that are no scores of held-out images.
NOT_SCORES = ("train", "passes/", "resources/", "decision/", "trees/")
LOWER_WORDS = ("loss", "error", "mse", "mae", "deviance", "perplexity")
HIGHER_WORDS = frozenset(
    ("accuracy", "acc", "auc", "auroc", "f1", "precision", "recall", "r2", "kappa", "iou", "mcc")
)


def better(metric: str) -> Better | None:
    """The direction of a metric whose name is a known one; None: nobody knows.

    Known are the scores of the catalogue and the loss, on rows that are named before them, and
    what is counted of a training.
    """
    if metric.startswith(("passes/", "resources/")):
        return "minimize"
    part, name = part_of(metric)
    return "minimize" if part and name == "loss" else _direction(metric)


def range_of(metric: str) -> tuple[float, float]:
    """The least and the greatest value that a score of the catalogue can have on named rows;
    (-inf, inf) of any other metric."""
    part, name = part_of(metric.removeprefix("best/"))
    score = score_of(name) if part else None
    return score.range if score else (-math.inf, math.inf)


def is_score(metric: str) -> bool:
    """Whether it is computed from what a trainer predicts: a score of the catalogue, or one's own.

    One's own is named by its function, "validation_module:function".
    """
    return _direction(metric) is not None or own_score(metric) != ""


def is_decided(metric: str) -> bool:
    """Whether it is a score of predicted classes, or one's own, which may be."""
    score = score_of(part_of(metric)[1])
    return own_score(metric) != "" or (score is not None and score.needs == "classes")


def own_score(metric: str) -> str:
    """The function behind a metric, "module:function"; "" where there is none."""
    part, name = part_of(metric)
    return name if part and OWN.fullmatch(name) else ""


def _direction(metric: str) -> Better | None:
    """Of a score of the catalogue."""
    part, name = part_of(metric)
    score = score_of(name) if part else None
    return score.direction if score else None


def lower_is_better(metric: str) -> bool:
    """Whether a metric of this name is a loss or an error."""
    known = _direction(metric.removeprefix("best/"))
    if known is not None:
        return known == "minimize"
    return any(word in metric.lower() for word in LOWER_WORDS)


def higher_is_better(metric: str) -> bool:
    """Whether a metric of this name is a share of what is right."""
    if _direction(metric) == "maximize":
        return True
    words = re.findall(r"[a-z0-9]+", metric.lower())
    return not lower_is_better(metric) and not HIGHER_WORDS.isdisjoint(words)


def test_name(metric: str) -> str:
    """What a metric is called when it was measured on the test set."""
    if metric.startswith(NOT_SCORES):
        return metric
    known = metric.startswith("validation")
    return "test" + metric.removeprefix("validation") if known else f"test_{metric}"
