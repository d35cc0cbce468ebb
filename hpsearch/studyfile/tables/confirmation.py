"""The [confirmation] table of a study file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from optuna.distributions import CategoricalDistribution
from pydantic import Field

from hpsearch.errors import Problem, unknown_name
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.space import Parameter
from hpsearch.studyfile.tables.base import LARGEST, Facts, Table
from hpsearch.trainers import TRAINERS

SECONDS, PARAMETERS = "seconds", "parameters"


class Confirmation(Table):
    """What happens when the search is over."""

    top: int = Field(
        default=3,
        ge=1,
        le=LARGEST,
        description="configurations run again on fresh seeds; with several objectives: 8, as the "
        "Pareto front is theirs",
    )
    seeds: int = Field(
        default=5,
        ge=2,
        le=LARGEST,
        description="fresh seeds and splits each; the interval needs at least 2",
    )
    splits: Literal["fresh", "kept"] = Field(
        default="fresh",
        description='"fresh": repeat r of every configuration is trained and scored on the same '
        "new draw of the split, as the search has looked at its own split again and again; "
        '"kept": on the split of the search. Time-ordered and fixed splits, and data that is the '
        "trainer's own, are kept",
    )
    default: bool = Field(
        default=True,
        description="run the configuration of all defaults beside the winner: on the same splits "
        "and seeds, and on the test set",
    )
    test_seeds: int = Field(
        default=5,
        ge=1,
        le=LARGEST,
        description="refits of the winner on training and validation data",
    )
    choose: Literal["best", "one-standard-error"] = Field(
        default="best",
        description="the winner: the best of those confirmed, or the cheapest of those that are "
        "at most one standard error behind it",
    )
    cheap: str = Field(
        default=SECONDS,
        description='what is cheaper: "seconds" of training, as measured, which differ from run '
        'to run; "parameters" of a network; or a searched number by name',
    )

    def problems(self, facts: Facts) -> Iterator[Problem]:
        if self.choose != "best" and facts.n_objectives > 1:
            rule = "must be left out with several objectives, whose winner leads the front"
            yield Problem("confirmation.choose", rule, repr(self.choose))

    def problems_of_arms(self, facts: Facts, arms: Sequence[Arm]) -> Iterator[Problem]:
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


def _is_choice(parameter: Parameter) -> bool:
    return isinstance(parameter.distribution, CategoricalDistribution)
