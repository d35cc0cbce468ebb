"""Training without the inputs that are zero in all training images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from hpsearch.nn.base import Array
from hpsearch.trainers.base import EVALUATION_CHUNK, Indices, TrainingData
from hpsearch.trainers.inputs import Reduction, learned_rows, once_a_data_set


@once_a_data_set
def live_inputs(data: TrainingData) -> Indices:
    """Inputs that are not zero in every row that any split trains on."""
    rows, live = learned_rows(data), np.zeros(data.n_inputs, np.bool_)
    for start in range(0, len(rows), EVALUATION_CHUNK):  # no copy of a large table
        live |= data.inputs[rows[start : start + EVALUATION_CHUNK]].any(axis=0)
    return np.flatnonzero(live)


@dataclass(frozen=True)
class LiveInputs(Reduction):
    """E picks the live inputs.

    Attributes:
        live: their numbers, (n,).
        dead: those of the others.
    """

    live: Indices
    dead: Indices
    # The images are kept a second time, and the dead inputs' part of every image's first layer:
    # for the 717 live pixels of all 60,000 MNIST images that is not worth it, for the 475 of 50
    # images it is.
    worthwhile_below: ClassVar[float] = 0.9

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, data: TrainingData, dtype: np.dtype[np.floating]) -> LiveInputs:
        live = live_inputs(data)
        reduced = _chosen(data, live)
        dead = np.setdiff1d(np.arange(data.n_inputs), live)
        return cls(reduced, reduced, _chosen(data, dead), learned_rows(data), live, dead)

    @classmethod
    def width(cls, data: TrainingData) -> int:
        return len(live_inputs(data))

    def parts(self, weights: Array) -> tuple[Array, Array]:
        return weights[self.live], weights[self.dead]

    def joined(self, inside: Array, initial: Array, factor: float) -> Array:
        joined: Array = np.asarray(factor, initial.dtype) * initial
        joined[self.live] = inside
        return joined


@dataclass(frozen=True)
class LiveFirst(Reduction):
    """E picks the live inputs; the network has all of them, these first.

    Attributes:
        order: numbers of all inputs, the live ones first, (D,).
    """

    order: Indices
    scales: ClassVar[bool] = False
    worthwhile_below: ClassVar[float] = LiveInputs.worthwhile_below

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, data: TrainingData, dtype: np.dtype[np.floating]) -> LiveFirst:
        live = live_inputs(data)
        order = np.concatenate([live, np.setdiff1d(np.arange(data.n_inputs), live)])
        return cls(_chosen(data, live), _chosen(data, order), data, learned_rows(data), order)

    @classmethod
    def width(cls, data: TrainingData) -> int:
        return len(live_inputs(data))

    def parts(self, weights: Array) -> tuple[Array, Array]:
        return weights[self.order], weights[:0]

    def joined(self, inside: Array, initial: Array, factor: float) -> Array:
        joined = np.empty_like(initial)
        joined[self.order] = inside
        return joined


def _chosen(data: TrainingData, inputs: Indices) -> TrainingData:
    """The same examples with these inputs alone, in this order."""
    return TrainingData(
        np.take(data.inputs, inputs, axis=1),
        data.labels,
        n_classes=data.n_classes,
        splits=data.splits,
        scale=data.scale,
        scored=data.scored,
    )
