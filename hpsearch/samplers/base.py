"""The contract of a sampler for studies, and its description of narrowed ranges."""

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
    """The narrowed range of one parameter, in one branch of a conditional space.

    Attributes:
        branch: categorical values that the survivors share, {} for all.
        low, high: the range of 95 % or more of the local draws; None for a categorical parameter.
        weights: probability of each choice; None for a numeric parameter.
        share: the part that is left of the declared (log) range, or of the choices.
        survivors: numbers of the trials that determine the range, best first.
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
        params: all active parameters.
        notes: attributes that the sampler stored in the trial for its own later batches.
    """

    params: Mapping[str, Any]
    notes: Mapping[str, Any]


class StudySampler(BaseSampler):
    """Draws the same trials again after a restart, whatever the number of workers.

    Our samplers draw parameter by parameter when a trial is asked for one, from the trial's number
    and the trials stored before. A sampler that can't do that draws a batch ahead.
    """

    def redrawn(self, attempt: int) -> StudySampler:
        """The sampler that draws again after a draw that breaks a relation: the same, with another
        seed for every attempt, from 1."""
        return self

    @abstractmethod
    def ignores_results(self, number: int) -> bool:
        """Whether trial `number` is drawn from its number alone, whatever the earlier results."""

    def draw_ahead(
        self,
        study: Study,
        numbers: Sequence[int],
        suggest: Callable[[Trial], Mapping[str, Any]],
        entropy: tuple[int, ...],
    ) -> Sequence[Drawn]:
        """Draw a batch before any of its trials is asked for.

        The caller calls it before every batch with a trial that is not drawn yet; after a restart
        in the middle of a batch it asks for the whole batch again. It stores the returned trials,
        and then asks each trial for its parameters. A sampler writes nothing to the study.

        Args:
            study: the study with the trials before the batch.
            numbers: the consecutive numbers of the batch's trials.
            suggest: asks a trial for all its parameters.
            entropy: (study seed, stage, batch).

        Returns:
            One for each number; none at all if the sampler draws trials when they are asked for.
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
        """The range of a parameter's draws in a branch now; None as long as it is the full one.

        Args:
            trials: all trials of the study.
            direction: the direction of its first objective.
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
