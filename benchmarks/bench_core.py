"""The training core beside PyTorch, scikit-learn and textbook NumPy loops: CPU time, one thread.

    python benchmarks/bench_core.py                      all cases and all peers that are installed
    python benchmarks/bench_core.py --cases lenet --repeats 7

Every case runs its sides alternately in one process and prints the median CPU time of each with
the ratio peer / hpsearch. The peers are in bench_core_peers.py. A step of hpsearch is measured
from whole epochs of its trainer on real MNIST, with shuffling, drawing of mini-batches and one
evaluation at the end; a peer's step also takes its mini-batch from the images. hpsearch's
evaluation computes the loss of every image and the accuracy, the textbook's only the accuracy.
"attainable" is the time of the same matrix products plus one pass over weights and gradients;
"live" is the same for only those inputs that some training image uses. Memory is the growth of a
fresh process's peak above its imports, with the data.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

if __name__ == "__main__":
    from hpsearch.execution.threads import thread_variables

    os.environ.update(thread_variables())  # before NumPy loads

import numpy as np
from bench_core_peers import (
    Floats,
    Labels,
    Step,
    Textbook,
    TextbookLeNet,
    sklearn_step,
    torch_step,
)

from hpsearch.datasets.mnist import Mnist
from hpsearch.errors import DataError
from hpsearch.hyperparameters import ParamValue
from hpsearch.trainers import Member, Schedule, Split, TrainingData
from hpsearch.trainers.backprop import Backprop
from hpsearch.trainers.live_inputs import LiveInputs

Side = Callable[[], float]  # CPU seconds of one unit of the case
Sides = dict[str, Callable[[], Side]]  # made where it is installed
PEERS = {"torch": "torch", "sklearn": "sklearn", "textbook": "numpy", "float64 textbook": "numpy"}
WIDE: dict[str, ParamValue] = {
    "trainer": "sgd",
    "network": "two-layer",
    "hidden": 50,
    "learning_rate": 0.01,
}
DEEP: dict[str, ParamValue] = {
    "trainer": "adam",
    "network": "multi-layer",
    "hidden": 100,
    "hidden_layers": 5,
    "batch_norm": True,
    "dropout": 0.2,
    "batch_size": 100,
}


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        work: the timed work.
        unit: the unit of the times, with its seconds.
        goals: the wanted ratios peer / hpsearch.
        sides: functions that make the timed callables, "hpsearch" among them.
    """

    work: str
    unit: tuple[str, float]
    goals: dict[str, float]
    sides: Callable[[], Sides]


@cache
def mnist() -> tuple[Floats, Labels]:
    """All training images (60000, 784) in [0, 1], and their labels."""
    full = Mnist().training()
    return (full.inputs / np.float32(255)).astype(np.float32), full.labels


@cache
def few_shot_rows() -> np.ndarray:
    """The first 5 images of each class."""
    labels = Mnist().training().labels
    return np.concatenate([np.flatnonzero(labels == c)[:5] for c in range(10)])


def table(n_train: int, n_scored: int) -> TrainingData:
    """The first images of the training file to learn from, the next ones to be scored on."""
    full = Mnist().training()
    rows = np.arange(n_train + n_scored)
    split = Split(rows[:n_train], rows[n_train:])
    return TrainingData(
        full.inputs[rows], full.labels[rows], n_classes=10, splits=[split], scale=255
    )


def few_shot_table(n_test: int) -> TrainingData:
    """50 images to learn from, and the first test images."""
    full, test = Mnist().training(), Mnist().test()
    rows = few_shot_rows()
    inputs = np.concatenate([full.inputs[rows], test.inputs[:n_test]])
    labels = np.concatenate([full.labels[rows], test.labels[:n_test]])
    split = Split(np.arange(50), np.arange(50, 50 + n_test))
    return TrainingData(inputs, labels, n_classes=10, splits=[split], scale=255)


def ours(
    params: dict[str, ParamValue], n_members: int, data: TrainingData, epochs: int, every: int
) -> Side:
    """CPU seconds per epoch and member, after a warm-up."""
    members = [Member(params, (0, number), 0) for number in range(n_members)]
    trainer = Backprop(members, data, n_epochs=10**6)
    reached = 0

    def run(more: int) -> None:
        nonlocal reached
        reached += more
        for _ in trainer.run(reached, Schedule(every)):
            pass

    def side() -> float:
        started = time.process_time()
        run(epochs)
        return (time.process_time() - started) / epochs / n_members

    run(2)
    return side


