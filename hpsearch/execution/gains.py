"""What a population gains, epoch by epoch, in the making."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hpsearch.counts import count_of
from hpsearch.execution.examples import OPEN, data_of
from hpsearch.execution.scores import with_scores
from hpsearch.execution.scoring.thresholds import decided
from hpsearch.execution.scoring.values import positive_class
from hpsearch.execution.slices import FINAL, MemberAdvance, Slice, SliceSettings
from hpsearch.hyperparameters import NAME
from hpsearch.metrics import THRESHOLD
from hpsearch.nn.fitted import FittedNetwork
from hpsearch.records.refit_answers import RefitAnswers
from hpsearch.trainers import (
    Fitted,
    Member,
    Progress,
    Trainer,
    TrainingData,
)
from hpsearch.trainers.tables.model import FittedTable
from hpsearch.trainers.tables.prepared import preparation_fitted

PASSES = ("passes/forward", "passes/backward")
IMAGES = "passes/images"
EXAMPLES = 2  # training rows that a model's file shows as its inputs


@dataclass(eq=False)
class Gain:
    """A member's MemberAdvance in the making; `member` has the state it reached."""

    member: Member
    epochs: int = 0
    rows: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    diverged: bool = False
    predicted: tuple[int, ...] | None = None
    rates: list[float] = field(default_factory=list)
    fitted: tuple[str, bytes] | None = None
    ended_early: int = 0
    diverged_by: str = ""
    saw_test: bool = False
    kept: bool = False
    answers: bytes | None = None

    def take(
        self,
        position: int,
        progress: Progress,
        trainer: Trainer,
        work: Slice,
        resources: Mapping[str, float],
    ) -> None:
        """Note an epoch's end; the member has this position in the trainer."""
        settings = work.settings
        if progress.diverged[position]:
            self.diverged = True
            return
        self.epochs += 1
        if not progress.metrics:
            return
        row = {name: float(values[position]) for name, values in progress.metrics.items()}
        passes = trainer.passes(position) if settings.passes else None
        if passes is not None:
            row |= dict(zip(PASSES, map(float, passes), strict=True))
        images = trainer.images(position) if settings.passes else None
        if images is not None:
            row[IMAGES] = float(images)
        row |= resources
        if settings.per_class or (settings.exam == "test" and progress.epoch == work.until):
            predicted = self._predicted(position, progress, trainer, work)
            if predicted is not None and settings.per_class:
                row |= _per_class(work, self.member.split, predicted)
            if predicted is not None and settings.exam == "test":
                self.predicted = tuple(predicted.tolist())
            if settings.exam == "test" and settings.data.table.target is not None:
                decided_by = _threshold(position, progress)
                self.answers = self._refit_answers(position, trainer, work, predicted, decided_by)
        self.rows.append((progress.epoch, row))
        rate = trainer.learning_rate(position)
        if rate is not None:
            self.rates.append(rate)
        if settings.exam in FINAL and progress.epoch == work.until:
            fitted = trainer.fitted(position)
            threshold = _threshold(position, progress)
            if fitted is not None and threshold is not None:
                fitted = fitted.with_threshold(threshold, _positive(work))
            self.fitted = _file(fitted, self.member, work)

    def _predicted(
        self, position: int, progress: Progress, trainer: Trainer, work: Slice
    ) -> NDArray[np.int64] | None:
        """The class that each row is taken for, by the threshold where there is one."""
        threshold = _threshold(position, progress)
        if threshold is None:
            return trainer.predictions(position)
        answers = trainer.answers(position, "validation")
        assert answers is not None
        taken: NDArray[np.int64] = decided(answers, threshold, _positive(work)).predicted
        return taken

    def _refit_answers(
        self,
        position: int,
        trainer: Trainer,
        work: Slice,
        predicted: NDArray[np.int64] | None,
        threshold: float | None,
    ) -> bytes | None:
        """The file of what was predicted of the test rows; None where the trainer does not say."""
        answers = trainer.answers(position, "validation")
        if answers is None:
            return None
        data = data_of(work.settings)
        rows = data.splits[self.member.split].validation
        examples = OPEN[work.settings.exam](work.settings.data).examples
        return RefitAnswers(
            data.labels[rows],
            answers.predicted if predicted is None else predicted,
            examples.classes,
            answers.probabilities,
            answers.decisions,
            None if data.weights is None else data.weights[rows],
            0 if examples.regression else _positive(work),
            threshold,
        ).to_bytes()

    def note(self, state: bytes | None, saw_test: bool) -> None:
        """Note what its trainer says between two epochs, or at the end."""
        self.member, self.saw_test = replace(self.member, state=state), saw_test

    def tell(self) -> MemberAdvance:
        """What was gained since this was called last; the rest goes on from there."""
        told = self.advance()
        self.epochs, self.rows, self.rates = 0, [], []
        self.kept = True  # what follows is no resumption
        return told

    def advance(self) -> MemberAdvance:
        """The finished value."""
        return MemberAdvance(
            self.epochs,
            tuple(self.rows),
            self.member.state,
            self.diverged,
            self.predicted,
            tuple(self.rates),
            self.fitted,
            self.ended_early,
            self.diverged_by,
            self.saw_test,
            self.kept,
            self.answers,
        )


