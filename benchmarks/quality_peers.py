"""Searches of other libraries for bench_quality.py, asked and told as Optuna's studies are.

Each is what its library advises for tens of trials of any parameters, with its defaults, except
that SMAC3 trains no configuration twice (`deterministic`). SMAC3 is told which parameters a choice
has; the others get all parameters of the space, of which the task uses those that the
configuration has. A library that is not installed is skipped with a message:

    pip install smac==2.4.1 ax-platform==1.3.1 "syne-tune[extra]==0.16.0" flaml==2.8.0
    pip install hebo==0.3.6 optuna scikit-learn pydantic    # in an environment of its own: it
    pip install --no-deps numpy==1.26.4                     # has NumPy 1.24, the tasks need 1.25

Sources: Lindauer et al. (2022), JMLR 23(54); Olson et al. (2025), AutoML; Salinas et al. (2023),
ICML; Wang et al. (2021), ICLR; Cowen-Rivers et al. (2022), JAIR 74.
"""

from __future__ import annotations

import importlib.util
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench_tasks import Params, Task
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

COST = "cost"
MOST_DRAWS = 10_000  # of one that is new


class Peer(ABC):
    """A search of one library.

    Args:
        trials: how many will be asked for.
    """

    @abstractmethod
    def __init__(self, task: Task, seed: int, trials: int) -> None: ...

    @abstractmethod
    def ask(self) -> tuple[Any, Params]:
        """What the library calls the trial, and the values of all parameters that it drew."""

    @abstractmethod
    def tell(self, trial: Any, score: float) -> None:
        """A score that is to be small."""


class Smac(Peer):
    """SMAC3's facade for hyperparameters: a random forest and expected improvement."""

    def __init__(self, task: Task, seed: int, trials: int) -> None:
        from ConfigSpace import ConfigurationSpace, Float, InCondition, Integer
        from smac import HyperparameterOptimizationFacade, Scenario

        space = ConfigurationSpace(seed=seed)
        made: dict[str, Any] = {}
        for name, d in task.space.items():
            if isinstance(d, CategoricalDistribution):
                made[name] = _smac_choice(name, d)
            else:
                kind = Float if isinstance(d, FloatDistribution) else Integer
                made[name] = kind(name, (d.low, d.high), log=d.log)  # type: ignore[attr-defined]
        space.add(list(made.values()))
        for name, (owner, values) in owners(task).items():
            space.add(InCondition(made[name], made[owner], values))
        self._kept = TemporaryDirectory()
        scenario = Scenario(
            space,
            output_directory=Path(self._kept.name),
            deterministic=True,
            n_trials=trials,
            seed=seed,
        )
        self._facade = HyperparameterOptimizationFacade(
            scenario, lambda config, seed: 0.0, overwrite=True, logging_level=False
        )

    def ask(self) -> tuple[Any, Params]:
        info = self._facade.ask()
        return info, dict(info.config)

    def tell(self, trial: Any, score: float) -> None:
        from smac.runhistory.dataclasses import TrialValue

        self._facade.tell(trial, TrialValue(cost=score))


class Ax(Peer):
    """Ax's client: Sobol points, then BoTorch."""

    def __init__(self, task: Task, seed: int, trials: int) -> None:
        import torch
        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

        logging.getLogger("ax").setLevel(logging.ERROR)
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        parameters: list[Any] = []
        for name, d in task.space.items():
            if isinstance(d, CategoricalDistribution):
                values = [str(n) for n in range(len(d.choices))]
                parameters.append(ChoiceParameterConfig(name, values, "str", is_ordered=False))
            else:
                kind = "float" if isinstance(d, FloatDistribution) else "int"
                scale = "log" if d.log else "linear"  # type: ignore[attr-defined]
                bounds = (d.low, d.high)  # type: ignore[attr-defined]
                parameters.append(RangeParameterConfig(name, bounds, kind, scaling=scale))
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(parameters)
        self._client.configure_optimization(f"-{COST}")
        self._client.configure_generation_strategy(initialization_random_seed=seed)

    def ask(self) -> tuple[Any, Params]:
        ((number, params),) = self._client.get_next_trials(1).items()
        return number, dict(params)

    def tell(self, trial: Any, score: float) -> None:
        self._client.complete_trial(trial, {COST: score})


class Cqr(Peer):
    """Syne Tune's conformal quantile regression."""

    def __init__(self, task: Task, seed: int, trials: int) -> None:
        from syne_tune import config_space as kinds
        from syne_tune.optimizer.baselines import CQR
        from syne_tune.optimizer.schedulers.ask_tell_scheduler import AskTellScheduler

        logging.getLogger("syne_tune").setLevel(logging.ERROR)
        space = _sampled(task, kinds)
        self._scheduler = AskTellScheduler(CQR(space, metric=COST, random_seed=seed))

    def ask(self) -> tuple[Any, Params]:
        trial = self._scheduler.ask()
        return trial, dict(trial.config)

    def tell(self, trial: Any, score: float) -> None:
        self._scheduler.tell(trial, {COST: score})