def per_step(side: Side, n_train: int, batch: int) -> Side:
    """CPU seconds per iteration, from those of an epoch."""
    return lambda: side() / (n_train // batch)


def peer(make: Callable[[], Step], batch: int, iterations: int, rows: np.ndarray) -> Side:
    """CPU seconds of a peer's step, after a warm-up."""
    x, y = mnist()
    order = np.random.default_rng(0).choice(rows, size=(iterations, batch))
    step = make()

    def side() -> float:
        started = time.process_time()
        for part in order:
            step(x[part], y[part])
        return (time.process_time() - started) / iterations

    side()
    return side


def attainable(n_members: int, sizes: tuple[int, int, int], batch: int, iterations: int) -> Side:
    """A two-layer step's matrix products, and one pass over weights and gradients."""
    rng, f = np.random.default_rng(0), np.float32
    n_in, hidden, n_out = sizes
    x = rng.random((n_members, batch, n_in), f)
    d1, d2 = rng.random((n_members, batch, hidden), f), rng.random((n_members, batch, n_out), f)
    n = n_in * hidden + hidden * n_out + hidden + n_out
    w, g = np.zeros((n_members, n), f), np.zeros((n_members, n), f)
    split = n_in * hidden
    w1, g1 = (a[:, :split].reshape(-1, n_in, hidden) for a in (w, g))
    w2, g2 = (a[:, split : split + hidden * n_out].reshape(-1, hidden, n_out) for a in (w, g))
    h, z = np.empty_like(d1), np.empty_like(d2)

    def side() -> float:
        started = time.process_time()
        for _ in range(iterations):
            np.matmul(x, w1, out=h)
            np.matmul(h, w2, out=z)
            np.matmul(h.swapaxes(1, 2), d2, out=g2)
            np.matmul(d2, w2.swapaxes(1, 2), out=h)
            np.matmul(x.swapaxes(1, 2), d1, out=g1)
            np.subtract(w, g, out=w)
        return (time.process_time() - started) / iterations / n_members

    side()
    return side


def wide(batch: int, n_members: int) -> Sides:
    """784-50-10 on many images; the training leaves out inputs that none of them uses."""
    n_train, iterations = 4000, 4000 // batch
    rows = np.arange(n_train)
    data = table(n_train, 100)
    params: dict[str, ParamValue] = {**WIDE, "batch_size": batch}
    live = (LiveInputs.width(data), 50, 10)
    return {
        "hpsearch": lambda: per_step(ours(params, n_members, data, 12, 10**6), n_train, batch),
        "attainable": lambda: attainable(n_members, (784, 50, 10), batch, iterations),
        "attainable, live": lambda: attainable(n_members, live, batch, iterations),
        "torch": lambda: peer(
            lambda: torch_step("784-50-10", "sgd", 0.01), batch, iterations, rows
        ),
        "sklearn": lambda: peer(lambda: sklearn_step(50, 0.01, batch), batch, iterations, rows),
        "textbook": lambda: peer(lambda: Textbook(50, 0.01, "f4").step, batch, iterations, rows),
    }


def few_shot_step() -> Sides:
    """50 images, batch 5, a full population."""
    params: dict[str, ParamValue] = {**WIDE, "batch_size": 5}
    data, rows = few_shot_table(50), few_shot_rows()
    return {
        "hpsearch": lambda: per_step(ours(params, 32, data, 40, 10**6), 50, 5),
        "torch": lambda: peer(lambda: torch_step("784-50-10", "sgd", 0.01), 5, 400, rows),
        "textbook": lambda: peer(lambda: Textbook(50, 0.01, "f4").step, 5, 400, rows),
    }


def few_shot_trial() -> Sides:
    """A whole trial: 100 epochs of 10 steps, each with the accuracy on 10,000 test images."""
    params: dict[str, ParamValue] = {**WIDE, "batch_size": 5}
    data, rows = few_shot_table(10000), few_shot_rows()
    members = [Member(params, (0, number), 0) for number in range(32)]
    test = Mnist().test()
    images = (test.inputs / np.float32(255)).astype(np.float32)

    def whole() -> float:
        started = time.process_time()
        fresh = TrainingData(
            data.inputs, data.labels, n_classes=10, splits=data.splits, scale=data.scale
        )
        for _ in Backprop(members, fresh, n_epochs=100).run(100):
            pass
        return (time.process_time() - started) / len(members)

    def textbook(dtype: str) -> Side:
        x, y = mnist()
        train, labels, scored = x[rows].astype(dtype), y[rows], images.astype(dtype)

        def side() -> float:
            started = time.process_time()
            net, rng = Textbook(50, 0.01, dtype), np.random.default_rng(0)
            for _ in range(100):
                for part in rng.permutation(50).reshape(10, 5):
                    net.step(train[part], labels[part])
                net.accuracy(train, labels)
                net.accuracy(scored, test.labels)
            return time.process_time() - started

        return side

    return {
        "hpsearch": lambda: whole,
        "textbook": lambda: textbook("f4"),
        "float64 textbook": lambda: textbook("f8"),
    }


def deep() -> Sides:
    """Five hidden layers with batch normalisation and dropout, by Adam."""
    rows = np.arange(4000)
    return {
        "hpsearch": lambda: per_step(ours(DEEP, 1, table(4000, 100), 10, 10**6), 4000, 100),
        "torch": lambda: peer(lambda: torch_step("deep", "adam", 0.001), 100, 80, rows),
    }


def lenet() -> Sides:
    """LeNet at batch 64."""
    rows = np.arange(1280)
    params: dict[str, ParamValue] = {"trainer": "sgd", "network": "lenet", "batch_size": 64}
    return {
        "hpsearch": lambda: per_step(ours(params, 1, table(1280, 10), 8, 10**6), 1280, 64),
        "torch": lambda: peer(lambda: torch_step("lenet", "sgd", 0.01), 64, 30, rows),
        "textbook": lambda: peer(lambda: TextbookLeNet(0.01).step, 64, 8, rows),
    }


MICRO, MILLI, SECONDS = ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)
CASES = {
    "two-layer-8": Case(
        "784-50-10, batch 8, P = 6", MICRO, {"torch": 4, "sklearn": 30}, lambda: wide(8, 6)
    ),
    "two-layer-100": Case(
        "the same, batch 100", MICRO, {"torch": 2, "attainable": 0.8}, lambda: wide(100, 6)
    ),
    "few-shot": Case(
        "50 images, H 50, batch 5, P = 32",
        MICRO,
        {"torch": 20, "textbook": 10},
        few_shot_step,
    ),
    "few-shot-trial": Case(
        "its trial, 100 epochs, 10,000 test images",
        SECONDS,
        {"textbook": 8, "float64 textbook": 13},
        few_shot_trial,
    ),
    "deep": Case("784-100x5-10, batch norm, dropout, Adam", MILLI, {"torch": 1}, deep),
    "lenet": Case("LeNet, batch 64", MILLI, {"torch": 1, "textbook": 3.5}, lenet),
}


