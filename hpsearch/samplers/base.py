"""The contract of a sampler of studies, and what it says of its narrowing."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Narrowing:
    """What the search has narrowed one parameter to, in one branch of a conditional space.

    Attributes:
        branch: categorical values that the survivors share, {} for all.
        low, high: where 95 % and more of the local draws fall; None for a categorical one.
        weights: probability of each choice; None for a numeric one.
        share: part of the declared (log) range, or the effective share of the choices, left.
        survivors: numbers of the trials that set it, best first.
    """

    name: str
    branch: dict[str, Any]
    low: float | None
    high: float | None
    weights: dict[str, float] | None
    share: float
    survivors: tuple[int, ...]


class StudySampler(BaseSampler):
    """Draws parameter by parameter, each from the trial's number and what was stored before."""

    @abstractmethod
    def ignores_results(self, number: int) -> bool:
        """Whether trial `number` is drawn from its number alone, whatever was found before."""

    def narrowed(
        self, study: Study, name: str, distribution: BaseDistribution, branch: dict[str, Any]
    ) -> Narrowing | None:
        """Where draws of a parameter now fall in a branch; None as long as they fall anywhere."""
        return None

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}
