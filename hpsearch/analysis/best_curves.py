"""What tuning is worth: the best score of a search after so many trials, trainings and minutes.

Where N draws ignore what was found before, every order of them was as likely. The mean over all
orders of the best of the first n is

    E(n) = sum over i from n to N of  C(i - 1, n - 1) / C(N, n)  v(i),     v(1) <= ... <= v(N)

an unbiased estimate of the best of n draws. Its 95 % band is the bootstrap's over trials; near N
it is too narrow, as no resample holds a better trial than the best. Where draws follow from
results, as in a search that narrows, there is one order, the one that happened, and no band.

Source: Dodge et al., "Show your work: improved reporting of experimental results" (EMNLP 2019);
the sum in place of their powers, for draws without replacement: Tang et al., "Showing your work
doesn't always work" (ACL 2020).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hpsearch.analysis.ranking import feasible_score
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.study_file import StudyFile

FEWEST = 3  # trials with a score; of fewer there is no curve
RESAMPLES = 500
SEED = 0x8E57  # of the resamples, so that a report repeats
LEVEL = (2.5, 97.5)  # percentiles
MINUTE = 60.0  # seconds
ALIKE = 1e-9  # of two best scores: no change of the order

Floats = NDArray[np.float64]
Cost = Literal["trials", "trainings", "minutes"]


@dataclass(frozen=True)
class Trained:
    """A trial at the end of a stage, or where it ended in it.

    Attributes:
        number: of the trial.
        epochs, seconds: what its training in this stage took, of all members together; an epoch
            on fewer rows than the last stage's is a part of one.
        score: at the stage's length; None: it has none that could win.
    """

    number: int
    epochs: float
    seconds: float
    score: float | None


@dataclass(frozen=True)
class BestCurve:
    """The best score of an arm after so much was spent.

    Attributes:
        arm: its name; "" for the only one.
        epochs: the length that scores are at.
        averaged: of the first so many trials the best is a mean over all their orders.
        trials, trainings, minutes: what was spent up to each point: trials that were drawn,
            their epochs by those of one full training, and the time of their training.
        best: the (expected) best score up to there.
        low, high: the ends of its 95 % band, for the first `averaged` points.
    """

    arm: str
    epochs: int
    averaged: int
    trials: list[int]
    trainings: list[float]
    minutes: list[float]
    best: list[float]
    low: list[float]
    high: list[float]

    def spent(self, cost: Cost) -> Sequence[float]:
        """What was spent up to each point."""
        found: Mapping[Cost, Sequence[float]] = {
            "trials": self.trials,
            "trainings": self.trainings,
            "minutes": self.minutes,
        }
        return found[cost]

    def at(self, cost: Cost, amount: float) -> float | None:
        """The best after this much; None before the first point.

        Between points of a mean over orders on the line between them.
        """
        spent = self.spent(cost)
        place = int(np.searchsorted(spent, amount * (1 + ALIKE), side="right"))
        if 0 < place < self.averaged:
            return float(np.interp(amount, spent, self.best))
        return self.best[place - 1] if place else None


def best_curves(
    file: StudyFile, arms: Sequence[ArmPlace], records: Iterable[TrialRecord]
) -> list[BestCurve]:
    """Of each arm at the full length and then, with several stages, at the first stage's.

    None of several objectives, of which no score is the best; none of an arm without scores.
    """
    if len(file.goals) > 1:
        return []
    known, found = list(records), []
    for stages in dict.fromkeys((len(file.stages), 1)):
        for arm in arms:
            mine = [record for record in known if arm.holds(record.number)]
            curve = _curve(file, arm, mine, stages)
            found += [] if curve is None else [curve]
    return found


def _curve(
    file: StudyFile, arm: ArmPlace, records: Sequence[TrialRecord], stages: int
) -> BestCurve | None:
    """Of a search's first so many stages, at the length of the last of them."""
    length = file.lengths[stages - 1]
    spent = [*in_order(file, records, stages)]
    ends = [i for i, (stage, _) in enumerate(spent) if stage == stages - 1]
    scores = [spent[i][1].score for i in ends]
    if sum(score is not None for score in scores) < FEWEST:
        return None
    sign = 1.0 if file.objective.direction == "maximize" else -1.0
    values = _with_worst([None if s is None else sign * s for s in scores])
    numbers = [one.number for _, one in spent]
    is_new = [number not in numbers[:i] for i, number in enumerate(numbers)]
    trials = np.cumsum(is_new)[ends]
    epochs = np.cumsum([one.epochs for _, one in spent])[ends] / (file.n_epochs * file.n_members)
    minutes = np.cumsum([one.seconds for _, one in spent])[ends] / MINUTE
    blind = _n_blind(file, arm, numbers) if stages == 1 else 0
    best, low, high = np.maximum.accumulate(values), np.empty(0), np.empty(0)
    if blind >= FEWEST:
        best[:blind] = expected_best(values[:blind])
        low, high = band(values[:blind], np.random.default_rng(SEED))
        # Of every order the mean cost.
        for costs in (epochs, minutes):
            costs[:blind] = costs[blind - 1] * np.arange(1, blind + 1) / blind
    else:
        blind = 0
    if sign < 0:
        low, high = high, low
    return BestCurve(
        arm=arm.name,
        epochs=length,
        averaged=blind,
        trials=trials.tolist(),
        trainings=epochs.tolist(),
        minutes=minutes.tolist(),
        best=(sign * best).tolist(),
        low=(sign * low).tolist(),
        high=(sign * high).tolist(),
    )


