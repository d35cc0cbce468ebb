"""Tasks of bench_quality.py on which no setting was tuned: they were written before the rule ran.

Flat, conditional and categorical synthetic functions. Each has its own offset, so that the optimum
is at no corner and no centre, and no plateau, so that no search reaches regret 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from bench_tasks import Params, Task, function_task
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

NOISE = 0.15  # deviation of one training's score, of the functions with noise
ACTIVATIONS = ("relu", "tanh", "gelu", "elu", "selu", "silu")


def final() -> Iterator[Callable[[], Task]]:
    """All of them."""
    yield partial(function_task, "rotated-8", unit(8), rotated, 0.0)
    yield partial(function_task, "many-peaks-5", unit(5), many_peaks, 0.0)
    yield partial(function_task, "useless-15", unit(15), useless, 0.0)
    yield partial(function_task, "noisy-4", unit(4), noisy, 0.0, noise=NOISE)
    yield partial(
        function_task, "noisy-algorithms", ALGORITHMS, algorithms, 0.05, owned, NOISE / 3
    )
    yield partial(function_task, "algorithms", ALGORITHMS, algorithms, 0.05, owned)
    yield partial(function_task, "layers", LAYERS, layers, 0.1, layered)
    yield partial(function_task, "pipeline", PIPELINE, pipeline, 0.0)
    yield partial(function_task, "choices-8", CHOICES, choices, CHOICES_BEST)
    yield partial(function_task, "mixed", MIXED, mixed, 0.0)


def unit(n: int) -> dict[str, BaseDistribution]:
    """n numbers between 0 and 1."""
    return {f"x{i:02}": FloatDistribution(0.0, 1.0) for i in range(n)}


def _places(p: Params) -> NDArray[np.float64]:
    return np.array([p[name] for name in sorted(p)])


def _offsets(n: int, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(0.15, 0.85, n)


def _rotation(n: int, seed: int) -> NDArray[np.float64]:
    q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    return np.asarray(q)


def rotated(p: Params) -> float:
    """An ellipsoid whose axes are none of the parameters', one 10 times as long as another."""
    x = _rotation(8, 11) @ (_places(p) - _offsets(8, 12))
    return float(np.sum(10 ** np.linspace(0, 2, 8) * x**2))


def many_peaks(p: Params) -> float:
    """Rastrigin's function, shifted; three periods a parameter."""
    x = 3 * (_places(p) - _offsets(5, 13))
    return float((x**2 + 0.4 * (1 - np.cos(2 * math.pi * x))).sum())


def useless(p: Params) -> float:
    """Only three of fifteen parameters matter."""
    x = (_places(p) - _offsets(15, 14))[[3, 7, 12]]
    return float(np.abs(x).sum() + 4 * (x[0] - x[1]) ** 2)


def noisy(p: Params) -> float:
    """A bowl of four with a flat floor; its scores have noise."""
    x = _places(p) - _offsets(4, 15)
    return float(np.tanh(3 * (x**2).sum()))


@dataclass(frozen=True)
class Owned:
    """A parameter of one algorithm.

    Attributes:
        best: place of its optimum in unit space.
        weight: of the squared distance from it.
    """

    distribution: BaseDistribution
    best: float
    weight: float


