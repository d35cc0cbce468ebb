"""Paired differences of two configurations that were run on the same fresh splits and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hpsearch.analysis.estimates import estimate, over_splits, ratio_in
from hpsearch.records.estimate import CORRECTED, Estimate
from hpsearch.records.seed_key import SeedKey

Draws = Sequence[Sequence[tuple[int, SeedKey]]]


@dataclass(frozen=True)
class Repeats:
    """The runs of a winner on fresh seeds.

    Attributes:
        scores: the objective, one a repeat.
        of_splits: the same, one a split of each repeat.
        draws: split and seed of each member of each repeat.
        digests: of the data and of these splits; {} of data that is the trainer's own affair.
    """

    scores: Sequence[float]
    of_splits: Sequence[float]
    draws: Draws
    digests: Mapping[str, str]


def ratio_of(first: Repeats, other: Repeats, known: tuple[Estimate, Estimate]) -> float | None:
    """Validation rows by training rows in the fresh splits of both; None of other repeats.

    Args:
        first, other: of the objective that `known` is of.
        known: the confirmed scores of both, from whose intervals it is read. 0.0 where all splits
            of both score the same.
    """
    if all(one.method != CORRECTED for one in known):
        return None
    ratio = ratio_in(known[0], first.of_splits)
    if ratio is None:
        ratio = ratio_in(known[1], other.of_splits)
    return ratio or 0.0


def paired(first: Repeats, other: Repeats, ratio: float | None, sign: float = 1.0) -> Estimate:
    """The first's score minus the other's, repeat by repeat.

    Args:
        ratio: see `ratio_of`.
        sign: -1 turns the difference round.
    """
    scores = _less(first.scores, other.scores, sign)
    if ratio is None:
        return estimate(scores)
    of_splits = _less(first.of_splits, other.of_splits, sign)
    return over_splits(scores, of_splits, ratio, "fresh splits")


def _less(first: Sequence[float], second: Sequence[float], sign: float) -> list[float]:
    return [float(sign * (a - b)) for a, b in zip(first, second, strict=True)]