class Blend(Peer):
    """FLAML's BlendSearch: local searches started by TPE."""

    def __init__(self, task: Task, seed: int, trials: int) -> None:
        from flaml import BlendSearch, tune

        logging.getLogger("flaml").setLevel(logging.ERROR)
        space = _sampled(task, tune)
        self._search = BlendSearch(
            metric=COST, mode="min", space=space, num_samples=trials, seed=seed
        )
        self._drawn: dict[str, Params] = {}
        self._asked = 0

    def ask(self) -> tuple[Any, Params]:
        params = None
        for _ in range(MOST_DRAWS):  # it gives nothing for what it has drawn before
            self._asked += 1
            params = self._search.suggest(str(self._asked))
            if params is not None:
                break
        assert params is not None, "BlendSearch has nothing new to draw"
        self._drawn[str(self._asked)] = params
        return str(self._asked), dict(params)

    def tell(self, trial: Any, score: float) -> None:
        self._search.on_trial_complete(trial, {COST: score, "config": self._drawn.pop(trial)})


class Hebo(Peer):
    """HEBO: a Gaussian process on warped inputs and outputs, several acquisitions at once."""

    def __init__(self, task: Task, seed: int, trials: int) -> None:
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        torch.set_num_threads(1)
        columns: list[dict[str, Any]] = []
        for name, d in task.space.items():
            if isinstance(d, CategoricalDistribution):
                values = [str(n) for n in range(len(d.choices))]
                columns.append({"name": name, "type": "cat", "categories": values})
                continue
            whole = isinstance(d, IntDistribution)
            kind = ("pow_int" if whole else "pow") if d.log else ("int" if whole else "num")  # type: ignore[attr-defined]
            columns.append({"name": name, "type": kind, "lb": d.low, "ub": d.high})  # type: ignore[attr-defined]
        self._search = HEBO(DesignSpace().parse(columns), scramble_seed=seed)

    def ask(self) -> tuple[Any, Params]:
        asked = self._search.suggest(n_suggestions=1)
        return asked, dict(asked.iloc[0])

    def tell(self, trial: Any, score: float) -> None:
        import numpy as np

        self._search.observe(trial, np.array([[score]]))


PEERS: Mapping[str, type[Peer]] = {
    "smac": Smac,
    "ax": Ax,
    "cqr": Cqr,
    "blend": Blend,
    "hebo": Hebo,
}
PACKAGES = {"smac": "smac", "ax": "ax", "cqr": "syne_tune", "blend": "flaml", "hebo": "hebo"}


def installed() -> list[str]:
    """The names of those that can run here."""
    return [name for name, package in PACKAGES.items() if importlib.util.find_spec(package)]


def in_use(task: Task, drawn: Params) -> Params:
    """What the task takes of what was drawn, with its own choices for their numbers."""
    params: Params = {}
    for name, d in task.space.items():
        if not task.active(params, name):
            continue
        value = drawn[name]
        if isinstance(d, CategoricalDistribution):
            params[name] = d.choices[int(value)]
        else:
            params[name] = int(value) if isinstance(d, IntDistribution) else float(value)
    return params


def owners(task: Task) -> dict[str, tuple[str, list[str]]]:
    """By parameter that not every configuration has, the choice that decides and its values."""
    choices = {n: d for n, d in task.space.items() if isinstance(d, CategoricalDistribution)}
    first = {name: d.choices[0] for name, d in choices.items()}
    found = {}
    for name in task.space:
        for owner, d in choices.items():
            if name == owner:
                continue
            has = [task.active({**first, owner: value}, name) for value in d.choices]
            if not all(has) and any(has):
                found[name] = (owner, [str(n) for n, one in enumerate(has) if one])
    return found


def _smac_choice(name: str, d: CategoricalDistribution) -> Any:
    from ConfigSpace import Categorical

    return Categorical(name, [str(n) for n in range(len(d.choices))])


def _sampled(task: Task, kinds: Any) -> dict[str, Any]:
    """A space in the words that Ray Tune, Syne Tune and FLAML share."""
    space: dict[str, Any] = {}
    for name, d in task.space.items():
        if isinstance(d, CategoricalDistribution):
            space[name] = kinds.choice([str(n) for n in range(len(d.choices))])
        elif isinstance(d, FloatDistribution):
            space[name] = (kinds.loguniform if d.log else kinds.uniform)(d.low, d.high)
        else:
            assert isinstance(d, IntDistribution)
            above = int(kinds.__name__.startswith("flaml"))  # its upper bound is left out
            space[name] = (kinds.lograndint if d.log else kinds.randint)(d.low, d.high + above)
    return space
