"""The [confirmation] table of a study file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from optuna.distributions import CategoricalDistribution
from pydantic import Field

from hpsearch.errors import Problem, unknown_name
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.tables.base import LARGEST, Facts, Table
from hpsearch.trainers import TRAINERS, trainer_kind

SECONDS, PARAMETERS = "seconds", "parameters"


class Confirmation(Table):
    """How the best configurations are confirmed after the search."""

    top: int = Field(
        default=3,
        ge=1,
        le=LARGEST,
        description="number of configurations to run again on fresh seeds; 8 with several "
        "objectives, because these configurations form the Pareto front",
    )
    seeds: int = Field(
        default=5,
        ge=2,
        le=LARGEST,
        description="number of fresh seeds and splits for each; the interval needs at least 2",
    )
    splits: Literal["fresh", "kept"] = Field(
        default="fresh",
        description='"fresh": repeat r of every configuration uses the same new draw of the '
        'split, because the search has used its own split many times; "kept": the split of the '
        "search. Time-ordered and fixed splits, and data that the trainer brings itself, are "
        "always kept",
    )
    default: bool = Field(
        default=True,
        description="also run the configuration of all defaults, on the same splits and seeds as "
        "the winner, and on the test set",
    )
    test_seeds: int = Field(
        default=5,
        ge=1,
        le=LARGEST,
        description="number of refits of the winner on training and validation data",
    )
    model: Literal["refit", "all-rows"] = Field(
        default="refit",
        description='the model for new rows, in `predict` and in MLflow\'s registry: "refit": the '
        'first of the tested refits, which has not seen the test rows; "all-rows": the winner, '
        "trained once more on all rows after the test. The test score is that of the refits",
    )
    choose: Literal["best", "one-standard-error"] = Field(
        default="best",
        description="the winner is the best of the confirmed configurations, or the cheapest of "
        "those at most one standard error behind the best",
    )
    cheap: str = Field(
        default=SECONDS,
        description='the cost: "seconds" of training, as measured, which differ from run to run; '
        '"parameters" of a network; or a searched number by name',
    )

    def problems(self, facts: Facts) -> Iterator[Problem]:
        if self.choose != "best" and facts.n_objectives > 1:
            rule = "must be left out with several objectives, whose winner leads the front"
            yield Problem("confirmation.choose", rule, repr(self.choose))

    def problems_of_arms(self, facts: Facts, arms: Sequence[Arm]) -> Iterator[Problem]:
        if self.model == "all-rows":
            yield from _model_problems(arms)
        if self.choose == "best":
            return
        for arm in arms:
            trained = TRAINERS.get(str(arm.space.fixed.get("trainer")))
            searched = [p for p in arm.space.parameters if not _is_choice(p)]
            numbers = [p.key for p in searched]
            network = "network" in arm.space.fixed and (
                trained is None or trained.trainer.uses_network
            )
            known = [SECONDS, *[PARAMETERS] * network, *dict.fromkeys(numbers)]
            if self.cheap not in known:
                yield unknown_name("confirmation.cheap", self.cheap, known)
                return


def _model_problems(arms: Sequence[Arm]) -> Iterator[Problem]:
    """Why there can be no model on all rows, one problem at most."""
    for arm in arms:
        name = next((name for name in _trainers(arm) if not _keeps_model(name)), "")
        reason = ""
        if name:
            reason = f"no model of {name!r} is stored"
        elif arm.selection.shots is not None:
            reason = "with data.shots the test rows would outnumber those to learn from"
        if reason:
            rule = f'must be "refit" or left out, because {reason}'
            yield Problem("confirmation.model", rule, '"all-rows"')
            return


def _trainers(arm: Arm) -> list[str]:
    if "trainer" in arm.space.fixed:
        return [str(arm.space.fixed["trainer"])]
    searched = (p.distribution for p in arm.space.parameters if p.name == "trainer")
    found = (d.choices for d in searched if isinstance(d, CategoricalDistribution))
    return [str(name) for choices in found for name in choices]


def _keeps_model(name: str) -> bool:
    kind = trainer_kind(name)
    return kind is not None and kind.trainer.keeps_model()


def _is_choice(parameter: Parameter) -> bool:
    return isinstance(parameter.distribution, CategoricalDistribution)
