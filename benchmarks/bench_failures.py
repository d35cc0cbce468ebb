"""What is lost to configurations that fail: trials without a score, and regret.

    python benchmarks/bench_failures.py                   the final tasks, 10 seeds, 100 trials
    python benchmarks/bench_failures.py --tasks log-valley,hartmann,conditional

About half of each task's space fails, as trainings do that diverge: all beyond a plane across the
ranges, which runs close by the best configuration (`near`), or far from it (`far`). Optuna's
samplers are told of a failed trial, ours of a diverged one, which counts as the worst. The regret
is that of bench_quality.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from bench_priors import FINAL, Drawn, best_of
from bench_quality import RESAMPLES, SAMPLERS, interval, wanted_tasks
from bench_tasks import Task
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState
from ranks import OFFSET

from hpsearch.samplers.history import OUTCOME
from hpsearch.samplers.unit import to_unit

CHECKPOINTS = (25, 50, 100)
METHODS = ("random", "tpe", "gp")
NEAR = 0.02  # of a range, that the plane is away from the best configuration
SHARE = 0.5  # of configurations that fail where the plane is far
SAMPLE = 2000  # configurations that place it there
Fails = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Plane:
    """Fails where w · (u - 1/2) > bound, of the numeric parameters' places u in their ranges."""

    distributions: Mapping[str, BaseDistribution]
    weights: Mapping[str, float]
    bound: float

    def height(self, params: Mapping[str, Any]) -> float:
        places = (
            self.weights[name] * (to_unit(self.distributions[name], value) - 0.5)  # type: ignore[arg-type]
            for name, value in params.items()
            if name in self.weights
        )
        return float(sum(places))

    def __call__(self, params: Mapping[str, Any]) -> bool:
        return self.height(params) > self.bound


def plane_of(task: Task, best: Drawn, kind: str, seed: int) -> Plane:
    """A plane of random direction; two parameters decide for the most part, as usual."""
    rng = np.random.default_rng((seed, 7))
    drawn = [Drawn(np.random.default_rng((seed, i))) for i in range(SAMPLE)]
    sampled = [task.suggest(one) for one in drawn]  # type: ignore[arg-type]
    known = {name: d for one in (*drawn, best) for name, d in one.distributions.items()}
    numeric = [n for n, d in known.items() if not isinstance(d, CategoricalDistribution)]
    decides = rng.permutation(len(numeric)) < 2
    weights = rng.standard_normal(len(numeric)) * np.where(decides, 1, 0.1)
    plane = Plane(known, dict(zip(numeric, weights / np.linalg.norm(weights), strict=True)), 0.0)
    at_best = plane.height(best.params)
    if kind == "near":
        return Plane(known, plane.weights, at_best + NEAR)
    heights = [plane.height(params) for params in sampled]
    bound = max(float(np.quantile(heights, 1 - SHARE)), at_best + NEAR)
    return Plane(known, plane.weights, bound)


def search(task: Task, fails: Fails, method: str, seed: int) -> tuple[list[float], list[bool]]:
    """One study, one by one: the regret of the best so far, and which trials failed."""
    study = optuna.create_study(sampler=SAMPLERS[method](seed, 1))
    rng = np.random.default_rng(seed)
    best, regrets, failed = 1.0, list[float](), list[bool]()
    for _ in range(CHECKPOINTS[-1]):
        trial = study.ask()
        params = task.suggest(trial)
        score = task.score(params, rng)
        failed.append(fails(trial.params))
        if not failed[-1]:
            study.tell(trial, score)
            best = min(best, max(0.0, task.regret(params)))
        elif method == "gp":
            trial.set_user_attr(OUTCOME, "diverged")
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, state=TrialState.FAIL)
        regrets.append(best)
    return regrets, failed


def mean_regret(regrets: NDArray[np.float64]) -> float:
    """Geometric mean over tasks of the median regret over seeds, of (tasks, seeds)."""
    return float(np.exp(np.log(np.median(regrets, axis=1) + OFFSET).mean()))


def main() -> None:
    """Print regrets, their ratios to those of the second method, and the trials that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tasks", default=FINAL, help="those whose name holds one of these")
    parser.add_argument("--methods", default=",".join(METHODS))
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    methods = given.methods.split(",")
    tasks = [(task, best_of(task)) for task in wanted_tasks(given.tasks)]
    rng = np.random.default_rng(0)
    samples = [np.arange(given.seeds), *rng.integers(given.seeds, size=(RESAMPLES, given.seeds))]
    columns = " | ".join(f"at {n} | ratio to {methods[1]}" for n in CHECKPOINTS)
    print(f"| plane | method | {columns} | failed of {CHECKPOINTS[-1]} |")
    print("|---" * (2 * len(CHECKPOINTS) + 3) + "|")
    for kind in ("near", "far"):
        found = {}
        for method in methods:
            runs = [
                search(task, plane_of(task, best, kind, seed), method, seed)
                for task, best in tasks
                for seed in range(given.seeds)
            ]
            shape = len(tasks), given.seeds, CHECKPOINTS[-1]
            found[method] = (
                np.array([regrets for regrets, _ in runs]).reshape(shape),
                np.mean([failed for _, failed in runs]) * CHECKPOINTS[-1],
            )
        for method, (regrets, failed) in found.items():
            cells = []
            for n in CHECKPOINTS:
                ours, theirs = (
                    np.array([mean_regret(each[:, seeds, n - 1]) for seeds in samples])
                    for each in (regrets, found[methods[1]][0])
                )
                ratios = ours / theirs
                cells.append(f"{ours[0]:.4f} | {ratios[0]:.2f} ({interval(ratios[1:])})")
            print(f"| {kind} | {method} | {' | '.join(cells)} | {failed:.0f} |")


if __name__ == "__main__":
    main()
