"""The versions of the "gp" proposal. A study goes on with the one that it was begun with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpsearch.samplers.unit import Numeric

RuleVersion = Literal[1, 2, 3, 4]
Per = Literal["trial", "second"]  # what the "gp" proposal counts as cost
NEWEST: RuleVersion = 4
LEAST_INSIDE = 30  # configurations in the middle of the ranges, for the first ten trials to differ


@dataclass(frozen=True)
class Rule:
    """What tells a version from the others.

    Attributes:
        mixed_targets: the model sees scores half by rank and half by value; else by rank alone,
            which gives most of its range to differences of nothing once trials cluster.
        branches: so many candidates more, as a share of the others, around the best trial of each
            value of a category on which others depend; else they come from the elites' alone,
            which soon share one value.
        leaves_stalls: where the last results brought next to nothing, some trials differ from
            the best in a category, or lie far from it.
        main_effects: the model learns what each parameter does by itself from all trials, not
            only from those nearby.
        candidates: how many a trial that is drawn alone is chosen from. Those that are drawn
            together need a joint posterior of all of theirs, which many would make slow.
        anywhere_from: the trial from which on every tenth is drawn from the full ranges.
        start_span: the part of each range, in its middle, from which the first trials are drawn.
            In many dimensions, most of the full ranges is edges, which say little about the rest.
        prior_every: of the first trials, one of so many is drawn by the priors.
    """

    mixed_targets: bool
    branches: float
    leaves_stalls: bool
    main_effects: bool = False
    candidates: int = 240
    anywhere_from: int = 0
    start_span: float = 1.0
    prior_every: int = 2

    def narrows(self, distributions: Sequence[BaseDistribution]) -> bool:
        """Whether the first trials come from the middle of the ranges: not where that has so few
        configurations that some would be drawn twice."""
        n_inside = math.prod(_n_in_the_middle(d, self.start_span) for d in distributions)
        return n_inside >= LEAST_INSIDE

    def start(self, distribution: BaseDistribution, place: float) -> float:
        """Where one of the first trials is drawn, in the full range.

        Args:
            place: where it would be, were they drawn from all of it.
        """
        if self.start_span == 1 or isinstance(distribution, CategoricalDistribution):
            return place  # to the last bit, as older rules drew
        return 0.5 + self.start_span * (place - 0.5)


def _n_in_the_middle(distribution: BaseDistribution, span: float) -> float:
    """How many values lie in the middle of a range; of choices, all."""
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    assert isinstance(distribution, Numeric)
    if distribution.step is None:
        return math.inf
    n = round((distribution.high - distribution.low) / distribution.step) + 1
    return max(1, math.floor(span * n))


RULES: dict[int, Rule] = {
    1: Rule(False, 0.0, False),
    2: Rule(True, 1 / 3, True),
    3: Rule(True, 1 / 3, True, main_effects=True, candidates=960, anywhere_from=60),
    4: Rule(
        mixed_targets=True,
        branches=1 / 3,
        leaves_stalls=True,
        main_effects=True,
        candidates=960,
        anywhere_from=60,
        start_span=0.6,
        prior_every=3,
    ),
}


def rule_of(version: int) -> Rule:
    """The rule of this version.

    Raises:
        ValueError: there is none.
    """
    if isinstance(version, bool) or version not in RULES:
        known = ", ".join(map(str, get_args(RuleVersion)))
        raise ValueError(f"rule must be one of {known}, got {version!r}")
    return RULES[version]
