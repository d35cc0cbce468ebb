"""Whether short trainings predict long ones: how alike two lengths rank the same trials."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.counts import count_of, noun_of
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.studyfile.tables.stages import Stage

CONTROLS = 1 << 33  # keeps the draw of controls apart from other seeds
# A rank correlation below this is warned of. Two normal scores that correlate by r agree on who is
# in the better half in 1/2 + asin(r)/pi of the cases: at .5 in two of three, by chance in one of
# two. Stages that promote by less are hardly better than drawing lots.
PREDICTS = 0.5
MORE = 4  # controls that are advised where there are too few; with the promoted and new ones of a
# small stage some 12 trials, whose interval of a correlation of .8 stays above PREDICTS / 2
LEAST_PAIRS = 5  # of fewer even a perfect order is no evidence: 1 in 24 by chance with 4


@dataclass(frozen=True)
class Fidelity:
    """How the scores at one stage's length go with those at the next's, over an arm's trials.

    Attributes:
        arm: its name; "" for the only one.
        stage: the shorter one, from 0.
        epochs, then: the two lengths, counted over all trainings of a trial.
        n: trials with both scores; diverged ones are the worst.
        promoted, controls, new: how many of them were chosen by the shorter score, went on as
            controls, or were drawn in later stages, whatever the shorter score.
        rho: Spearman's rank correlation; None: too few trials, or all scores of a length equal.
        low, high: its 95 % interval.
        tau: Kendall's tau-b.
        between: the two stages in words, where they differ in their rows; "": in epochs alone.
    """

    arm: str
    stage: int
    epochs: int
    then: int
    n: int
    promoted: int
    controls: int
    new: int
    rho: float | None
    low: float | None
    high: float | None
    tau: float | None
    between: str = ""

    @property
    def predicts(self) -> bool | None:
        """Whether the shorter training is worth promoting by; None: not known."""
        return None if self.rho is None else self.rho >= PREDICTS

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        own = {name: value for name, value in asdict(self).items() if value or name != "between"}
        return own | {"predicts": self.predicts, "text": str(self)}

    def __str__(self) -> str:
        arm = f"{self.arm}: " if self.arm else ""
        controls = noun_of(self.controls, "control")
        kinds = {"promoted": "promoted", "controls": controls, "new": "new"}
        counts = ", ".join(f"{getattr(self, kind)} {name}" for kind, name in kinds.items())
        between = arm + (self.between or f"{self.epochs} to {count_of(self.then, 'epoch')}")
        trials = f"{count_of(self.n, 'trial')} ({counts})"
        if self.rho is None or self.low is None or self.high is None:
            return f"{between}: rank correlation unknown with {trials}"
        interval = f"95 % interval {self.low:.2f} … {self.high:.2f}"
        text = f"{between}: rank correlation {self.rho:.2f} ({interval}) over {trials}"
        more = f"controls = {MORE} in [[stages]] {self.stage + 2} would show more"
        if self.predicts:
            return text if self.low > 0 else f"{text}; this may be chance, {more}"
        does = "does" if self.epochs == 1 else "do"
        what = f"{count_of(self.epochs, 'epoch')} {does} not predict {self.then}"
        raised = "epochs"
        if self.between:
            what, raised = "the first do not predict the second", "rows"
        return (
            f"{text}: {what}, and promotion is close to a lottery. "
            f"Raise the {raised} of stage {self.stage + 1}"
            + ("" if self.controls else f"; {more}")
        )


def drawn_controls(
    left: Sequence[TrialRecord], wanted: int, entropy: tuple[int, ...]
) -> list[int]:
    """Numbers of random trials among those that a stage does not promote.

    Args:
        left: the trials that could go on and are not promoted.
        wanted: how many, if there are as many.
        entropy: (study seed, arm, stage).
    """
    numbers = sorted(record.number for record in left)
    rng = np.random.default_rng(np.random.SeedSequence((*entropy, CONTROLS)))
    drawn = rng.choice(len(numbers), min(wanted, len(numbers)), replace=False)
    return sorted(numbers[i] for i in drawn.tolist())


def fidelities(
    file: StudyFile, records: Iterable[TrialRecord], arm: str = ""
) -> Iterator[Fidelity]:
    """One for each pair of consecutive stages that any trial came through.

    Of a trial that a later chapter trained longer under another number, that one counts alone.
    """
    every, sign = list(records), 1 if file.objective.direction == "maximize" else -1
    longer = {record.continues for record in every}
    known = [record for record in every if record.number not in longer]
    for stage, (epochs, then) in enumerate(pairwise(file.lengths)):
        pairs = [(r, *_scores(r, epochs, then, sign)) for r in known]
        both = [(r, short, long) for r, short, long in pairs if not math.isnan(short + long)]
        if not both:
            continue
        new = sum(r.stage > stage and r.continues is None for r, _, _ in both)
        controls = sum(stage + 1 in record.controls for record, _, _ in both)
        rho, low, high, tau = _correlation([s for _, s, _ in both], [n for _, _, n in both])
        yield Fidelity(
            arm=arm,
            stage=stage,
            epochs=epochs,
            then=then,
            n=len(both),
            promoted=len(both) - controls - new,
            controls=controls,
            new=new,
            rho=rho,
            low=low,
            high=high,
            tau=tau,
            between=_between(file.stages[stage], file.stages[stage + 1]),
        )


def _between(short: Stage, long: Stage) -> str:
    """Two stages that differ in their rows, in words: "1 epoch on 200 rows to 1 on all rows"."""
    if short.rows == long.rows:
        return ""
    return f"{count_of(short.epochs, 'epoch')}{short.on_rows} to {long.epochs}{long.on_rows}"


def _scores(record: TrialRecord, epochs: int, then: int, sign: int) -> tuple[float, float]:
    """Both scores, higher is better; NaN for one that it has not."""
    short, long = (record.scores.get(n, math.nan) for n in (epochs, then))
    if not record.outcome.ranked and math.isnan(long):
        return sign * short, -math.inf
    return sign * short, sign * long


def _correlation(
    short: Sequence[float], long: Sequence[float]
) -> tuple[float | None, float | None, float | None, float | None]:
    """Spearman's rho, its 95 % interval, and Kendall's tau-b.

    The interval is Fisher's, with the variance (1 + rho^2 / 2) / (n - 3) of ranks. A perfect order
    has the interval of one with two neighbours exchanged, 1 - 12 / (n^3 - n): its own would have
    no width.

    Source: Bonett, Wright, Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations, Psychometrika 65, 2000.
    """
    from scipy.special import ndtri

    n = len(short)
    if n < LEAST_PAIRS or len(set(short)) == 1 or len(set(long)) == 1:
        return None, None, None, None
    ranks = _ranks(short), _ranks(long)  # of numbers that may be infinite
    rho, tau = float(np.corrcoef(*ranks)[1, 0]), _tau_b(*ranks)
    most = 1 - 12 / (n**3 - n)
    z = math.atanh(min(most, max(-most, rho)))
    half = float(ndtri(0.975)) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    low, high = math.tanh(z - half), math.tanh(z + half)
    return rho, min(low, rho), max(high, rho), tau


# As scipy.stats has them, which takes a second to load and nothing else in a study needs.


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """From 1; equal values share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[places], dtype=np.float64)


def _tau_b(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Kendall's tau-b of two rankings, neither of which is all ties."""
    both = untied_x = untied_y = 0
    for i in range(len(x)):
        dx, dy = np.sign(x[i + 1 :] - x[i]), np.sign(y[i + 1 :] - y[i])
        both += int(dx @ dy)
        untied_x += int(np.count_nonzero(dx))
        untied_y += int(np.count_nonzero(dy))
    return min(1.0, max(-1.0, both / math.sqrt(untied_x) / math.sqrt(untied_y)))
