"""Epochs to a good result: stages of rising length beside Hyperband + TPE.

    python scripts/bench_fidelity.py --seeds 10

Tasks are real trainings (bench_curves.py) of 27 epochs; the budget is counted in epochs, those of
a continued training once, and told in full trainings. hpsearch's stages are of 1, 3, 9 and 27
epochs, Hyperband's rungs, with 15, 20, 25 and 40 % of the budget, three quarters of each later
stage promoted, one by one and in batches of 4; of a dozen such plans that were tried at 10
trainings it was the best, by little. The plan depends on the budget, so every budget is a study of
its own.
Hyperband + TPE runs one by one. The figures are the best validation loss after a full training:
median and range over seeds.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before NumPy is loaded

import optuna
from bench_curves import DIGITS, MNIST, SPACE, WORST, ask, learning_curve
from optuna.trial import TrialState

from hpsearch import CoarseToFineSampler

EPOCHS = 27
LENGTHS, SHARES, PROMOTED = (1, 3, 9, 27), (0.15, 0.2, 0.25, 0.4), 0.75
BUDGETS = (5, 10, 15, 25)  # full trainings


def plan(budget: int) -> list[int]:
    """The trials of each stage; a promoted one costs what is left of it."""
    steps = [b - a for a, b in itertools.pairwise((0, *LENGTHS))]
    prices = [PROMOTED * s + (1 - PROMOTED) * n for s, n in zip(steps, LENGTHS, strict=True)]
    return [
        max(1, round(share * budget * EPOCHS / price))
        for share, price in zip(SHARES, prices, strict=True)
    ]


def staged(task: str, budget: int, seed: int, size: int) -> float:
    """The best loss after hpsearch's stages, drawn in batches of a size."""
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=seed, batch=size))
    params: dict[int, dict[str, Any]] = {}
    held: list[optuna.Trial] = []
    losses: dict[int, float] = {}
    before = 0
    for length, n in zip(LENGTHS, plan(budget), strict=True):
        held.sort(key=lambda trial: losses[trial.number])
        promoted = round(n * PROMOTED)
        for trial in held[promoted:]:
            study.tell(trial, state=TrialState.PRUNED)
        held = held[:promoted]
        losses = {t.number: _train(task, t, params[t.number], length, before) for t in held}
        while len(held) < n:
            batch = [study.ask() for _ in range(min(size, n - len(held)))]
            for trial in batch:
                params[trial.number] = {k: ask(trial, k, d) for k, d in SPACE.items()}
            for trial in batch:
                losses[trial.number] = _train(task, trial, params[trial.number], length, 0)
            held += batch
        before = length
    return min(losses.values())


def _train(
    task: str, trial: optuna.Trial, params: dict[str, Any], length: int, before: int
) -> float:
    """Train a trial on from `before` epochs; its loss is told at the ends of stages."""
    curve = learning_curve(task, params, length, EPOCHS)
    for reached in LENGTHS:
        if before < reached <= length:
            trial.report(curve[reached - 1], reached)
    return curve[-1]


def hyperband(task: str, budget: int, seed: int) -> float:
    """The best loss after Optuna's TPE with its Hyperband pruner."""
    study = optuna.create_study(
        study_name=f"{task} {seed}",  # from which the pruner derives a trial's bracket
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.HyperbandPruner(1, EPOCHS, 3),
    )
    left, best = budget * EPOCHS, WORST
    while left > 0:
        trial = study.ask()
        params = {k: ask(trial, k, d) for k, d in SPACE.items()}
        loss, state = WORST, TrialState.COMPLETE
        for epoch in range(1, min(EPOCHS, left) + 1):
            loss = learning_curve(task, params, _rung(epoch), EPOCHS)[epoch - 1]
            trial.report(loss, epoch)
            left -= 1
            if epoch < EPOCHS and trial.should_prune():
                state = TrialState.PRUNED
                break
        else:
            best = min(best, loss) if epoch == EPOCHS else best
        study.tell(trial, loss if state == TrialState.COMPLETE else None, state=state)
    return best


def _rung(epoch: int) -> int:
    """To where a training is computed, so that pruned ones cost little."""
    return next(length for length in LENGTHS if epoch <= length)


METHODS: dict[str, Callable[[str, int, int], float]] = {
    "Hyperband + TPE": hyperband,
    "hpsearch, one by one": partial(staged, size=1),
    "hpsearch, batches of 4": partial(staged, size=4),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    print("| task | method | " + " | ".join(f"{b} trainings" for b in BUDGETS) + " |")
    print("|---" * (len(BUDGETS) + 2) + "|")
    folder = os.environ.get("HPSEARCH_DATA")
    tasks = [DIGITS, MNIST] if folder else [DIGITS]
    if not folder:
        print("HPSEARCH_DATA is not set: few-shot MNIST is LEFT OUT", file=sys.stderr)
    for task in tasks:
        for method, run in METHODS.items():
            cells = []
            for budget in BUDGETS:
                found = [run(task, budget, seed) for seed in range(options.seeds)]
                median = statistics.median(found)
                cells.append(f"{median:.4f} ({min(found):.4f} … {max(found):.4f})")
            print(f"| {task} | {method} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
