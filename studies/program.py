"""Logistic regression on two noisy moons, in plain Python: a typical program.

Its only call of hpsearch is hpsearch.report, which does nothing when the program is run by hand.
It saves what it has learned after every epoch, and continues from there.
"""

import argparse
import json
import math
import os
import random

import hpsearch

parser = argparse.ArgumentParser(description="Logistic regression on two noisy moons")
parser.add_argument("--learning-rate", type=float, default=0.1)
parser.add_argument("--momentum", type=float, default=0.0)
parser.add_argument("--weight-decay", type=float, default=1e-4)
parser.add_argument("--features", choices=["plain", "squares", "cubes"], default="plain")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fold", type=int, default=0, help="which third is validation data")
parser.add_argument("--checkpoint", help="where to save, and to go on from")
parser.add_argument("--evaluate", action="store_true", help="score the checkpoint on test data")


def moon(rng: random.Random) -> tuple[list[float], int]:
    """A point and its class."""
    label, angle = rng.randrange(2), math.pi * rng.random()
    x, y = math.cos(angle), math.sin(angle)
    if label:
        x, y = 1 - x, 0.5 - y
    return [x + rng.gauss(0, 0.2), y + rng.gauss(0, 0.2)], label


def powers(point: list[float], features: str) -> list[float]:
    """A constant, and the products of its coordinates up to a degree."""
    degree = ["plain", "squares", "cubes"].index(features) + 1
    x, y = point
    return [x**i * y**j for i in range(degree + 1) for j in range(degree + 1 - i)]


def probability(weights: list[float], inputs: list[float]) -> float:
    """The probability of class 1."""
    z = sum(w * x for w, x in zip(weights, inputs, strict=True))
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, z))))


def accuracy(weights: list[float], rows: list[tuple[list[float], int]], features: str) -> float:
    """The share of points whose class is right."""
    right = sum(
        (probability(weights, powers(point, features)) > 0.5) == bool(label)
        for point, label in rows
    )
    return right / len(rows)


def main() -> None:
    """Train, or score what was trained."""
    args = parser.parse_args()
    source = random.Random(20)
    rows = [moon(source) for _ in range(150)]
    test = [moon(source) for _ in range(1000)]
    validation = rows[args.fold :: 3]
    train = [row for number, row in enumerate(rows) if number % 3 != args.fold]
    rng = random.Random(args.seed)
    n = len(powers([0.0, 0.0], args.features))
    epoch, weights, step = 0, [rng.gauss(0, 0.1) for _ in range(n)], [0.0] * n
    if args.checkpoint and os.path.exists(args.checkpoint):
        with open(args.checkpoint) as file:
            epoch, weights, step = json.load(file)
    if args.evaluate:
        hpsearch.report(validation_accuracy=accuracy(weights, test, args.features))
        return
    while epoch < args.epochs:
        order = list(range(len(train)))
        random.Random(f"{args.seed} {epoch}").shuffle(order)
        for number in order:
            point, label = train[number]
            inputs = powers(point, args.features)
            error = probability(weights, inputs) - label
            for i, x in enumerate(inputs):
                slope = error * x + args.weight_decay * weights[i]
                step[i] = args.momentum * step[i] - args.learning_rate * slope
                weights[i] += step[i]
        epoch += 1
        hpsearch.report(
            epoch=epoch,
            train_accuracy=accuracy(weights, train, args.features),
            validation_accuracy=accuracy(weights, validation, args.features),
        )
        if args.checkpoint:  # after the report: saved epochs are not reported again
            with open(args.checkpoint + ".new", "w") as file:
                json.dump([epoch, weights, step], file)
            os.replace(args.checkpoint + ".new", args.checkpoint)


if __name__ == "__main__":
    main()
