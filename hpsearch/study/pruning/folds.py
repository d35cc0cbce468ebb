"""Folds as needed: a configuration that is behind after some folds is stopped before the others.

A batch's trials are trained on the first folds together, and decided there, against the trials of
earlier batches that have all folds. So a decision depends on no worker and no restart.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpsearch.counts import count_of
from hpsearch.execution.slices import Exam
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.goals import Goals, MissingMetric
from hpsearch.study.training import Trains
from hpsearch.studyfile.study_file import StudyFile

Scores = NDArray[np.float64]

# Standard errors by which a configuration must be behind; see docs/benchmarks.md.
BEHIND = 1.0
# Degrees of freedom of the variance that other trials know, beside those of the trial's own folds.
KNOWN = 4.0
LEAST = 3  # trials with all folds, before anything is known of how folds differ


@dataclass(frozen=True)
class WholeTrial:
    """A trial with all folds.

    Attributes:
        number: of the trial.
        scores: (K,) by fold, means over seeds; higher is better.
    """

    number: int
    scores: Scores

    @property
    def mean(self) -> float:
        """Over all folds."""
        return float(self.scores.mean())


@dataclass(frozen=True)
class Gap:
    """A trial's first folds beside those of the trial that it must reach.

    Attributes:
        to: the number of that trial.
        lead: its mean lead over the same folds; higher is better.
        left_open: by how much all folds may differ from that.
        expected: the score of all folds that the trial's first ones let expect.
    """

    to: int
    lead: float
    left_open: float
    expected: float

    @property
    def is_behind(self) -> bool:
        """Whether the rest of the folds would hardly change who is better."""
        return self.lead > self.left_open


def is_enough(known: Sequence[WholeTrial], places: int) -> bool:
    """Whether so many trials with all folds let others be decided, of whom so many go on."""
    return len(known) >= max(LEAST, places)


def compared(own: Scores, known: Sequence[WholeTrial], places: int) -> Gap | None:
    """Compare a trial's first folds with the last of the best trials that go on.

    With differences d_1, ..., d_K to that trial over the folds, of which J are known, the mean of
    all is expected to be the mean of the known, with the variance

        s^2 (1 / J - 1 / K),    s^2 = ((J - 1) s_d^2 + KNOWN s_0^2) / (J - 1 + KNOWN)

    where s_d^2 is the variance of the known d_j, and s_0^2 the median over the trials with all
    folds of the variance of their differences to it. It is behind where its mean difference is
    more than BEHIND standard errors.

    Source: Bergman, Purucker and Hutter, "Don't waste your time: early stopping cross-validation"
    (2024), who stop where the mean of the first folds is below the best one's. Here the same folds
    are compared, as folds differ, and what they leave open counts.

    Args:
        own: (J,) of the trial, in the order of the folds; higher is better.
        known: trials with all folds.
        places: how many go on.

    Returns:
        None if too few trials are known.
    """
    if not is_enough(known, places) or not np.isfinite(own).all():
        return None
    best = sorted(known, key=lambda whole: (-whole.mean, whole.number))
    last = best[places - 1]
    n, of = len(own), len(last.scores)
    differences = last.scores[:n] - own
    others = [np.var(last.scores - one.scores, ddof=1) for one in known if one is not last]
    variance = float(np.median(others))
    if n > 1:
        own_part = (n - 1) * float(np.var(differences, ddof=1))
        variance = (own_part + KNOWN * variance) / (n - 1 + KNOWN)
    lead = float(differences.mean())
    left_open = BEHIND * math.sqrt(variance * (1 / n - 1 / of))
    return Gap(last.number, lead, left_open, last.mean - lead)


def rounds(folds: int) -> list[int]:
    """After how many folds trials are decided: all small numbers, then ever fewer."""
    found, n = list[int](), 1
    while n < folds:
        found.append(n)
        n += max(1, n // 2)
    return found


class FoldsAsNeeded:
    """Trains batches fold by fold; remembers the trials of earlier batches.

    What it remembers follows from the batches it is given, in turn, and from their records; after
    a restart it is given the same ones.

    Args:
        file: with split.folds_as_needed.
        folder: where records are kept.
    """

    def __init__(self, file: StudyFile, folder: RunFolder) -> None:
        self._file, self._folder = file, folder
        self._goals = Goals.of(file)
        self._sign = 1.0 if file.objective.direction == "maximize" else -1.0
        self._known: dict[int, list[WholeTrial]] = defaultdict(list)  # by stage

    def run(
        self,
        training: Trains,
        batches: Iterable[Sequence[TrialRecord]],
        stage: int,
        exam: Exam,
    ) -> Iterator[TrialRecord]:
        """As `Trains.run` to the stage's end; those that are stopped are yielded too.

        Controls have all folds: they are to tell of the stage's end.
        """
        until = self._file.lengths[stage]
        for batch in batches:
            going = [r for r in batch if not r.sealed and until not in r.scores]
            going = [record for record in going if stage not in record.controls]
            enough = is_enough(self._known[stage], self._places(stage))
            for folds in rounds(self._file.n_splits) if enough else ():
                for record in training.run([going], until, exam, folds=folds):
                    if record.sealed:
                        yield record
                going = [record for record in going if not record.sealed]
                for record in going:
                    if self._stop(record, stage, folds):
                        yield record
                going = [record for record in going if not record.sealed]
            yield from training.run([batch], until, exam)
            self._known[stage] += [
                WholeTrial(record.number, self._scores(record, until, self._file.n_splits))
                for record in batch
                if until in record.scores and record.outcome.ranked
            ]

    def _places(self, stage: int) -> int:
        """How many trials of a stage go on: the promoted, or of the last one the confirmed."""
        later = self._file.stages[stage + 1 :]
        return max(1, later[0].promoted if later else self._file.confirmation.top)

    def _scores(self, record: TrialRecord, until: int, folds: int) -> Scores:
        """(J,) of the first folds, means over seeds; higher is better."""
        members = [member for member in record.members if member.split < folds]
        scores = self._goals.of_some(record, members, until)
        by_fold: dict[int, list[float]] = defaultdict(list)
        for member, score in zip(members, scores, strict=True):
            by_fold[member.split].append(self._sign * score)
        return np.array([np.mean(by_fold[fold]) for fold in range(folds)])

    def _stop(self, record: TrialRecord, stage: int, folds: int) -> bool:
        """Stop a trial that is behind after some folds."""
        until, of = self._file.lengths[stage], self._file.n_splits
        try:
            own = self._scores(record, until, folds)
        except MissingMetric:  # it fails by that, once it has all folds
            return False
        found = compared(own, self._known[stage], self._places(stage))
        if found is None or not found.is_behind:
            return False
        record.folds = folds
        record.estimates[until] = self._sign * found.expected
        record.end_now()
        reason = f"pruned after {folds} of {count_of(of, 'fold')}, behind trial {found.to}"
        record.become(Outcome.PRUNED, reason)
        self._folder.write(record)
        return True