def scored(
    progress: Progress,
    trainer: Trainer,
    members: Sequence[Member],
    data: TrainingData,
    settings: SliceSettings,
) -> Progress:
    """The progress of an epoch that is evaluated, with what the settings want computed of it."""
    if not settings.scoring.metrics:
        return progress
    classes = OPEN[settings.exam](settings.data).examples.classes
    return with_scores(progress, trainer, members, data, settings.scoring, classes)


def judged(progress: Progress, decisive: tuple[str, ...] | None) -> tuple[Progress, Sequence[str]]:
    """The progress with members diverged by decisive metrics too, and each one's metric, or ""."""
    names = [""] * len(progress.diverged)
    for name, values in progress.metrics.items():
        if decisive is not None and name not in decisive:
            continue
        for position in np.flatnonzero(~np.isfinite(values) & ~progress.diverged):
            names[position] = names[position] or name
    diverged = progress.diverged | np.array([name != "" for name in names])
    return replace(progress, diverged=diverged), names


def ended_early(trainer: Trainer, position: int, work: Slice) -> int:
    """The epoch after which a member ended by itself; 0: it did not.

    Raises:
        ValueError: it did and must not.
    """
    ended = trainer.ended(position)
    if ended and not work.settings.may_end_early:
        name = work.members[0].params["trainer"]
        raise ValueError(
            f"{name} must yield metrics for {count_of(work.until, 'epoch')}, got {ended}: let it "
            'continue, give its stage fewer epochs, or set outcomes.ended_early = "keep"'
        )
    return ended


def _threshold(position: int, progress: Progress) -> float | None:
    """That decides which class is predicted; None where the likelier one is."""
    known = progress.metrics.get(THRESHOLD)
    return None if known is None else float(known[position])


def _positive(work: Slice) -> int:
    """The number of the positive class."""
    settings = work.settings
    classes = OPEN[settings.exam](settings.data).examples.classes
    return positive_class(settings.scoring.positive, classes)


def _file(fitted: Fitted | None, member: Member, work: Slice) -> tuple[str, bytes] | None:
    if fitted is None:
        return None
    examples = OPEN[work.settings.exam](work.settings.data).examples
    data = data_of(work.settings)
    preparation = preparation_fitted(data, member)
    if preparation is not None:
        shown = {place: texts[:EXAMPLES] for place, texts in examples.texts.items()}
        assert examples.form is not None
        fitted = FittedTable(preparation, fitted, shown, examples.form)
    try:
        content = fitted.to_bytes(examples.classes, examples.inputs[:EXAMPLES])
    except Exception as error:  # a type that can't be read without running its code
        if fitted.file_name == FittedNetwork.file_name:
            raise
        # Its scores are good all the same.
        print(
            f"the model is not kept for predictions: {type(error).__name__}: {error}",
            file=sys.stderr,
        )
        return None
    return fitted.file_name, content


def _per_class(work: Slice, split: int, predicted: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy of each class that was scored, by its name or else its number."""
    settings, accuracies = work.settings, {}
    data = data_of(settings)
    rows = data.splits[split].validation
    true = data.labels[rows]
    classes = OPEN[settings.exam](settings.data).examples.classes
    for k in range(data.n_classes):
        of_class = true == k
        name = f"validation_accuracy/class_{classes[k] if classes else k}"
        if not NAME.fullmatch(name):
            name = f"validation_accuracy/class_{k}"
        if of_class.any() and (data.weights is None or data.weights[rows[of_class]].any()):
            accuracies[name] = data.mean(predicted[of_class] == k, rows[of_class])
    return accuracies
