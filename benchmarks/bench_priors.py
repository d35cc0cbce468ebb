"""What priors are worth: right, slightly wrong and misleading ones.

    python benchmarks/bench_priors.py                the final tasks, 10 seeds, 50 trials
    python benchmarks/bench_priors.py --tasks log-valley,hartmann,conditional

Every parameter gets a prior of medium confidence. Right: near the value of the best configuration
that a search of the true scores finds (a third of a deviation away, .05 of the range, in the mean
square), and four times the weight for its choices. Slightly wrong: a deviation beside it, and as
much weight for another choice. Misleading: half the range away, and the weight on another choice.
The table shows the regret (bench_quality.py), and its ratio to the regret without any priors, by
the same seeds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from bench_quality import (
    RESAMPLES,
    SAMPLERS,
    Searched,
    interval,
    measure,
    score,
    wanted_tasks,
)
from bench_tasks import Task
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from ranks import OFFSET

from hpsearch import CoarseToFineSampler
from hpsearch.samplers import Prior
from hpsearch.samplers.coarse_to_fine.priors import WIDTHS
from hpsearch.samplers.unit import anywhere, from_unit, to_unit

CHECKPOINTS = (10, 25, 50)
DRAWS, CLIMBS, STEP = 4000, 4000, 0.05  # for the best configuration
NEAR = 0.05  # of the range, that a right prior is off by
WEIGHT = 4.0  # of an expected choice, beside 1
FINAL = "rotated,many-peaks,useless,noisy,algorithms,layers,pipeline,choices,mixed"
KINDS = ("without", "right", "slightly", "misleading")


@dataclass
class Drawn:
    """A trial that draws at random, or near another configuration."""

    rng: np.random.Generator
    near: Mapping[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    distributions: dict[str, BaseDistribution] = field(default_factory=dict)

    def suggest_float(self, name: str, low: float, high: float, **more: Any) -> Any:
        return self._take(name, FloatDistribution(low, high, **more))

    def suggest_int(self, name: str, low: int, high: int, **more: Any) -> Any:
        return self._take(name, IntDistribution(low, high, **more))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._take(name, CategoricalDistribution(choices))

    def _take(self, name: str, distribution: BaseDistribution) -> Any:
        if name in self.near and isinstance(distribution, CategoricalDistribution):
            value = self.near[name]
        elif name in self.near:
            place = to_unit(distribution, self.near[name])  # type: ignore[arg-type]
            moved = place + STEP * self.rng.standard_normal()
            value = from_unit(distribution, float(np.clip(moved, 0, 1)))  # type: ignore[arg-type]
        else:
            value = anywhere(distribution, float(self.rng.random()))
        self.params[name], self.distributions[name] = value, distribution
        return value


def best_of(task: Task) -> Drawn:
    """The best configuration that many draws and a climb by true scores find."""
    rng = np.random.default_rng(0)
    best, least = Drawn(rng), np.inf
    for n in range(DRAWS + CLIMBS):
        drawn = Drawn(rng, best.params if n >= DRAWS else {})
        truth = task.truth(task.suggest(drawn))  # type: ignore[arg-type]
        if truth < least:
            best, least = drawn, truth
    return best


def priors(best: Drawn, kind: str, seed: int) -> dict[str, Prior]:
    """The priors of all parameters that the best configuration has."""
    rng = np.random.default_rng((seed, 1))
    found = {}
    for name, distribution in best.distributions.items():
        value = best.params[name]
        if isinstance(distribution, CategoricalDistribution):
            choices = list(distribution.choices)
            weights = np.ones(len(choices))
            at = choices.index(value)
            other = (at + 1 + int(rng.integers(max(1, len(choices) - 1)))) % len(choices)
            weights[other if kind == "misleading" else at] = WEIGHT
            if kind == "slightly":
                weights[other] = WEIGHT
            found[name] = Prior(weights=tuple(map(float, weights)))
            continue
        place = to_unit(distribution, value)  # type: ignore[arg-type]
        if kind == "misleading":
            place = (place + 0.5) % 1
        elif kind == "slightly":
            step = WIDTHS["medium"] * (1 if rng.random() < 0.5 else -1)
            place += step if 0 <= place + step <= 1 else -step
        else:
            place = float(np.clip(place + NEAR * rng.standard_normal(), 0, 1))
        found[name] = Prior(float(from_unit(distribution, place)))  # type: ignore[arg-type]
    return found


def sampler_of(best: Drawn, kind: str) -> Callable[[int, int], optuna.samplers.BaseSampler]:
    """A sampler with these priors, by seed and batch."""

    def make(seed: int, batch: int) -> optuna.samplers.BaseSampler:
        expected = {} if kind == "without" else priors(best, kind, seed)
        return CoarseToFineSampler(seed=seed, batch=batch, priors=expected)

    return make


def main() -> None:
    """Print the regrets, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--tasks", default=FINAL, help="those whose name holds one of these")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    results: dict[str, list[Searched]] = {kind: [] for kind in KINDS}
    tasks = wanted_tasks(given.tasks)
    for task in tasks:
        best = best_of(task)
        print(f"{task.name}: best regret found {task.regret(best.params):.4f}", file=sys.stderr)
        for kind in KINDS:
            SAMPLERS[kind] = sampler_of(best, kind)
            seeds = range(given.seeds)
            results[kind].append(measure(task, f"{kind}-{given.batch}", seeds, CHECKPOINTS[-1]))
    everyone, rng = np.arange(given.seeds), np.random.default_rng(0)
    samples = [rng.integers(given.seeds, size=given.seeds) for _ in range(RESAMPLES)]
    print("| priors | " + " | ".join(f"at {n} | ratio" for n in CHECKPOINTS) + " |")
    print("|---" * (2 * len(CHECKPOINTS) + 1) + "|")
    for kind, found in results.items():
        cells = []
        for n in CHECKPOINTS:
            ratios = [
                score(found, n, s) / score(results["without"], n, s) for s in (everyone, *samples)
            ]
            cells.append(f"{score(found, n, everyone):.4f}")
            cells.append(f"{ratios[0]:.2f} ({interval(ratios[1:])})")
        print(f"| {kind} | " + " | ".join(cells) + " |")
    print()
    print("| ratio at 25 | " + " | ".join(KINDS[1:]) + " |")
    print("|---" * len(KINDS) + "|")
    for place, task in enumerate(tasks):
        medians = [np.median(results[kind][place].regrets[:, 24]) for kind in KINDS]
        said = [f"{(m + OFFSET) / (medians[0] + OFFSET):.2f}" for m in medians[1:]]
        print(f"| {task.name} | " + " | ".join(said) + " |")


if __name__ == "__main__":
    main()
