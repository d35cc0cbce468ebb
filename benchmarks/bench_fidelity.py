"""Epochs to a good result: stages of rising length beside other ways to spend a budget of epochs.

    python benchmarks/bench_fidelity.py --seeds 60
    python benchmarks/bench_fidelity.py --seeds 60 --methods "hpsearch, one by one" "1 epoch, best"

Tasks are real trainings (bench_curves.py) of 27 epochs. The budget is counted in epochs (those of
a continued training count once) and reported in full trainings. hpsearch's stages have 1, 3, 9 and
27 epochs, as Hyperband's rungs do, and get 15, 20, 25 and 40 % of the budget; three quarters or
more of each later stage are promoted. Trials run one by one or in batches of 4. Of a dozen such
plans that were tried at 10 trainings, this one was the best by a small margin. The plan depends on
the budget, so every budget is a separate study. The peers run one by one: TPE with Optuna's
Hyperband and successive halving, and TPE that trains every configuration for one epoch, with two
fifths of the budget, and then the best of them to the end with the rest (Egele et al. 2024, One
epoch is often all you need, arXiv 2404.04111; the share is that of our stages). Every method
chooses the configuration with the least validation loss after a full training. The first table
shows the worth of that configuration: its mean validation loss over trainings from fresh seeds.
The second table shows the loss by which it was chosen: the more full trainings there were to
choose from, the more of this loss is a lucky seed. Figures are medians and quartiles over the
searches' seeds; differences are those of medians, with 95 % bootstrap intervals.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before NumPy is loaded

import numpy as np
import optuna
from bench_curves import DIGITS, MNIST, SPACE, WORST, ask, fresh_loss, learning_curve
from numpy.typing import NDArray
from optuna.trial import TrialState

from hpsearch import CoarseToFineSampler

EPOCHS = 27
LENGTHS, SHARES, PROMOTED = (1, 3, 9, 27), (0.15, 0.2, 0.25, 0.4), 0.75
BUDGETS = (5, 10, 25)  # full trainings
GOAL, PEER, PEERS_BUDGET = 10, "Hyperband + TPE", 25  # to be as good with so much as the peer
ONE_EPOCH_SHARE = 0.4  # of the epochs; the rest trains the best to the end
RESAMPLES = 4000


@dataclass(frozen=True)
class Found:
    """What a search ends with.

    Attributes:
        loss: the least after a full training; the worst if none was finished.
        params: with which it was reached; None if none was finished.
    """

    loss: float
    params: dict[str, Any] | None


def plan(budget: int) -> list[tuple[int, int]]:
    """How many trials each stage promotes and draws anew: as many as its share of the epochs pays.

    What a stage leaves over, the next one has.
    """
    spent, due, before, stages = 0, 0.0, 0, []
    for share, length in zip(SHARES, LENGTHS, strict=True):
        due += share * budget * EPOCHS
        stage, paid = (0, 0), 0
        for n in itertools.count(1):
            promoted = math.ceil(n * PROMOTED) if before else 0
            cost = promoted * (length - before) + (n - promoted) * length
            if spent + cost > due + 1e-9:
                break
            stage, paid = (promoted, n - promoted), cost
        stages.append(stage)
        spent, before = spent + paid, length
    return stages


def staged(task: str, budget: int, seed: int, size: int) -> Found:
    """The best after hpsearch's stages, drawn in batches of a size."""
    study = optuna.create_study(sampler=CoarseToFineSampler(seed=seed, batch=size))
    params: dict[int, dict[str, Any]] = {}
    held: list[optuna.Trial] = []
    losses: dict[int, float] = {}
    before = 0
    for length, (promoted, new) in zip(LENGTHS, plan(budget), strict=True):
        held.sort(key=lambda trial: losses[trial.number])
        for trial in held[promoted:]:
            study.tell(trial, state=TrialState.PRUNED)
        held = held[:promoted]
        losses = {t.number: _train(task, t, params[t.number], length, before) for t in held}
        n = len(held) + new
        while len(held) < n:
            batch = [study.ask() for _ in range(min(size, n - len(held)))]
            for trial in batch:
                params[trial.number] = {k: ask(trial, k, d) for k, d in SPACE.items()}
            for trial in batch:
                losses[trial.number] = _train(task, trial, params[trial.number], length, 0)
            held += batch
        before = length
    best = min(losses, key=losses.__getitem__)
    return Found(losses[best], params[best])


def _train(
    task: str, trial: optuna.Trial, params: dict[str, Any], length: int, before: int
) -> float:
    """Train a trial on from `before` epochs; its loss is told at the ends of stages."""
    curve = learning_curve(task, params, length, EPOCHS)
    for reached in LENGTHS:
        if before < reached <= length:
            trial.report(curve[reached - 1], reached)
    return curve[-1]


