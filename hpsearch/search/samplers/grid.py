"""Every combination once, in order, as an Optuna sampler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial


class GridSampler(BaseSampler):
    """Trial n gets the values of cell n. Optuna's own grid knows no conditional parameters.

    Args:
        cells: the values of each combination by parameter, those that are active there alone.

    Raises:
        ValueError: more trials than cells, or a parameter that the cell does not have.
    """

    def __init__(self, cells: Sequence[Mapping[str, Any]]) -> None:
        self._cells = cells

    def ignores_results(self, number: int) -> bool:
        """Trial `number` is drawn from its number alone, whatever was found before."""
        return True

    def narrowed(
        self, study: Study, name: str, distribution: BaseDistribution, branch: dict[str, Any]
    ) -> None:
        """A grid is never narrowed."""

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        if trial.number >= len(self._cells):
            raise ValueError(
                f"a grid of {len(self._cells)} cells must have no more trials, "
                f"got number {trial.number}"
            )
        cell = self._cells[trial.number]
        if param_name not in cell:
            raise ValueError(
                f"cell {trial.number} of the grid must have {param_name}, got {', '.join(cell)}"
            )
        return cell[param_name]
