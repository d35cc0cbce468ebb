"""The Pareto front of a study with several objectives, and what a winner misses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.analysis.estimates import estimate
from hpsearch.analysis.ranking import Standing, front, mean_standing
from hpsearch.records.estimate import Estimate
from hpsearch.records.result import FrontMember
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.study_file import StudyFile


@dataclass(frozen=True)
class FreshSeeds:
    """The runs on fresh seeds of the configurations that were confirmed.

    Attributes:
        runs: by trial.
        epochs: their length.
    """

    runs: Mapping[int, Sequence[TrialRecord]]
    epochs: int

    @classmethod
    def of(
        cls, records: Iterable[TrialRecord], confirmed: Iterable[int], epochs: int
    ) -> FreshSeeds:
        """Those of `confirmed`, the trials whose runs all ended well, among all records."""
        runs: dict[int, list[TrialRecord]] = {number: [] for number in confirmed}
        for record in records:
            if record.number in runs:
                runs[record.number].append(record)
        return cls(runs, epochs)

    def standing(self, number: int) -> Standing:
        """By the means of a configuration."""
        return mean_standing(self.runs[number], self.epochs)

    def violations(self, number: int) -> dict[str, Estimate]:
        """Of a configuration, by constraint."""
        rows = [run.violations.get(self.epochs, {}) for run in self.runs[number]]
        return {name: estimate([row[name] for row in rows]) for name in rows[0]}


def pareto_front(
    file: StudyFile,
    records: Mapping[int, TrialRecord],
    fresh: FreshSeeds,
    searched: Mapping[int, Mapping[str, Any]],
    objectives: Callable[[int], dict[str, Estimate]],
) -> list[FrontMember]:
    """The front of the configurations that were run on fresh seeds, by their means there.

    The best in the first objective, which is the winner, comes first.

    Args:
        records: the trials.
        searched: their searched hyperparameters.
        objectives: what a configuration scores over its repeats, by objective.
    """
    if len(file.goals) == 1:
        return []
    standings = [fresh.standing(number) for number in fresh.runs]
    return [
        FrontMember(
            number=member.number,
            values=objectives(member.number),
            searched_values=records[member.number].values.get(fresh.epochs, {}),
            params=dict(searched[member.number]),
        )
        for member in front(standings, file.directions)
    ]


def unmet(fresh: FreshSeeds, winner: int) -> list[str]:
    """The constraints that a winner misses on fresh seeds, with by how much."""
    return [
        f"{name} (by {estimate.mean:.1%})"
        for name, estimate in fresh.violations(winner).items()
        if estimate.mean > 0
    ]
