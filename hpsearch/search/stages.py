"""Stages: which trials a stage holds, who is promoted, how far the ranges have narrowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import Study

from hpsearch.search.arms import Arm
from hpsearch.search.ranking import ranked, standing
from hpsearch.search.samplers import StudySampler
from hpsearch.search.space import Space
from hpsearch.search.study_file import Stage
from hpsearch.tracking.record import TrialRecord


def best_first(
    records: Iterable[TrialRecord], epochs: int, directions: Sequence[str]
) -> list[TrialRecord]:
    """Records that have a score at this length, best first, earlier trials first among equals.

    Args:
        directions: of all objectives; see `ranking` for what is best of several, and where
            constraints are missed.
    """
    scored = {r.number: r for r in records if str(epochs) in r.scores and r.outcome != "diverged"}
    standings = [standing(record, epochs) for record in scored.values()]
    return [scored[s.number] for s in ranked(standings, directions)]


def promoted(
    records: Iterable[TrialRecord], epochs: int, following: Stage, directions: Sequence[str]
) -> list[int]:
    """Numbers of the trials that go on from a stage of this length, best first."""
    wanted = round(following.trials * following.promote)
    paused = [r for r in records if r.outcome == "paused"]
    return [r.number for r in best_first(paused, epochs, directions)[:wanted]]


@dataclass(frozen=True)
class RangeRow:
    """How one parameter narrowed in one branch up to the end of a stage: a line of the audit.

    Attributes:
        branch: the arm, and categorical values the survivors share, as text; "" for all trials.
        declared, before, now: a range "low … high", or choices with their probabilities.
        low, high: the range now; None for choices.
        share: part of the declared (log) range, or of the choices, that is left.
        survivors: the trials that set it, best first.
    """

    stage: int
    parameter: str
    branch: str
    declared: str
    before: str
    now: str
    low: float | None
    high: float | None
    share: float
    survivors: list[int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def narrowing(
    study: Study,
    sampler: StudySampler,
    arm: Arm,
    stage: int,
    earlier: list[RangeRow],
) -> list[RangeRow]:
    """The ranges a stage ends with, for all trials and for each branch that has enough of them."""
    before = {(row.parameter, row.branch): row.now for row in earlier}
    rows = []
    for parameter in arm.space.parameters:
        for branch in _branches(arm.space, parameter.name):
            found = sampler.narrowed(study, parameter.name, parameter.distribution, branch)
            if found is None:
                continue
            declared = _text(parameter.distribution)
            inside = arm.values | branch
            branch_text = ", ".join(f"{name}={value}" for name, value in inside.items())
            now = (
                _numeric(found.low, found.high)
                if found.weights is None
                else _weights(found.weights)
            )
            rows.append(
                RangeRow(
                    stage=stage,
                    parameter=parameter.name,
                    branch=branch_text,
                    declared=declared,
                    before=before.get((parameter.name, branch_text), declared),
                    now=now,
                    low=found.low,
                    high=found.high,
                    share=round(found.share, 4),
                    survivors=[arm.number(survivor) for survivor in found.survivors],
                )
            )
    return rows


def _branches(space: Space, name: str) -> Iterator[dict[str, Any]]:
    """All trials, then the values of the first categorical parameter, on which others depend."""
    yield {}
    for parameter in space.parameters:
        if isinstance(parameter.distribution, CategoricalDistribution):
            if parameter.name != name:
                yield from ({parameter.name: choice} for choice in parameter.distribution.choices)
            return


def _text(distribution: BaseDistribution) -> str:
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(str(choice) for choice in distribution.choices)
    return _numeric(distribution.low, distribution.high)  # type: ignore[attr-defined]


def _numeric(low: float | None, high: float | None) -> str:
    return f"{low:.4g} … {high:.4g}"


def _weights(weights: dict[str, float]) -> str:
    ordered = sorted(weights.items(), key=lambda item: -item[1])
    return ", ".join(f"{choice} {weight:.0%}" for choice, weight in ordered)
