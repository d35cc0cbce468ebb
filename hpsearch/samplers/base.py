"""The contract of a sampler of studies, and what it says of its narrowing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, Trial


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


@dataclass(frozen=True)
class Drawn:
    """A trial that was drawn ahead, with its batch.

    Attributes:
        params: all that are active.
        notes: what the sampler wrote on the trial, for itself in later batches.
    """

    params: Mapping[str, Any]
    notes: Mapping[str, Any]


class StudySampler(BaseSampler):
    """Draws the same trials again after a restart, whatever the number of workers.

    Ours draw parameter by parameter, when a trial is asked for, each from the trial's number and
    what was stored before. A sampler that can't do that draws a batch ahead.
    """

    def redrawn(self, attempt: int) -> StudySampler:
        """Who draws a trial again, where what this one drew breaks a relation: as this one, from
        another seed for every attempt from 1."""
        return self

    @abstractmethod
    def ignores_results(self, number: int) -> bool:
        """Whether trial `number` is drawn from its number alone, whatever was found before."""

    def draw_ahead(
        self,
        study: Study,
        numbers: Sequence[int],
        suggest: Callable[[Trial], Mapping[str, Any]],
        entropy: tuple[int, ...],
    ) -> Sequence[Drawn]:
        """Draw a batch before any of its trials is asked for.

        The caller asks before every batch of which a trial is not drawn yet; after a restart in
        the middle of a batch it asks for the whole batch again. It stores what it gets, and then
        asks each trial for its parameters. A sampler writes nothing to the study.

        Args:
            study: where the trials before the batch are stored.
            numbers: of the batch, one after the other.
            suggest: asks a trial for all its parameters.
            entropy: (study seed, stage, batch).

        Returns:
            One for each number; none at all where trials are drawn when they are asked for.
        """
        return ()

    def narrowed(
        self,
        trials: Sequence[FrozenTrial],
        direction: StudyDirection,
        name: str,
        distribution: BaseDistribution,
        branch: dict[str, Any],
    ) -> Narrowing | None:
        """Where draws of a parameter now fall in a branch; None as long as they fall anywhere.

        Args:
            trials: all of the study.
            direction: of its first objective.
        """
        return None

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}
