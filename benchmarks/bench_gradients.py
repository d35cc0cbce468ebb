"""CPU time of numerical gradients by increments and by the textbook's loops over every weight.

    python benchmarks/bench_gradients.py
    python benchmarks/bench_gradients.py --hidden 20 --batch 1 --repeats 3

Both compute the central differences of all weights of a 784-H-10 network after 300 steps on MNIST
images, in float64 on one thread, alternately in one process. Prints the median times, their ratio,
and the largest difference between the two gradients.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

if __name__ == "__main__":
    from hpsearch.execution.threads import thread_variables

    os.environ.update(thread_variables())  # before NumPy loads

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.selection import Selection
from hpsearch.datasets.split_kinds import HoldOut
from hpsearch.execution.examples import training_data
from hpsearch.nn import Affine, Network, TwoLayerNet
from hpsearch.nn.numerical_gradient import NumericalGradient

Floats = NDArray[np.float64]
STEP, LOG_OFFSET = 1e-4, 1e-7
INCREMENTAL = 20  # calls per repeat; one call takes milliseconds


def textbook(parameters: list[Floats], x: Floats, labels: NDArray[np.int64]) -> Floats:
    """The gradient of all of w1, b1, w2, b2, one weight after the other."""
    w1, b1, w2, b2 = parameters

    def loss() -> float:
        logits = np.maximum(x @ w1 + b1, 0) @ w2 + b2
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        picked = p[np.arange(len(labels)), labels]
        return float(-np.sum(np.log(picked + LOG_OFFSET)) / len(labels))

    found = []
    for w in parameters:
        for index in np.ndindex(w.shape):
            kept = w[index]
            w[index] = kept + STEP
            above = loss()
            w[index] = kept - STEP
            found.append((above - loss()) / (2 * STEP))
            w[index] = kept
    return np.array(found)


def trained(hidden: int, x: Floats, labels: NDArray[np.int64]) -> Network:
    """A network after 300 steps of SGD at 0.1 on mini-batches of 8."""
    described = TwoLayerNet(hidden=hidden, initial_weights="normal")
    network = described.build(x.shape[1], 10, 1, np.float64)
    rng = np.random.default_rng(0)
    described.initialize(network, 0, rng)
    for _ in range(300):
        rows = rng.integers(len(x), size=8)
        network.gradient(x[None, rows], labels[None, rows])
        network.w -= 0.1 * network.g
    return network


def compare(hidden: int, batch: int, repeats: int) -> str:
    """One line of the table."""
    selection = Selection("mnist", shots=9, draw="first", split=HoldOut(0.12))
    data = training_data(selection, "validation")
    x = data.floats(slice(None), np.float64).astype(np.float64, copy=False)
    labels = data.labels
    network = trained(hidden, x, labels)
    rows = np.random.default_rng(1).permutation(len(x))[:batch]
    x, labels = x[rows], labels[rows]
    affines = [layer for layer in network.layers if isinstance(layer, Affine)]
    parameters = [a for layer in affines for a in (layer.w[0].copy(), layer.b[0, 0].copy())]
    gradient = NumericalGradient(network)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        start = time.process_time()
        wanted = textbook(parameters, x, labels)
        middle = time.process_time()
        for _ in range(INCREMENTAL):
            gradient.fill(0, x, labels, step=STEP, log_offset=LOG_OFFSET)
        times[0].append(middle - start)
        times[1].append((time.process_time() - middle) / INCREMENTAL)
    loops, ours = map(statistics.median, times)
    error = np.abs(network.g[0] - wanted).max()
    cells = f"{loops:8.2f} s {ours * 1e3:8.2f} ms {loops / ours:7.0f} {error:11.1e}"
    return f"{hidden:6d} {batch:5d} {cells}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden", type=int, nargs="+", default=[20, 50])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--repeats", type=int, default=3)
    said = parser.parse_args()
    print("hidden batch      loops   increments   ratio  difference")
    for hidden in said.hidden:
        for batch in said.batch:
            print(compare(hidden, batch, said.repeats), flush=True)


if __name__ == "__main__":
    main()
