"""One score of given rows: what is true, what was predicted, scikit-learn's function of both.

Where a score is not defined on the rows, whatever is predicted, `lacking` says why. Where it is
not for what was predicted (a logarithm of negative numbers) it is NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.metrics.catalogue import SCORES, Score
from hpsearch.trainers import Answers

# Functions that take the classes there are, which the rows need not all hold.
KNOW_LABELS = ("log_loss", "brier_score_loss", "d2_log_loss_score", "d2_brier_score")


@dataclass(frozen=True)
class Truth:
    """What is known of the rows that are scored.

    Attributes:
        labels: (N,) classes in [0, n_classes), or numbers.
        n_classes: K; 0 where numbers are predicted.
        positive: the positive one of two classes.
        weights: (N,) of each row; None: all alike.
    """

    labels: NDArray[Any]
    n_classes: int
    positive: int = 1
    weights: NDArray[np.float64] | None = None

    @property
    def weighed(self) -> NDArray[Any]:
        """The labels of the rows that count."""
        return self.labels if self.weights is None else self.labels[self.weights > 0]


def positive_class(positive: str, classes: Sequence[str]) -> int:
    """The number of the positive one of two classes.

    Args:
        positive: its name; "": the second.
        classes: the names of all, () for numbers.
    """
    if not positive:
        return 1
    return classes.index(positive) if classes else int(positive)


def value(score: Score, truth: Truth, answers: Answers) -> float | None:
    """A score; NaN where it is not defined, None where the answers are not what it needs."""
    given = _given(score, truth, answers)
    if given is None:
        return None
    true, predicted, options = given
    if not np.isfinite(predicted).all() or (predicted <= score.predicted_above).any():
        return float("nan")
    if score.weighted and truth.weights is not None:
        options["sample_weight"] = truth.weights
    with warnings.catch_warnings(), _unchecked():
        warnings.simplefilter("ignore")  # of shares of nothing, which are 0
        found = _function(score)(true, predicted, **score.options, **options)
    return float(found if score.place is None else found[score.place])


def _unchecked() -> AbstractContextManager[None]:
    """scikit-learn takes what it is given: of few rows half of a score's time is its checks."""
    import sklearn

    context: AbstractContextManager[None] = sklearn.config_context(
        assume_finite=True, skip_parameter_validation=True
    )
    return context


def _function(score: Score) -> Callable[..., Any]:
    import sklearn.metrics

    function: Callable[..., Any] = getattr(sklearn.metrics, score.function)
    return function


def _given(
    score: Score, truth: Truth, answers: Answers
) -> tuple[NDArray[Any], NDArray[Any], dict[str, Any]] | None:
    """What is true, what was predicted, and options, as scikit-learn's function takes them."""
    labels = truth.labels
    if score.needs in ("classes", "numbers"):
        predicted = answers.predicted
        if score.binary:
            return _as_one(labels == truth.positive), _as_one(predicted == truth.positive), {}
        return labels, predicted, {}
    if truth.n_classes == 2:
        order = _order(score, truth, answers)
        both = {"labels": [0, 1]} if score.function in KNOW_LABELS else {}
        return None if order is None else (_as_one(labels == truth.positive), order, both)
    if score.needs == "order" and answers.decisions is not None:
        return labels, answers.decisions, {}
    known: dict[str, Any] = (
        {} if score.needs == "order" else {"labels": np.arange(truth.n_classes)}
    )
    return None if answers.probabilities is None else (labels, answers.probabilities, known)


def _order(score: Score, truth: Truth, answers: Answers) -> NDArray[np.float64] | None:
    """(N,) the probability of the positive one of two classes, or a number that orders alike."""
    if score.needs == "order" and answers.decisions is not None:
        return answers.decisions if truth.positive == 1 else -answers.decisions
    if answers.probabilities is None:
        return None
    probability: NDArray[np.float64] = answers.probabilities[:, truth.positive]
    return probability


def _as_one(of_class: NDArray[np.bool_]) -> NDArray[np.int64]:
    """1 for rows of the positive class, 0 for others."""
    return of_class.astype(np.int64)


# Scores that came to scikit-learn after the oldest version that we take.
NEW = ("d2_",)


def unfit(score: Score, n_classes: int) -> str:
    """What is wrong with a score of data with so many classes; "" for nothing.

    Args:
        n_classes: K; 0 where numbers are predicted.
    """
    if score.function.startswith(NEW):
        import sklearn  # a second, which no study of older scores needs
        import sklearn.metrics

        if not hasattr(sklearn.metrics, score.function):
            return f"must be a score of scikit-learn {sklearn.__version__}, which is installed"
    if score.task == "classification" and not n_classes:
        return "must be a score for numbers, because numbers are predicted"
    if score.task == "regression" and n_classes:
        return "must be a score for classes, because classes are predicted"
    if score.binary and n_classes > 2:
        others = [o for o in (f"{score.name}_macro", f"{score.name}_ovr") if o in SCORES]
        return f"must be a score of {n_classes} classes, such as {(others or ['log_loss'])[0]}"
    if score.options.get("k", 0) >= n_classes > 0:
        return f"must count fewer than {n_classes} classes, because there are only so many"
    return ""


def lacking(score: Score, truth: Truth, classes: Sequence[str]) -> str:
    """Why a score is not defined on rows, whatever is predicted; "" where it is.

    Args:
        classes: the names of all, () for numbers.
    """
    found = np.unique(truth.weighed)
    if not len(found):
        return "no row with a weight above 0"
    if score.task == "regression":
        if score.holds and len(found) < 2:
            return f"{found[0]:g} in every row, so there is nothing to explain"
        if found[0] <= score.true_above:
            return f"{found[0]:g}, for which it is undefined"
        return "0, which it divides by" if score.name == "mape" and (found == 0).any() else ""
    names = classes or [str(k) for k in range(truth.n_classes)]
    missing = [name for k, name in enumerate(names) if k not in found]
    wanted = {
        "two classes": len(found) > 1,
        "every class": not missing,
        "the positive class": truth.positive in found,
    }
    if wanted.get(score.holds, True):
        return ""
    return f"no row of class {' and '.join(map(repr, missing[:3]))}"
