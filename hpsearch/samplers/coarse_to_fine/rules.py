"""The versions of the "gp" proposal. A study goes on with the one that it was begun with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

RuleVersion = Literal[1, 2]
Per = Literal["trial", "second"]  # what the "gp" proposal counts as cost
NEWEST: RuleVersion = 2


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
    """

    mixed_targets: bool
    branches: float
    leaves_stalls: bool


RULES: dict[int, Rule] = {1: Rule(False, 0.0, False), 2: Rule(True, 1 / 3, True)}


def rule_of(version: int) -> Rule:
    """The rule of this version.

    Raises:
        ValueError: there is none.
    """
    if isinstance(version, bool) or version not in RULES:
        known = " or ".join(map(str, get_args(RuleVersion)))
        raise ValueError(f"rule must be {known}, got {version!r}")
    return RULES[version]