FLOORS = {"svm": 0.11, "forest": 0.08, "boosting": 0.05, "network": 0.06, "nearest": 0.2}
OWNED: Mapping[str, Mapping[str, Owned]] = {
    "svm": {
        "svm_c": Owned(FloatDistribution(1e-3, 1e3, log=True), 0.7, 0.8),
        "svm_gamma": Owned(FloatDistribution(1e-5, 10.0, log=True), 0.35, 1.2),
    },
    "forest": {
        "forest_trees": Owned(IntDistribution(10, 1000, log=True), 0.9, 0.05),
        "forest_depth": Owned(IntDistribution(2, 40), 0.6, 0.2),
        "forest_leaf": Owned(IntDistribution(1, 50, log=True), 0.2, 0.2),
    },
    "boosting": {
        "boosting_rate": Owned(FloatDistribution(1e-3, 1.0, log=True), 0.62, 2.0),
        "boosting_leaves": Owned(IntDistribution(4, 256, log=True), 0.45, 0.6),
        "boosting_l2": Owned(FloatDistribution(1e-6, 100.0, log=True), 0.3, 0.3),
        "boosting_rows": Owned(FloatDistribution(0.3, 1.0), 0.7, 0.3),
    },
    "network": {
        "network_rate": Owned(FloatDistribution(1e-5, 1.0, log=True), 0.55, 3.0),
        "network_decay": Owned(FloatDistribution(1e-8, 1.0, log=True), 0.4, 0.5),
        "network_hidden": Owned(IntDistribution(8, 1024, log=True), 0.75, 0.4),
        "network_dropout": Owned(FloatDistribution(0.0, 0.8), 0.25, 0.5),
    },
    "nearest": {"nearest_k": Owned(IntDistribution(1, 100, log=True), 0.3, 0.5)},
}
ALGORITHMS: dict[str, BaseDistribution] = {
    "algorithm": CategoricalDistribution(list(FLOORS)),
    **{name: o.distribution for owned in OWNED.values() for name, o in owned.items()},
}


def owned(p: Params, name: str) -> bool:
    """Whether the chosen algorithm has the parameter."""
    return name == "algorithm" or name in OWNED[p["algorithm"]]


def algorithms(p: Params) -> float:
    """Five algorithms with parameters of their own; the best is hard to set, the second is not."""
    parts = OWNED[p["algorithm"]].items()
    off = sum(o.weight * (place(o.distribution, p[name]) - o.best) ** 2 for name, o in parts)
    return FLOORS[p["algorithm"]] + off


def place(distribution: BaseDistribution, value: float) -> float:
    """Of a number in its range, 0 to 1."""
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = float(distribution.low), float(distribution.high)
    if distribution.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)


LAYERS: dict[str, BaseDistribution] = {
    "layers": CategoricalDistribution([1, 2, 3, 4]),
    **{f"units{i}": IntDistribution(8, 512, log=True) for i in range(1, 5)},
    **{f"dropout{i}": FloatDistribution(0.0, 0.7) for i in range(1, 5)},
    "rate": FloatDistribution(1e-5, 1.0, log=True),
    "optimizer": CategoricalDistribution(["sgd", "adam"]),
    "momentum": FloatDistribution(0.0, 0.99),
}


def layered(p: Params, name: str) -> bool:
    """Units and dropout for each layer there is; momentum for sgd, drawn after it."""
    if name == "momentum":
        return bool(p["optimizer"] == "sgd")
    return not name[-1].isdigit() or int(name[-1]) <= p["layers"]


def layers(p: Params) -> float:
    """A network of up to four layers; each needs units and dropout of its own."""
    n = int(p["layers"])
    loss = {1: 0.3, 2: 0.14, 3: 0.1, 4: 0.12}[n]
    for i in range(1, n + 1):
        units = place(LAYERS[f"units{i}"], p[f"units{i}"])
        loss += (0.6 * (units - 0.8 + 0.1 * i) ** 2 + 0.4 * (p[f"dropout{i}"] - 0.1 * i) ** 2) / n
    best = {"sgd": -1.2, "adam": -2.9}[p["optimizer"]]
    if p["optimizer"] == "sgd":
        best += 0.8 * math.log10(1.05 - p["momentum"])
        loss += 0.02
    return float(loss + 0.12 * (math.log10(p["rate"]) - best) ** 2)


