"""Optuna's samplers, and a user's own, by name: created anew for each batch of trials."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from inspect import signature
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from hpsearch.samplers.base import Drawn, StudySampler
from hpsearch.samplers.own_classes import class_of_ones_own
from hpsearch.samplers.related import REDRAWS, Relations
from hpsearch.samplers.settled import settled

# Name in study files: the class in optuna.samplers, and what it needs beside Optuna.
OPTUNA = {
    "random": ("RandomSampler", None),
    "tpe": ("TPESampler", None),
    "gp": ("GPSampler", "torch"),
    "cmaes": ("CmaEsSampler", "cmaes"),
    "nsga2": ("NSGAIISampler", None),
    "brute-force": ("BruteForceSampler", None),
}
IGNORE_RESULTS = ("random",)
FORGETFUL = ("random", "tpe", "gp", "brute-force")  # whose notes on trials serve one batch


def sampler_class(name: str) -> Callable[..., BaseSampler]:
    """The class of this name or import path.

    Raises:
        ValueError: there is no such class, or a package that it needs is not installed.
    """
    if name in OPTUNA:
        class_name, needed = OPTUNA[name]
        if needed is not None and find_spec(needed) is None:
            raise ValueError(
                f"{name!r} needs the package {needed}, which is not installed: "
                f"pip install {needed}, or take another sampler"
            )
        return getattr(optuna.samplers, class_name)  # type: ignore[no-any-return]
    known = ["coarse-to-fine", "grid", "qmc", *OPTUNA]
    return class_of_ones_own(name, BaseSampler, known)  # type: ignore[type-abstract]


class NamedSampler(StudySampler):
    """Draws whole batches with a sampler that knows nothing of batches, stages and restarts.

    For each batch, a new sampler with a seed from (study seed, stage, batch) draws all members in
    turn, in a copy of the study where every trial with a score is complete (`settled`). So the
    same batch can be drawn again, in part or as a whole.

    Args:
        name: a key of OPTUNA, or an import path.
        options: arguments of the class's constructor.
        relations: constraints on configurations. A configuration that breaks one fails in the
            copy, and the sampler is asked for another, up to REDRAWS times; then one is drawn
            uniformly.

    Raises:
        ValueError: the class does not exist, or refuses the options.
    """

    def __init__(
        self, name: str, options: Mapping[str, Any], *, relations: Relations | None = None
    ) -> None:
        self._relations = relations
        self._class, self._options = sampler_class(name), dict(options)
        self._ignores_results = name in IGNORE_RESULTS
        self._keeps_notes = name not in FORGETFUL
        if "seed" in options:
            raise ValueError("must leave out seed: every batch has its own, from the study's")
        try:
            self._make(0)
        except Exception as error:
            raise ValueError(
                f"must be arguments that {name} takes, got {dict(options)}: {error}"
            ) from error

    def ignores_results(self, number: int) -> bool:
        return self._ignores_results

    def draw_ahead(
        self,
        study: Study,
        numbers: Sequence[int],
        suggest: Callable[[Trial], Mapping[str, Any]],
        entropy: tuple[int, ...],
    ) -> Sequence[Drawn]:
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        copy = optuna.create_study(
            directions=study.directions,
            sampler=self._make(seed),
            pruner=optuna.pruners.NopPruner(),
        )
        earlier: list[FrozenTrial] = []
        if not self._ignores_results:
            known = study.get_trials(deepcopy=False)
            earlier = settled([t for t in known if t.number < numbers[0]], study.directions)
        copy.add_trials(earlier)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a new object a batch can't remember
            rng = np.random.default_rng(np.random.SeedSequence(entropy).spawn(1)[0])
            drawn = [self._one(copy, suggest, rng) for _ in numbers]
        trials = copy.get_trials(deepcopy=False)
        return [
            Drawn(params, trials[number].system_attrs if self._keeps_notes else {})
            for number, params in drawn
        ]

    def _one(
        self,
        copy: Study,
        suggest: Callable[[Trial], Mapping[str, Any]],
        rng: np.random.Generator,
    ) -> tuple[int, Mapping[str, Any]]:
        """A member of a batch: its number in the copy, and its parameters."""
        for _ in range(REDRAWS):
            trial = copy.ask()
            params = suggest(trial)
            if self._relations is None or self._relations.hold(trial.params):
                return trial.number, params
            copy.tell(trial, state=TrialState.FAIL)
        assert self._relations is not None
        copy.enqueue_trial(self._relations.draw(rng, 1)[0])
        trial = copy.ask()
        return trial.number, suggest(trial)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        raise ValueError(
            f"trial {trial.number} must be drawn with its batch, by draw_ahead: {param_name} "
            "can't be drawn alone"
        )

    def _make(self, seed: int) -> BaseSampler:
        takes_seed = "seed" in signature(self._class).parameters
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return self._class(**self._options, **({"seed": seed} if takes_seed else {}))
