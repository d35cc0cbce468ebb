"""What a member predicts for the rows that it is scored on: what scores are computed from."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Answers(Protocol):
    """Predictions for N rows, each form worked out where it is asked for."""

    @property
    def predicted(self) -> NDArray[Any]:
        """(N,) classes in [0, K), or numbers."""

    @property
    def probabilities(self) -> NDArray[np.float64] | None:
        """(N, K); None where the trainer knows none."""

    @property
    def decisions(self) -> NDArray[np.float64] | None:
        """Numbers that are larger the likelier a class is: (N,) of class 1 of two, else (N, K).

        None where probabilities are all there is.
        """


@dataclass(frozen=True)
class GivenAnswers:
    """Answers that are there."""

    predicted: NDArray[Any]
    probabilities: NDArray[np.float64] | None = None
    decisions: NDArray[np.float64] | None = None

    @classmethod
    def of_outputs(cls, outputs: NDArray[Any], softmax: bool) -> GivenAnswers:
        """Of a network's outputs (N, K): the class of the largest, of equal ones the first.

        Args:
            softmax: whether outputs are logits; others tell the order of rows alone.
        """
        z = outputs.astype(np.float64)
        decisions = z[:, 1] - z[:, 0] if z.shape[1] == 2 else z
        probabilities = None
        if softmax:
            probabilities = np.exp(z - z.max(axis=1, keepdims=True))
            probabilities /= probabilities.sum(axis=1, keepdims=True)
        return cls(outputs.argmax(axis=1), probabilities, decisions)


class EstimatorAnswers:
    """Answers of a fitted scikit-learn estimator.

    Args:
        model: fitted to classes that are whole numbers in [0, K), or to numbers.
        inputs: (N, D), as it was fitted to them.
        n_classes: K; 0 where numbers are predicted.
    """

    def __init__(self, model: Any, inputs: NDArray[Any], n_classes: int) -> None:
        self._model, self._inputs, self._n_classes = model, inputs, n_classes

    @cached_property
    def predicted(self) -> NDArray[Any]:
        """(N,) classes in [0, K), or numbers."""
        found: NDArray[Any] = np.asarray(self._asked(self._model.predict)).ravel()
        return found

    @cached_property
    def probabilities(self) -> NDArray[np.float64] | None:
        """(N, K), 0 of classes that it was not fitted to; None where it gives none."""
        if not (self._n_classes and hasattr(self._model, "predict_proba")):
            return None
        found = np.zeros((len(self._inputs), self._n_classes))
        found[:, self._model.classes_] = self._asked(self._model.predict_proba)
        return found

    @cached_property
    def decisions(self) -> NDArray[np.float64] | None:
        """Its decision function; None where it has none, or none of every class."""
        whole = self._n_classes and len(self._model.classes_) == self._n_classes
        if not (whole and hasattr(self._model, "decision_function")):
            return None
        found = np.asarray(self._asked(self._model.decision_function), np.float64)
        # One of each pair of classes orders no rows by a class.
        return found if found.shape[1:] in ((), (self._n_classes,)) else None

    def _asked(self, method: Callable[..., Any]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as where it is trained
            return method(self._inputs)