def in_order(
    file: StudyFile, records: Sequence[TrialRecord], stages: int
) -> Iterator[tuple[int, Trained]]:
    """Each trial at each stage's end, as they came there: promoted ones, the best first, then
    new ones by number."""
    sign = -1.0 if file.objective.direction == "maximize" else 1.0
    before, most = 0, max((rows for r in records for rows in r.rows.values()), default=1)
    for stage, length in enumerate(file.lengths[:stages]):
        went_on = [
            r for r in records if r.stage < stage and any(m.epoch > before for m in r.members)
        ]
        went_on.sort(key=lambda r: (sign * r.scores.get(before, math.inf), r.number))
        new = sorted((r for r in records if r.stage == stage), key=lambda r: r.number)
        for record in (*went_on, *new):
            start = record.before if record.stage == stage or file.starts_anew else before
            epochs = sum(record.work(m, start, length, most) for m in record.members)
            whole = sum(record.work(m, 0, m.epoch, most) for m in record.members)
            seconds = record.wall_seconds * (epochs / whole if whole else 1.0)
            score = feasible_score(record, length) if record.outcome.sound else None
            yield stage, Trained(record.number, epochs, seconds, score)
        before = length


def _n_blind(file: StudyFile, arm: ArmPlace, numbers: Sequence[int]) -> int:
    """How many of a stage's first trials were drawn, and trained, whatever was found before."""
    if file.ends_trials:  # it ends trials by the scores of others
        return 0
    is_blind = file.sampler.blind(file.facts())
    given = 0 if file.sampler.name == "listed" else len(file.enqueue)
    count = 0
    for number in numbers:
        local = arm.local(number)
        if local < given or not is_blind(local):
            break
        count += 1
    return count


def _with_worst(values: Sequence[float | None]) -> Floats:
    """What has no score that could win counts as the worst of those that have."""
    worst = min(value for value in values if value is not None)
    return np.array([worst if value is None else value for value in values])


def expected_best(values: Floats) -> Floats:
    """E(n) for each n from 1 to N of values of which higher is better, (N,) -> (N,)."""
    found: Floats = _weights(len(values)) @ np.sort(values)
    return found


def band(values: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The ends of the 95 % band of `expected_best`, (N,) each, by resamples of the values."""
    drawn = rng.choice(values, (RESAMPLES, len(values)))
    drawn.sort(axis=1)
    low, high = np.percentile(drawn @ _weights(len(values)).T, LEVEL, axis=0)
    return low, high


def _weights(n: int) -> Floats:
    """C(i - 1, k - 1) / C(N, k) in row k and column i, (N, N), both from 1."""
    from scipy.special import gammaln  # scipy.stats takes half a second to load

    k, i = np.arange(1, n + 1)[:, None], np.arange(1, n + 1)[None, :]
    above = np.where(i >= k, i - k, 0)
    logs = gammaln(i) - gammaln(k) - gammaln(above + 1.0)
    logs -= gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return np.where(i >= k, np.exp(logs), 0.0)
