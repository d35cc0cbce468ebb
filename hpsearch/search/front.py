"""The Pareto front of a study with several objectives, and what a winner misses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.search.ranking import Standing, dominates, front, mean_standing, standing
from hpsearch.search.result import Estimate, FrontMember
from hpsearch.search.study_file import StudyFile
from hpsearch.tracking.record import TrialRecord


@dataclass(frozen=True)
class FreshSeeds:
    """The runs on fresh seeds of the configurations that were confirmed, by trial."""

    runs: Mapping[int, Sequence[TrialRecord]]
    epochs: int

    @classmethod
    def of(
        cls, records: Iterable[TrialRecord], confirmed: Iterable[int], epochs: int
    ) -> FreshSeeds:
        """Args: all runs on fresh seeds; the trials that trained on every one; their length."""
        runs: dict[int, list[TrialRecord]] = {number: [] for number in confirmed}
        for record in records:
            if record.number in runs:
                runs[record.number].append(record)
        return cls(runs, epochs)

    def standing(self, number: int) -> Standing:
        """By the means of a configuration."""
        return mean_standing(self.runs[number], self.epochs)

    def objectives(self, number: int) -> dict[str, Estimate]:
        """Of a configuration; {} where it was not confirmed."""
        return self._estimates([r.values for r in self.runs.get(number, ())])

    def violations(self, number: int) -> dict[str, Estimate]:
        """Of a configuration, by constraint."""
        return self._estimates([r.violations for r in self.runs[number]])

    def _estimates(
        self, found: Sequence[Mapping[str, Mapping[str, float]]]
    ) -> dict[str, Estimate]:
        rows = [each.get(str(self.epochs), {}) for each in found]
        names = rows[0] if rows else ()
        return {name: Estimate.of([row[name] for row in rows]) for name in names}


def pareto_front(
    file: StudyFile,
    records: Iterable[TrialRecord],
    fresh: FreshSeeds,
    searched: Mapping[int, Mapping[str, Any]],
) -> list[FrontMember]:
    """The front among the trials of full length, best in the first objective first.

    Where the budget let none come there, among those of the longest training that any has.

    Args:
        searched: the searched hyperparameters of each trial.
    """
    if len(file.goals) == 1:
        return []
    sound = {r.number: r for r in records if r.outcome not in ("failed", "diverged")}
    for stage in reversed(file.stages):
        at = stage.epochs
        there = [standing(record, at) for record in sound.values() if str(at) in record.scores]
        if there:
            break
    known = [fresh.standing(number) for number in fresh.runs]
    return [
        FrontMember(
            number=member.number,
            epochs=at,
            values=sound[member.number].values[str(at)],
            confirmed=fresh.objectives(member.number),
            dominated_by=[
                other.number
                for mine in known
                if mine.number == member.number
                for other in known
                if dominates(other, mine, file.directions)
            ],
            params=dict(searched[member.number]),
        )
        for member in front(there, file.directions)
    ]


def unmet(fresh: FreshSeeds, winner: int) -> list[str]:
    """The constraints that a winner misses on fresh seeds, with by how much."""
    return [
        f"{name}, missed by {estimate.mean:.1%}"
        for name, estimate in fresh.violations(winner).items()
        if estimate.mean > 0
    ]