def one_epoch(task: str, budget: int, seed: int) -> Found:
    """The best of those that were the best after one epoch, drawn by Optuna's TPE."""
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    n_long = max(1, int((1 - ONE_EPOCH_SHARE) * budget * EPOCHS / (EPOCHS - 1)))
    held: list[tuple[float, dict[str, Any]]] = []
    for _ in range(budget * EPOCHS - n_long * (EPOCHS - 1)):
        trial = study.ask()
        params = {k: ask(trial, k, d) for k, d in SPACE.items()}
        held.append((learning_curve(task, params, 1, EPOCHS)[0], params))
        study.tell(trial, held[-1][0])
    held.sort(key=lambda one: one[0])
    ends = [Found(learning_curve(task, p, EPOCHS, EPOCHS)[-1], p) for _, p in held[:n_long]]
    return min(ends, key=lambda found: found.loss)


def pruned(
    task: str, budget: int, seed: int, pruner: Callable[[], optuna.pruners.BasePruner]
) -> Found:
    """The best after Optuna's TPE with one of its pruners."""
    study = optuna.create_study(
        study_name=f"{task} {seed}",  # from which Hyperband derives a trial's bracket
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=pruner(),
    )
    left, best = budget * EPOCHS, Found(WORST, None)
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
            if epoch == EPOCHS and loss < best.loss:
                best = Found(loss, params)
        study.tell(trial, loss if state == TrialState.COMPLETE else None, state=state)
    return best


def _rung(epoch: int) -> int:
    """To where a training is computed, so that pruned ones cost little."""
    return next(length for length in LENGTHS if epoch <= length)


METHODS: dict[str, Callable[[str, int, int], Found]] = {
    PEER: partial(pruned, pruner=partial(optuna.pruners.HyperbandPruner, 1, EPOCHS, 3)),
    "successive halving + TPE": partial(
        pruned, pruner=partial(optuna.pruners.SuccessiveHalvingPruner, 1, 3)
    ),
    "1 epoch, best": one_epoch,
    "hpsearch, one by one": partial(staged, size=1),
    "hpsearch, batches of 4": partial(staged, size=4),
}
Cell = tuple[str, str, int]  # task, method, budget


def outcome(cell: Cell, seed: int) -> tuple[float, float]:
    """The found configuration's mean loss on fresh seeds, and the one it was chosen by."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    task, method, budget = cell
    found = METHODS[method](task, budget, seed)
    fresh = WORST if found.params is None else fresh_loss(task, found.params, EPOCHS)
    return fresh, found.loss


def table(losses: dict[Cell, NDArray[np.float64]], tasks: list[str], methods: list[str]) -> None:
    """Print losses, (number of seeds,) each, and how far the goal is."""
    print("| task | method | " + " | ".join(f"{b} trainings" for b in BUDGETS) + " |")
    print("|---" * (len(BUDGETS) + 2) + "|")
    for task, method in itertools.product(tasks, methods):
        quartiles = [np.quantile(losses[task, method, b], (0.5, 0.25, 0.75)) for b in BUDGETS]
        cells = (f"{m:.4f} ({low:.4f} … {high:.4f})" for m, low, high in quartiles)
        print(f"| {task} | {method} | " + " | ".join(cells) + " |")
    rng = np.random.default_rng(0)
    ours_alone = [name for name in methods if name.startswith("hpsearch") and PEER in methods]
    for task, method in itertools.product(tasks, ours_alone):
        pair = losses[task, method, GOAL], losses[task, PEER, PEERS_BUDGET]
        ours, peers = (np.median(rng.choice(x, (RESAMPLES, len(x))), axis=1) for x in pair)
        low, high = np.quantile(ours - peers, (0.025, 0.975))
        difference = np.median(pair[0]) - np.median(pair[1])
        print(
            f"{task}: {method}, after {GOAL} minus {PEER} after {PEERS_BUDGET}: "
            f"{difference:+.4f} ({low:+.4f} … {high:+.4f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[*METHODS])
    options = parser.parse_args()
    tasks = [DIGITS, MNIST] if os.environ.get("HPSEARCH_DATA") else [DIGITS]
    if MNIST not in tasks:
        print("HPSEARCH_DATA is not set: few-shot MNIST is LEFT OUT", file=sys.stderr)
    cells = list(itertools.product(tasks, options.methods, BUDGETS))
    with ProcessPoolExecutor(options.processes) as pool:
        found = [[pool.submit(outcome, c, seed) for seed in range(options.seeds)] for c in cells]
        rows = [np.array([future.result() for future in futures]) for futures in found]
    print("\nThe configuration that was found, on fresh seeds\n")
    table({c: row[:, 0] for c, row in zip(cells, rows, strict=True)}, tasks, options.methods)
    print("\nThe loss it was chosen by\n")
    table({c: row[:, 1] for c, row in zip(cells, rows, strict=True)}, tasks, options.methods)


if __name__ == "__main__":
    main()
