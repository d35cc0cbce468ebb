"""Scores of what trainers predict: those that a study names, by scikit-learn's own functions.

    answers of a member, for the rows of a part  ->  {"validation_roc_auc": 0.93}

A trial that is scored by what is not defined for its predictions has diverged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hpsearch.errors import TrialFailed
from hpsearch.execution.scoring.own_scores import load_score
from hpsearch.execution.scoring.thresholds import PLAIN, best_threshold, decided
from hpsearch.execution.scoring.values import Truth, lacking, positive_class, unfit, value
from hpsearch.metrics import THRESHOLD, own_score
from hpsearch.metrics.catalogue import OWN, Better, part_of, score_of
from hpsearch.trainers import Answers, Member, Progress, Trainer, TrainingData

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
        threshold: the probability from which on a row is taken for the positive class; None: the
            likelier class counts, as each trainer has it.
        tuned: the score that the threshold is to be the best one for, of the validation rows,
            where a member does not bring one; "": none is looked for.
        direction: of that score.
    """

    metrics: tuple[str, ...] = ()
    positive: str = ""
    threshold: float | None = None
    tuned: str = ""
    direction: Better = "maximize"

    @property
    def own(self) -> tuple[str, ...]:
        """Those of a user's own, "module:function"."""
        return tuple(filter(None, map(own_score, self.metrics)))

    @property
    def decides(self) -> bool:
        """Whether a threshold decides which class is predicted."""
        return self.threshold is not None or self.tuned != ""


NO_SCORES = Scoring()


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
    With a threshold the accuracy is computed anew, and the threshold is a metric itself.

    Args:
        members: of the trainer, in its order.
        classes: the names of all, () for numbers.

    Raises:
        TrialFailed: a trainer predicts, but not what a score is computed from.
    """
    metrics = dict(progress.metrics)
    beside_test = data.splits[members[0].split].test is not None
    scorers = [
        None
        if progress.diverged[place]
        else _Member(trainer, place, member, data, scoring, classes)
        for place, member in enumerate(members)
    ]
    if scoring.decides:
        found = [np.nan if one is None else one.threshold for one in scorers]
        if None not in found:
            metrics[THRESHOLD] = np.array(found, np.float64)
    for metric in scoring.metrics:
        part, name = part_of(metric)
        for one in (part, "test") if part == "validation" and beside_test else (part,):
            key = f"{one}_{name}"
            if key in metrics and not (THRESHOLD in metrics and _is_plain(name, members[0])):
                continue
            values = [np.nan if scorer is None else scorer.score(one, name) for scorer in scorers]
            if None not in values:
                metrics[key] = np.array(values, np.float64)
    return replace(progress, metrics=metrics)


def _is_plain(name: str, member: Member) -> bool:
    """Whether a trainer of ours or an estimator reports it of the likelier class."""
    return name == "accuracy" and ":" not in str(member.params["trainer"])


@dataclass
class _Member:
    """What one member's scores are computed from."""

    trainer: Trainer
    place: int
    member: Member
    data: TrainingData
    scoring: Scoring
    classes: Sequence[str]
    _answers: dict[str, Answers | None] = field(default_factory=dict)
    _threshold: float | None = None

    @property
    def threshold(self) -> float | None:
        """Its threshold; None where it does not tell what it predicts."""
        if self._threshold is None:
            self._threshold = self._found_threshold()
        return self._threshold

    def _found_threshold(self) -> float | None:
        known = self.scoring.threshold
        known = self.member.threshold if known is None else known
        answers = self._given("validation")
        if known is None and self.data.final:
            known = PLAIN  # what is tested tells no threshold
        if known is not None or answers is None:
            return None if answers is None else known
        tuned, direction = self.scoring.tuned, self.scoring.direction
        return best_threshold(tuned, direction, self._truth("validation"), answers, self.classes)

    def score(self, part: str, name: str) -> float | None:
        """One score; None where the trainer does not tell what it predicts."""
        answers = self._given(part)
        if answers is None:
            return None
        truth = self._truth(part)
        if self.scoring.decides and truth.n_classes == 2:
            assert self.threshold is not None
            answers = decided(answers, self.threshold, truth.positive)
        if OWN.fullmatch(name):
            return load_score(name).value(truth.labels, answers, truth.weights, self.classes)
        score = score_of(name)
        if score is None:
            return None
        rule = unfit(score, truth.n_classes)  # known of a function once it predicts
        if not rule and (lack := lacking(score, truth, self.classes)):
            rule = f"must be defined on the rows that it scores, got {lack}"
        if rule:
            raise TrialFailed(f"{part}_{name} {rule}")
        found = value(score, truth, answers)
        if found is None:
            raise TrialFailed(
                f"{part}_{name} must be computed from {GIVEN[score.needs]}, but "
                f"{self.member.params['trainer']} gives none: use a score of its predictions, or "
                "leave this trainer out"
            )
        return found

    def _given(self, part: str) -> Answers | None:
        if part not in self._answers:
            self._answers[part] = self.trainer.answers(self.place, part)
        return self._answers[part]

    def _truth(self, part: str) -> Truth:
        data = self.data
        rows = data.splits[self.member.split].parts()[part]
        weights = None if data.weights is None else data.weights[rows]
        positive = positive_class(self.scoring.positive, self.classes)
        return Truth(data.labels[rows], data.n_classes, positive, weights)
