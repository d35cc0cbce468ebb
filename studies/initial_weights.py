"""The checks of initial_weights.toml."""

import numpy as np
from matplotlib.figure import Figure

from hpsearch.claims import Evidence, Verdict

# The book's experiment: 1000 normal inputs through 5 layers of 100 units.
N_INPUTS, N_UNITS, N_LAYERS = 1000, 100, 5
ACTIVATIONS = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}
DEVIATIONS = {"1": 1.0, "0.01": 0.01, "Xavier": N_UNITS**-0.5, "He": (2 / N_UNITS) ** 0.5}
PRINTED = [  # activation, deviation, and whether the last layer keeps its spread
    ("sigmoid", "1", False),
    ("sigmoid", "0.01", False),
    ("sigmoid", "Xavier", True),
    ("tanh", "Xavier", True),
    ("relu", "0.01", False),
    ("relu", "Xavier", False),
    ("relu", "He", True),
]
CHANCE = 0.2


def activations_keep_their_spread(evidence: Evidence) -> Verdict:
    """Check the last layer's activations: neither saturated nor all alike."""
    figure = Figure(figsize=(2.1 * N_LAYERS, 1.5 * len(PRINTED)), layout="constrained")
    rows = figure.subplots(len(PRINTED), N_LAYERS, sharex="row")
    right, said = [], []
    for panels, (activation, name, expected) in zip(rows, PRINTED, strict=True):
        layers = _activations(activation, DEVIATIONS[name])
        low = -1 if activation == "tanh" else 0
        for number, (axes, values) in enumerate(zip(panels, layers, strict=True), start=1):
            axes.hist(values.ravel(), bins=30, range=(low, 1), color="C0")
            axes.set(yticks=[])
            axes.set_title(f"layer {number}", fontsize=8)
        panels[0].set_ylabel(f"{activation}\n{name}", fontsize=8)
        spread, edge = float(layers[-1].std()), _at_the_edges(layers[-1], low)
        kept = spread / float(layers[0].std())
        keeps = 0.5 < kept < 2 if activation == "relu" else spread > 0.08 and edge < 0.5
        right.append(keeps == expected)
        said.append(
            f"{activation} {name}: deviation {spread:.2g} in the last layer, {edge:.0%} at edges"
        )
    judgement = "holds" if all(right) else "depends" if any(right) else "does not hold"
    return Verdict(judgement, "; ".join(said), figure)


def _activations(activation: str, deviation: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N_INPUTS, N_UNITS))
    layers = []
    for _ in range(N_LAYERS):
        w = deviation * rng.standard_normal((N_UNITS, N_UNITS))
        x = ACTIVATIONS[activation](x @ w)
        layers.append(x)
    return layers


def _at_the_edges(values: np.ndarray, low: int) -> float:
    return float(((values < low + 0.02) | (values > 0.98)).mean())


def zeros_fail(evidence: Evidence) -> Verdict:
    """Check the best accuracy of all runs from zeros."""
    trials = evidence.runs[evidence.runs["kind"] == "trial"]
    best = trials[trials["initial_weights"] == "zeros"]["best/validation_accuracy"].max()
    return Verdict(
        "holds" if best < CHANCE else "does not hold", f"at most {best:.3f} on validation data"
    )


def he_is_faster(evidence: Evidence) -> Verdict:
    """Compare the mean training loss over the 2000 iterations at learning rate 0.01."""
    trials = evidence.runs[evidence.runs["kind"] == "trial"]
    chosen = trials[trials["learning_rate"] == 0.01][["trial", "initial_weights"]]
    curves = evidence.curves[evidence.curves["kind"] == "trial"].merge(
        chosen.drop_duplicates(), on="trial"
    )
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    for name, group in curves.groupby("initial_weights"):
        over = group.groupby("epoch")["train_loss"]
        axes.plot(100 * over.mean().index, over.mean(), label=name)
        axes.fill_between(100 * over.mean().index, over.min(), over.max(), alpha=0.15, lw=0)
    axes.set(xlabel="iteration", ylabel="training loss")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    losses = curves.groupby("initial_weights")["train_loss"].mean()
    ends = curves[curves["epoch"] == curves["epoch"].max()]
    accuracy = ends.groupby("initial_weights")["validation_accuracy"].mean()
    said = ", ".join(f"{n} {losses[n]:.3f} (ends at {accuracy[n]:.3f})" for n in losses.index)
    parts = [
        accuracy["normal"] < CHANCE,
        accuracy["xavier"] > 0.8,
        losses["he"] < losses["xavier"],
    ]
    judgement = "holds" if all(parts) else "depends" if any(parts) else "does not hold"
    return Verdict(judgement, f"mean training loss {said}", figure)
