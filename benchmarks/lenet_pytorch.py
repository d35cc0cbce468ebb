"""Paper 002's LeNet in PyTorch, to compare ours with: writes studies/tables/lenet_pytorch.csv.

    python benchmarks/lenet_pytorch.py                   CASE1 and CASE8, with and without momentum

It uses hpsearch only to read MNIST: layers, initial weights, momentum, weight decay and the
learning-rate policy are PyTorch's or written out here. It takes 13 minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from hpsearch.datasets.base import Examples
from hpsearch.datasets.mnist import Mnist

TABLE = Path(__file__).parents[1] / "studies" / "tables" / "lenet_pytorch.csv"
CASES = {1: (64, 0.01), 8: (64, 0.1)}  # batch size, base learning rate
SEEDS = {1: 8, 8: 3}  # CASE1's spread is compared with ours; 3 seeds could be close by chance
ITERATIONS, EVERY = 1000, 100
N_TRAIN = 59_000  # the study's: the last 1,000 images of the training file choose its winner


def lenet() -> nn.Sequential:
    """LeNet as Caffe's example has it: initial weights uniform, biases 0."""
    network = nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 500),
        nn.ReLU(),
        nn.Linear(500, 10),
    )
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            nn.init.uniform_(layer.weight, -((3 / fan_in) ** 0.5), (3 / fan_in) ** 0.5)
            nn.init.zeros_(layer.bias)
    return network


def images(examples: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (N, 1, 28, 28) in [0, 1] and labels (N,)."""
    pixels = torch.from_numpy(examples.inputs.copy()).float() / examples.scale
    return pixels.reshape(-1, 1, 28, 28), torch.from_numpy(examples.labels.copy())


def train(case: int, momentum: float, seed: int) -> list[dict[str, float]]:
    """One run's test accuracy every 100 iterations."""
    torch.manual_seed(seed)
    batch, base = CASES[case]
    x, labels = (part[:N_TRAIN] for part in images(Mnist().training()))
    x_test, labels_test = images(Mnist().test())
    network, loss = lenet(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(
        network.parameters(), lr=base, momentum=momentum, weight_decay=0.0005
    )
    rows, order = [], torch.randperm(N_TRAIN)
    for iteration in range(ITERATIONS):
        optimizer.param_groups[0]["lr"] = base * (1 + 0.001 * iteration) ** -0.75
        if len(order) < batch:
            order = torch.randperm(N_TRAIN)
        chosen, order = order[:batch], order[batch:]
        optimizer.zero_grad()
        loss(network(x[chosen]), labels[chosen]).backward()
        optimizer.step()
        if (iteration + 1) % EVERY == 0:
            with torch.no_grad():
                hits = (network(x_test).argmax(1) == labels_test).float().mean()
            rows.append(
                {
                    "case": case,
                    "momentum": momentum,
                    "seed": seed,
                    "iteration": iteration + 1,
                    "test_accuracy": round(float(hits), 4),
                }
            )
    return rows


def main() -> None:
    """All runs, one after another, on one thread."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    rows = []
    for case in CASES:
        for momentum in (0.9, 0.0):
            for seed in range(SEEDS[case]):
                rows += train(case, momentum, seed)
                last = rows[-1]["test_accuracy"]
                print(f"CASE{case}, momentum {momentum}, seed {seed}: {last:.4f}", flush=True)
    pd.DataFrame(rows).to_csv(TABLE, index=False)
    print(TABLE)


if __name__ == "__main__":
    main()
