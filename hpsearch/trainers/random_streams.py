"""Where a member's random numbers come from: its initial weights and the order of its images."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from hpsearch.nn.initializers import Stream
from hpsearch.nn.losses import Labels
from hpsearch.trainers.base import Indices, Member

LARGEST_SEED = 2**32 - 1  # that NumPy's legacy generator takes


class RandomStreams(ABC):
    """The contract: one member's streams, of nobody else.

    Args (of every constructor):
        member: whose; its entropy says where the streams start.
        rows: the rows it trains on, (n_train,), sorted.
        labels: the class of every row of the table, (N,).

    Attributes:
        weights: initial weights are drawn from it, and nothing that follows them.
        masks: what is drawn while training (dropout masks) comes from this one alone: with and
            without dropout, the images come in one order.
    """

    weights: Stream
    masks: np.random.Generator

    @abstractmethod
    def __init__(self, member: Member, rows: Indices, labels: Labels) -> None: ...

    @abstractmethod
    def order(self) -> Indices:
        """All training rows in the order of the next epoch, (n_train,)."""

    @abstractmethod
    def state(self) -> Any:
        """Where the order of images is, as JSON can say it."""

    @abstractmethod
    def restore(self, state: Any) -> None:
        """Go on from a `state`."""


class Spawned(RandomStreams):
    """NumPy's PCG64, seeded with the member's entropy; every epoch's order is a new one."""

    def __init__(self, member: Member, rows: Indices, labels: Labels) -> None:
        self._generator, self._rows = member.generator(), rows
        self.weights = self._generator
        (self.masks,) = self._generator.spawn(1)

    def order(self) -> Indices:
        return self._generator.permutation(self._rows)

    def state(self) -> Any:
        return self._generator.bit_generator.state

    def restore(self, state: Any) -> None:
        self._generator.bit_generator.state = state


class Legacy(RandomStreams):
    """The streams of textbook scripts, `np.random.seed(s)` and `random.seed(s)`, s = 1 + repeat.

    Weights come from NumPy's legacy generator; the rows, class by class and in a class in file
    order, are one list that Python's Mersenne twister shuffles in place every epoch, never sorted
    again. All trials and folds with one number of the repeat start alike.

    Source: papers 000 and 001, whose tables come out to the digit so.
    """

    def __init__(self, member: Member, rows: Indices, labels: Labels) -> None:
        seed = 1 + member.repeat
        if seed > LARGEST_SEED:  # of the final refits: apart from those of repeats
            seed = LARGEST_SEED // 2 + seed % (LARGEST_SEED // 2)
        self.weights = np.random.RandomState(seed)
        self._shuffler = random.Random(seed)
        (self.masks,) = member.generator().spawn(1)
        self._rows: list[int] = rows[np.argsort(labels[rows], kind="stable")].tolist()

    def order(self) -> Indices:
        self._shuffler.shuffle(self._rows)
        return np.array(self._rows)

    def state(self) -> Any:
        return {"rows": list(self._rows), "shuffler": self._shuffler.getstate()}

    def restore(self, state: Any) -> None:
        self._rows = list(state["rows"])
        version, internal, gauss = state["shuffler"]
        self._shuffler.setstate((version, tuple(internal), gauss))


# By the name a study file's `random_streams` uses.
RANDOM_STREAMS: dict[str, type[RandomStreams]] = {"spawned": Spawned, "legacy": Legacy}
