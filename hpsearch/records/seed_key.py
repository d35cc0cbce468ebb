"""What the random numbers of a training are drawn from."""

from __future__ import annotations

from typing import NamedTuple

TEST_REPEAT = 1 << 32  # keeps the refits' repeats apart from those of folds and confirmation
# In place of a trial's number: repeat r of every configuration has the same seed, so that
# differences between configurations are of pairs.
PAIRED = 1 << 32


class SeedKey(NamedTuple):
    """The seed of one member: `numpy.random.SeedSequence(key)` is its stream.

    Attributes:
        study: the study's seed.
        trial: the trial's number; of confirmation runs and refits PAIRED, since protocol 2.
        repeat: which of the trainings that differ in their seed alone, from 0; runs on fresh
            seeds go on counting, refits for the test start at TEST_REPEAT.
        fold: index of the split.
    """

    study: int
    trial: int
    repeat: int
    fold: int
