"""What a training function may yield of its predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hpsearch.trainers.answers.of_functions import answers, apart, problem


def test_arrays_are_predictions_and_numbers_are_metrics() -> None:
    metrics, told = apart({"loss": 0.5, "predictions": 3, "probabilities": [0.25, 1.0]})
    assert metrics == {"loss": 0.5, "predictions": 3}
    assert problem(told, 2, 2) == ""
    found = answers(told, 2)
    assert found is not None
    assert found.probabilities is not None
    assert found.probabilities.tolist() == [[0.75, 0.25], [0.0, 1.0]]
    assert found.predicted.tolist() == [0, 1]
    assert answers(apart({"loss": 0.5})[1], 2) is None


@pytest.mark.parametrize(
    ("item", "n_classes", "text"),
    [
        ({"predictions": [0, 1, 2]}, 2, "must yield predictions of shape (2,), those of data.x_"),
        ({"predictions": [0, 2]}, 2, "must yield predictions among the classes 0 to 1, got 2"),
        ({"predictions": ["a", "b"]}, 2, "must yield predictions that are numbers"),
        ({"probabilities": [0.5, 0.5]}, 3, "must yield probabilities of shape (2, 3), those"),
        ({"probabilities": [0.5, 2]}, 2, "must yield probabilities from 0 to 1, got 2.0"),
        ({"probabilities": [[0.5, 0.9], [0, 1]]}, 2, "that sum to 1, got 1.4"),
        ({"probabilities": [0.5, 0.5]}, 0, "must yield predictions where numbers are predicted"),
    ],
)
def test_what_is_no_prediction_of_the_rows_is_told(
    item: dict[str, Any], n_classes: int, text: str
) -> None:
    assert text in problem(apart(item)[1], 2, n_classes)


def test_a_function_with_data_of_its_own_reports_metrics_alone() -> None:
    assert "if it brings its own data" in problem({"predictions": np.zeros(3)}, 0, 0)
    assert problem({}, 0, 0) == ""
