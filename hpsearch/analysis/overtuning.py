"""Overtuning: a search goes on to better scores on its validation rows, and to no better models.

The incumbents of a search are the trials that were the best so far when they ended. Those of them
that were confirmed have a score on splits, or seeds, that the search did not choose by. Where the
last one is no better there than the first, what was gained between them was luck with rows.

Source: Schneider, Bischl and Feurer, "Overtuning in hyperparameter optimization" (2025).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hpsearch.analysis.best_curves import MINUTE, in_order
from hpsearch.records.estimate import Estimate
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.study_file import StudyFile


@dataclass(frozen=True)
class Incumbent:
    """A trial that was the best so far, and was confirmed.

    Attributes:
        number: of the trial.
        minutes: of training that the search had taken by then.
        searched: its score in the search.
        confirmed: when it was run again.
    """

    number: int
    minutes: float
    searched: float
    confirmed: Estimate


@dataclass(frozen=True)
class Incumbents:
    """Those of an arm, in the order in which they came.

    Attributes:
        arm: its name; "" for the only one.
        objective: its name.
        sign: 1 where higher is better, else -1.
    """

    arm: str
    objective: str
    sign: int
    found: Sequence[Incumbent]

    @property
    def gain(self) -> float:
        """What the last is better by than the first, confirmed."""
        return self.sign * (self.found[-1].confirmed.mean - self.found[0].confirmed.mean)

    @property
    def warns(self) -> bool:
        """Whether the last is no better than the first when confirmed."""
        return self.gain <= 0

    @property
    def text(self) -> str:
        """In a sentence."""
        first, last = self.found[0], self.found[-1]
        whose = f"{self.arm}: " if self.arm else ""
        pairs = zip(first.confirmed.values, last.confirmed.values, strict=False)
        better = sum(self.sign * (b - a) > 0 for a, b in pairs)
        n = min(len(first.confirmed.values), len(last.confirmed.values))
        confirmed = (
            f"from {first.confirmed.mean:.4f} to {last.confirmed.mean:.4f} on "
            f"{n} {last.confirmed.over} (better on {better} of them)"
        )
        searched = (
            f"{whose}from trial {first.number} to trial {last.number} the best {self.objective} "
            f"of the search improved from {first.searched:.4f} to {last.searched:.4f}"
        )
        if not self.warns:
            return f"{searched}, and the confirmed score went {confirmed}"
        return (
            f"{searched}, but the confirmed score went {confirmed}: the last gains may fit only "
            "the validation rows (overtuning)"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "arm": self.arm,
            "incumbents": [asdict(one) for one in self.found],
            "warns": self.warns,
            "text": self.text,
        }


def incumbents(
    file: StudyFile,
    arms: Sequence[ArmPlace],
    records: Iterable[TrialRecord],
    confirmed: Mapping[int, Estimate],
) -> Iterator[Incumbents]:
    """Of each arm at the full length; only of those with two incumbents that were confirmed.

    None of several objectives, of which no trial is the best so far.
    """
    if len(file.goals) > 1:
        return
    known, last = list(records), len(file.stages) - 1
    sign = 1 if file.objective.direction == "maximize" else -1
    for arm in arms:
        best, seconds, found = float("-inf"), 0.0, []
        mine = [record for record in known if arm.holds(record.number)]
        for stage, one in in_order(file, mine, last + 1):
            seconds += one.seconds
            if stage < last or one.score is None or sign * one.score <= best:
                continue
            best = sign * one.score
            if one.number in confirmed:
                again = confirmed[one.number]
                found.append(Incumbent(one.number, seconds / MINUTE, one.score, again))
        if len(found) > 1:
            yield Incumbents(arm.name, file.objective.name, sign, found)
