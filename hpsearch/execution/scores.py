"""Scores of what trainers predict: those that a study names, by scikit-learn's own functions.

    answers of a member, for the rows of a part  ->  {"validation_roc_auc": 0.93}

Where a score is not defined on given rows, whatever is predicted, `lacking` says why: before a
study starts. Where it is not defined for what was predicted (a logarithm of negative numbers) it
is NaN, and a trial that is scored by it has diverged.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.errors import TrialFailed
from hpsearch.execution.own_scores import load_score
from hpsearch.metrics import own_score
from hpsearch.metrics.catalogue import OWN, SCORES, Score, part_of, score_of
from hpsearch.trainers import Answers, Member, Progress, Trainer, TrainingData

# Functions that take the classes there are, which the rows need not all hold.
KNOW_LABELS = ("log_loss", "brier_score_loss", "d2_log_loss_score", "d2_brier_score")
# What a score is computed from, in words.
GIVEN = {
    "classes": "predicted classes",
    "numbers": "predicted numbers",
    "probabilities": "the probability of every class",
    "order": "probabilities or a decision function",
}


@dataclass(frozen=True)
class Scoring:
    """What is to be computed from the answers of trainers.

    Attributes:
        metrics: with the rows that they are of, e.g. "validation_roc_auc".
        positive: the name of the positive class; "": the second of two.
    """

    metrics: tuple[str, ...] = ()
    positive: str = ""

    @property
    def own(self) -> tuple[str, ...]:
        """Those of a user's own, "module:function"."""
        return tuple(filter(None, map(own_score, self.metrics)))


NO_SCORES = Scoring()


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


def with_scores(
    progress: Progress,
    trainer: Trainer,
    members: Sequence[Member],
    data: TrainingData,
    scoring: Scoring,
    classes: Sequence[str],
) -> Progress:
    """The progress with those scores too that the trainer does not report itself.

    A score is computed where the trainer tells what it predicts; for members that diverged it is
    NaN. Scores of validation rows are computed of test rows, too, where these are scored as well.

    Args:
        members: of the trainer, in its order.
        classes: the names of all, () for numbers.

    Raises:
        TrialFailed: a trainer predicts, but not what a score is computed from.
    """
    metrics = dict(progress.metrics)
    positive = positive_class(scoring.positive, classes)
    beside_test = data.splits[members[0].split].test is not None
    for metric in scoring.metrics:
        part, name = part_of(metric)
        parts = [part, "test"] if part == "validation" and beside_test else [part]
        wanted = [p for p in parts if f"{p}_{name}" not in metrics]
        for one in wanted:
            found = [
                _of_member(trainer, place, member, one, name, data, positive, classes)
                if not progress.diverged[place]
                else np.nan
                for place, member in enumerate(members)
            ]
            if None not in found:
                metrics[f"{one}_{name}"] = np.array(found, np.float64)
    return replace(progress, metrics=metrics)


def _of_member(
    trainer: Trainer,
    place: int,
    member: Member,
    part: str,
    name: str,
    data: TrainingData,
    positive: int,
    classes: Sequence[str],
) -> float | None:
    """One score of one member; None where the trainer does not tell what it predicts."""
    answers = trainer.answers(place, part)
    if answers is None:
        return None
    rows = data.splits[member.split].parts()[part]
    weights = None if data.weights is None else data.weights[rows]
    truth = Truth(data.labels[rows], data.n_classes, positive, weights)
    if OWN.fullmatch(name):
        return load_score(name).value(truth.labels, answers, truth.weights, classes)
    score = score_of(name)
    if score is None:
        return None
    rule = unfit(score, truth.n_classes)  # known of a function once it predicts
    if not rule and (lack := lacking(score, truth, classes)):
        rule = f"must be defined on the rows that it is of, got {lack}"
    if rule:
        raise TrialFailed(f"{part}_{name} {rule}")
    found = value(score, truth, answers)
    if found is None:
        raise TrialFailed(
            f"{part}_{name} must be computed from {GIVEN[score.needs]}, and "
            f"{member.params['trainer']} gives none: score it by what it predicts, or leave it out"
        )
    return found


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of shares of nothing, which are 0
        found = _function(score)(true, predicted, **score.options, **options)
    return float(found if score.place is None else found[score.place])


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


def unfit(score: Score, n_classes: int) -> str:
    """What is wrong with a score of data with so many classes; "" for nothing.

    Args:
        n_classes: K; 0 where numbers are predicted.
    """
    import sklearn
    import sklearn.metrics

    if not hasattr(sklearn.metrics, score.function):
        return f"must be a score of scikit-learn {sklearn.__version__}, which is installed"
    if score.task == "classification" and not n_classes:
        return "must be a score of numbers, as they are predicted"
    if score.task == "regression" and n_classes:
        return "must be a score of classes, as they are predicted"
    if score.binary and n_classes > 2:
        others = [o for o in (f"{score.name}_macro", f"{score.name}_ovr") if o in SCORES]
        return f"must be a score of {n_classes} classes, such as {(others or ['log_loss'])[0]}"
    if score.options.get("k", 0) >= n_classes > 0:
        return f"must count fewer than the {n_classes} classes there are"
    return ""


def lacking(score: Score, truth: Truth, classes: Sequence[str]) -> str:
    """Why a score is not defined on rows, whatever is predicted; "" where it is.

    Args:
        classes: the names of all, () for numbers.
    """
    found = np.unique(truth.weighed)
    if not len(found):
        return "no row that counts"
    if score.task == "regression":
        if score.holds and len(found) < 2:
            return f"{found[0]:g} in every row, and nothing to explain"
        if found[0] <= score.true_above:
            return f"{found[0]:g}, which it is not defined for"
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
