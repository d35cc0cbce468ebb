"""The [pruner] table of a study file: its schema."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hpsearch.studyfile.tables.base import Table

Epochs = Annotated[int, Field(ge=1)]


class Pruner(Table):
    """Who ends trials inside a stage, and after which epochs it is asked."""

    name: str = Field(
        description="median, percentile, successive-halving, hyperband, threshold, patient, "
        "wilcoxon: Optuna's; or a pruner of your own, package.module:Class"
    )
    rungs: list[Epochs] = Field(
        min_length=1,
        description="epochs after which every trial is scored and the pruner asked, counted from "
        "the trial's start; a stage's own end is none, as promotion decides there",
    )
    options: dict[str, object] = Field(
        default_factory=dict,
        description="arguments of the pruner's constructor, e.g. { n_startup_trials = 8 }; "
        "patient takes the name of another as wrapped_pruner",
    )