def installed(name: str) -> bool:
    """Whether a side can run here."""
    return importlib.util.find_spec(PEERS.get(name, "numpy")) is not None


def measure(case: Case, repeats: int) -> dict[str, float]:
    """Median CPU seconds of every side, alternating."""
    sides = {name: make() for name, make in case.sides().items() if installed(name)}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            times[name].append(side())
    return {name: statistics.median(taken) for name, taken in times.items()}


def few_shot_memory() -> float:
    """MB that training 32 few-shot members adds to a process's peak, with opening the data."""
    before = peak_kib()
    ours({**WIDE, "batch_size": 5}, 32, few_shot_table(1000), 2, 1)
    return (peak_kib() - before) / 1024


def peak_kib() -> int:
    """The process's greatest memory so far."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's figure begins with that of the parent process
        (line,) = (t for t in status.read_text().splitlines() if t.startswith("VmHWM"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # bytes on macOS


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print every median as JSON")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.memory:
        print(few_shot_memory())
        return
    try:
        mnist()
    except DataError as error:
        sys.exit(f"error: {error}")
    medians = {name: measure(CASES[name], said.repeats) for name in said.cases}
    if said.json:
        print(json.dumps(medians))
        return
    print(f"{'work':<42} {'side':<17} {'CPU time':>11} {'peer/hpsearch':>14} {'goal':>6}")
    for name, times in medians.items():
        case = CASES[name]
        unit, seconds = case.unit
        for side, taken in times.items():
            ratio = "" if side == "hpsearch" else f"{taken / times['hpsearch']:.2f}"
            goal = f"{case.goals[side]:g}" if side in case.goals else ""
            time_text = f"{taken / seconds:.3g} {unit}"
            print(f"{case.work:<42} {side:<17} {time_text:>11} {ratio:>14} {goal:>6}")
    here = [sys.executable, str(Path(__file__)), "--memory"]
    grown = subprocess.run(here, capture_output=True, text=True, check=True).stdout
    print(f"\n32 few-shot members add {float(grown):.0f} MB to the process (goal: below 150)")


if __name__ == "__main__":
    main()