PIPELINE: dict[str, BaseDistribution] = {
    "scaler": CategoricalDistribution(["none", "standard", "robust", "quantile", "minmax"]),
    "encoder": CategoricalDistribution(["one-hot", "ordinal", "target", "hash"]),
    "selector": CategoricalDistribution(["none", "variance", "mutual", "l1"]),
    "kernel": CategoricalDistribution(["linear", "rbf", "poly", "sigmoid"]),
    "c": FloatDistribution(1e-4, 1e4, log=True),
    "share": FloatDistribution(0.05, 1.0),
}
_SCALER = {"none": 0.3, "standard": 0.02, "robust": 0.0, "quantile": 0.05, "minmax": 0.12}
_ENCODER = {"one-hot": 0.05, "ordinal": 0.12, "target": 0.0, "hash": 0.2}
_SELECTOR = {"none": 0.06, "variance": 0.05, "mutual": 0.0, "l1": 0.01}
_KERNEL = {"linear": (0.08, 0.4), "rbf": (0.0, 0.62), "poly": (0.03, 0.3), "sigmoid": (0.1, 0.7)}


def pipeline(p: Params) -> float:
    """Four choices and two numbers; the best C goes with the kernel and the scaler."""
    handicap, best = _KERNEL[p["kernel"]]
    best += 0.5 * _SCALER[p["scaler"]]
    loss = handicap + _SCALER[p["scaler"]] + _ENCODER[p["encoder"]] + _SELECTOR[p["selector"]]
    loss += 1.5 * (place(PIPELINE["c"], p["c"]) - best) ** 2
    wanted = {"none": 1.0, "variance": 0.8, "mutual": 0.45, "l1": 0.5}[p["selector"]]
    return float(loss + 0.3 * (p["share"] - wanted) ** 2)


CHOICES: dict[str, BaseDistribution] = {
    f"choice{i}": CategoricalDistribution([*range(4 + i % 3)]) for i in range(8)
}
_rng = np.random.default_rng(16)
_ALONE = [_rng.exponential(0.1, 4 + i % 3) for i in range(8)]
_PAIRS = {(0, 3): 0.3, (1, 4): 0.3, (2, 7): 0.2, (5, 6): 0.2}
_OF_PAIR = {
    (i, j): _rng.normal(0.0, size, (4 + i % 3, 4 + j % 3)) for (i, j), size in _PAIRS.items()
}


def choices(p: Params) -> float:
    """Eight categories without order, in pairs that interact."""
    at = [p[f"choice{i}"] for i in range(8)]
    alone = sum(float(values[k]) for values, k in zip(_ALONE, at, strict=True))
    return alone + sum(float(table[at[i], at[j]]) for (i, j), table in _OF_PAIR.items())


# The pairs share no category, so that each has its own best.
CHOICES_BEST = sum(
    float((_ALONE[i][:, None] + _ALONE[j][None, :] + table).min())
    for (i, j), table in _OF_PAIR.items()
)
MIXED: dict[str, BaseDistribution] = {
    **{f"activation{i}": CategoricalDistribution(list(ACTIVATIONS)) for i in range(2)},
    "batch": IntDistribution(8, 1024, log=True),
    "rate": FloatDistribution(1e-6, 10.0, log=True),
    "decay": FloatDistribution(1e-9, 1.0, log=True),
    "smoothing": FloatDistribution(0.0, 0.5),
    "warmup": IntDistribution(0, 50),
}


def mixed(p: Params) -> float:
    """Numbers and two unordered choices; the best rate goes with the batch."""
    first = {a: 0.03 * k for k, a in enumerate(("silu", "gelu", "relu", "elu", "selu", "tanh"))}
    second = {a: 0.04 * k for k, a in enumerate(("tanh", "silu", "gelu", "relu", "elu", "selu"))}
    batch = math.log2(p["batch"])
    rate = math.log10(p["rate"]) + 2.6 - 0.3 * (batch - 6)
    loss = first[p["activation0"]] + second[p["activation1"]]
    loss += 0.1 * rate**2 * (2.0 if rate > 0 else 1.0)
    loss += 0.01 * (math.log10(p["decay"]) + 5.3) ** 2 + 0.4 * (p["smoothing"] - 0.13) ** 2
    return float(loss + 0.01 * (batch - 6.7) ** 2 + 1e-4 * (p["warmup"] - 12.4) ** 2)
