"""Scrambled Sobol points as an Optuna sampler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats import qmc

from hpsearch.samplers.base import StudySampler
from hpsearch.samplers.unit import Floats, anywhere

BLOCK = 256  # points made at once


class SobolSampler(StudySampler):
    """Trial n gets point n of a Sobol sequence; a parameter is a dimension, active or not.

    Optuna's own numbers its points in the order in which they are asked for, which a restart
    in the middle of a batch would change.

    Args:
        names: of all parameters.
        seed: of the scrambling.
        scramble: False: the bare sequence, the same for every seed.
    """

    def __init__(self, names: Sequence[str], *, seed: int, scramble: bool = True) -> None:
        self._names, self._seed, self._scramble = list(names), seed, scramble
        self._points: dict[int, Floats] = {}

    def redrawn(self, attempt: int) -> SobolSampler:
        seed = int(np.random.SeedSequence((self._seed, attempt)).generate_state(1)[0])
        return SobolSampler(self._names, seed=seed)

    def ignores_results(self, number: int) -> bool:
        return True

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        block, place = divmod(trial.number, BLOCK)
        if block not in self._points:
            sequence = qmc.Sobol(len(self._names), scramble=self._scramble, rng=self._seed)
            if block:
                sequence.fast_forward(block * BLOCK)
            self._points[block] = sequence.random(BLOCK)
        unit = self._points[block][place, self._names.index(param_name)]
        return anywhere(param_distribution, float(unit))
