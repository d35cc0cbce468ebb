"""What a training function predicts, among what it yields.

    yield {"train_loss": 0.3, "probabilities": p}       (N, K), or (N,) of class 1 of two
    yield {"train_loss": 0.3, "predictions": y}         (N,) classes or numbers

N counts the validation rows, in their order. A number under one of these names is a metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.trainers.answers import GivenAnswers

KEYS = ("predictions", "probabilities")
Told = dict[str, NDArray[Any]]
SLACK = 1e-3  # that probabilities of a row may differ from 1 by, together


def apart(item: Mapping[Any, Any]) -> tuple[dict[Any, Any], Told]:
    """Metrics, and what was predicted; arrays of both may be those of other libraries."""
    told = {k: np.asarray(item[k]) for k in KEYS if k in item and np.ndim(item[k])}
    return {key: value for key, value in item.items() if key not in told}, told


def problem(told: Told, n_rows: int, n_classes: int) -> str:
    """What is wrong with it; "" for nothing.

    Args:
        n_rows: N.
        n_classes: K; 0 where numbers are predicted.
    """
    for key, values in told.items():
        if not n_rows:
            return f"must yield only metrics if it brings its own data, got {key}"
        if key == "probabilities" and not n_classes:
            return "must yield predictions where numbers are predicted, got probabilities"
        shapes: set[tuple[int, ...]] = (
            {(n_rows,)} if key == "predictions" or n_classes == 2 else set()
        )
        shapes |= {(n_rows, n_classes)} if key == "probabilities" else set()
        if values.shape not in shapes:
            right = " or ".join(map(str, sorted(shapes, key=len)))
            rule = f"must yield {key} of shape {right}, those of data.x_validation"
            return f"{rule}, got {values.shape}"
        if values.dtype.kind not in "iufb":
            return f"must yield {key} that are numbers, got values of type {values.dtype}"
    return _value_problem(told, n_classes)


def _value_problem(told: Told, n_classes: int) -> str:
    predictions, probabilities = (told.get(key) for key in KEYS)
    if n_classes and predictions is not None:
        strange = predictions[~np.isin(predictions, np.arange(n_classes))]
        if len(strange):
            return (
                f"must yield predictions among the classes 0 to {n_classes - 1}, got {strange[0]}"
            )
    if probabilities is None or not np.isfinite(probabilities).all():
        return ""  # what is not finite has diverged, as its scores say
    wrong = probabilities[(probabilities < 0) | (probabilities > 1 + SLACK)]
    if len(wrong):
        return f"must yield probabilities from 0 to 1, got {wrong[0]}"
    if probabilities.ndim == 2:
        sums = probabilities.sum(axis=1, dtype=np.float64)
        off = sums[abs(sums - 1) > SLACK]
        return f"must yield probabilities that sum to 1, got {off[0]}" if len(off) else ""
    return ""


def answers(told: Told, n_classes: int) -> GivenAnswers | None:
    """As scores are computed from it; None where nothing was predicted."""
    probabilities = told.get("probabilities")
    if probabilities is not None:
        probabilities = probabilities.astype(np.float64)
        if probabilities.ndim == 1:
            probabilities = np.stack([1 - probabilities, probabilities], axis=1)
    predicted = told.get("predictions")
    if predicted is None:
        if probabilities is None:
            return None
        predicted = probabilities.argmax(axis=1)
    elif n_classes:
        predicted = predicted.astype(np.int64)
    return GivenAnswers(predicted, probabilities)
