"""Every combination once, in order, as an Optuna sampler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpsearch.samplers.base import StudySampler


class GridSampler(StudySampler):
    """Trial n gets the values of cell n. Optuna's own grid doesn't support conditional parameters.

    Args:
        cells: for each combination, the values of its active parameters by name.

    Raises:
        ValueError: more trials than cells, or a parameter that the cell does not have.
    """

    def __init__(self, cells: Sequence[Mapping[str, Any]]) -> None:
        self._cells = cells

    def ignores_results(self, number: int) -> bool:
        return True

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
