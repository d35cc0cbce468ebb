"""Which optimizer moves which rows of a population's weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from hpsearch.hyperparameters import ParamValue, build
from hpsearch.nn.base import Array
from hpsearch.optimizers import Optimizer, stack
from hpsearch.trainers.base import Member


@dataclass(frozen=True)
class Update:
    """The rows of one optimizer, with their state and hyperparameters."""

    optimizer: type[Optimizer]
    rows: slice
    slots: dict[str, Array]
    columns: dict[str, Array]


def updates(
    rows: Sequence[Member],
    optimizer_of: Callable[[Mapping[str, ParamValue]], type[Optimizer]],
    weights: Array,
) -> Iterator[Update]:
    """One for each run of rows with the same optimizer, its state at zero.

    Args:
        rows: the P members.
        weights: theirs in that order, (P, n).
    """
    start = 0
    for optimizer, group in groupby(rows, key=lambda member: optimizer_of(member.params)):
        built = [build(optimizer, member.params) for member in group]
        part = slice(start, start + len(built))
        slots = {slot: np.zeros_like(weights[part]) for slot in optimizer.slots}
        yield Update(optimizer, part, slots, stack(built, weights.dtype))
        start = part.stop
