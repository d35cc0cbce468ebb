"""The [pruner] table of a study file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field

from hpsearch.counts import count_of
from hpsearch.errors import Problem
from hpsearch.samplers.pruners import PARETO, ParetoOptions, make_pruner, pruner_class
from hpsearch.studyfile.tables.base import Facts, Table

Epochs = Annotated[int, Field(ge=1)]


class Pruner(Table):
    """A pruner that ends trials inside a stage, and the epochs after which it decides."""

    name: str = Field(
        description="one of Optuna's pruners: median, percentile, successive-halving, hyperband, "
        "threshold, patient, wilcoxon; pareto, which also knows several objectives and "
        "constraints; or your own, package.module:Class"
    )
    rungs: list[Epochs] = Field(
        min_length=1,
        description="epochs after which every trial is scored and the pruner decides, counted "
        "from the trial's start; the end of a stage can't be a rung, because promotion decides "
        "there",
    )
    options: dict[str, object] = Field(
        default_factory=dict,
        description="arguments for the pruner's constructor, e.g. { n_startup_trials = 8 }; "
        "patient takes the name of another pruner as wrapped_pruner; pareto takes keep, the "
        "share that goes on from a rung (0.5), and n_startup_trials (5)",
    )

    note_in_template = None  # it stands beside the objective

    @property
    def by_rank(self) -> bool:
        """Whether all objectives and constraints decide, not the first objective alone."""
        return self.name == PARETO

    @property
    def wrong_name(self) -> str:
        """What is wrong with the name; "" for nothing."""
        try:
            if not self.by_rank:
                pruner_class(self.name)
        except ValueError as error:
            return str(error)
        return ""

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        for key, pruner in tables.items():
            if any(later <= earlier for earlier, later in pairwise(pruner.rungs)):
                yield Problem(f"{key}.rungs", "must rise", str(pruner.rungs))
            if pruner.wrong_name:
                yield Problem(f"{key}.name", pruner.wrong_name)

    def problems(self, facts: Facts) -> Iterator[Problem]:
        if facts.n_objectives > 1 and not self.by_rank:
            rule = f'must be "{PARETO}" with {facts.n_objectives} objectives: others know only one'
            yield Problem("pruner.name", rule, repr(self.name))
        last = facts.epochs[-1]
        if self.rungs[-1] >= last:
            rule = f"must be below the {count_of(last, 'epoch')} of the last stage"
            yield Problem("pruner.rungs", rule, str(self.rungs[-1]))
        if self.wrong_name:
            return  # which was told
        try:
            if self.by_rank:
                ParetoOptions.of(self.options)
            else:
                make_pruner(self.name, self.options, rungs=self.rungs, n_epochs=last)
        except ValueError as error:
            yield Problem("pruner.options", str(error))
