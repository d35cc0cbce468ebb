"""The checks of optimizers.toml."""

import numpy as np
from matplotlib.figure import Figure

from hpsearch.claims import Evidence, Verdict
from hpsearch.optimizers import OPTIMIZERS, stack

BOOK = {"adam": 0.001, "adadelta": 1.0}  # learning rates; all others 0.01
# The book's figure: start, steps and learning rates on x^2/20 + y^2.
START, STEPS = (-7.0, 2.0), 30
PATHS = {"sgd": 0.95, "momentum": 0.1, "adagrad": 1.5, "adam": 0.3}


def faster_than_sgd_at_the_books_rates(evidence: Evidence) -> Verdict:
    """Compare the mean training loss over the 2000 iterations: a faster fall makes it smaller."""
    trials = evidence.runs[evidence.runs["kind"] == "trial"]
    figure, (axes,) = _figure(1)
    means = {}
    for name in OPTIMIZERS:
        mine = trials[trials["trainer"] == name]
        (number,) = mine[mine["learning_rate"] == BOOK.get(name, 0.01)]["trial"].unique()
        curve = evidence.curves[
            (evidence.curves["kind"] == "trial") & (evidence.curves["trial"] == number)
        ]
        ended = curve["epoch"].max() == evidence.curves["epoch"].max()
        means[name] = float(curve["train_loss"].mean()) if ended else np.inf  # else it diverged
        axes.plot(100 * curve["epoch"], curve["train_loss"], label=name)
    axes.set(xlabel="iteration", ylabel="training loss", yscale="log")
    axes.legend(frameon=False, fontsize=8)
    faster = [means[name] < means["sgd"] for name in ("momentum", "adagrad", "adam")]
    order = ", ".join(f"{name} {loss:.3f}" for name, loss in sorted(means.items(), key=_second))
    judgement = "holds" if all(faster) else "depends" if any(faster) else "does not hold"
    return Verdict(judgement, f"mean training loss {order}", figure)


def alike_at_their_best(evidence: Evidence) -> Verdict:
    """Compare the winners' accuracy on fresh seeds."""
    fresh = evidence.runs[evidence.runs["kind"] == "confirmation"]
    figure, (axes,) = _figure(1)
    scores = fresh.groupby("trainer")["validation_accuracy"].mean().sort_values()
    rates = fresh.groupby("trainer")["learning_rate"].first()
    trials = evidence.runs[evidence.runs["kind"] == "trial"]
    for name, group in trials.sort_values("learning_rate").groupby("trainer"):
        axes.plot(group["learning_rate"], group["validation_accuracy"], "o-", ms=3, label=name)
    axes.set(xscale="log", xlabel="learning rate", ylabel="validation accuracy")
    axes.legend(frameon=False, fontsize=8)
    said = ", ".join(f"{name} {score:.4f} at {rates[name]:.3g}" for name, score in scores.items())
    near = scores.max() - scores.min() < 0.01
    return Verdict("holds" if near else "does not hold", said, figure)


def paths_in_a_valley(evidence: Evidence) -> Verdict:
    """Compare paths of 30 steps to the minimum: how often does each cross the valley?"""
    figure, panels = _figure(len(PATHS))
    x, y = np.meshgrid(np.linspace(-10, 10, 101), np.linspace(-5, 5, 101))
    swings = {}
    for axes, (name, rate) in zip(panels, PATHS.items(), strict=True):
        path = _path(name, rate)
        signs = np.sign(path[:, 1])
        swings[name] = int((signs[1:] * signs[:-1] < 0).sum())
        axes.contour(x, y, x**2 / 20 + y**2, levels=12, colors="0.8", linewidths=0.6)
        axes.plot(*path.T, "o-", ms=2, lw=1, color="C3")
        axes.plot(0, 0, "k+")
        axes.set(title=f"{name}, {rate:g}", xlabel="x", ylabel="y")
    said = ", ".join(f"{name} crosses y = 0 {n} times" for name, n in swings.items())
    zigzags = swings["sgd"] > max(n for name, n in swings.items() if name != "sgd")
    return Verdict("holds" if zigzags else "does not hold", said, figure)


def _path(name: str, rate: float) -> np.ndarray:
    """The points of a descent on x^2/20 + y^2, (STEPS + 1, 2)."""
    optimizer = OPTIMIZERS[name]
    columns = stack([optimizer(learning_rate=rate)], np.float64)
    w = np.array([START])
    slots = {slot: np.zeros_like(w) for slot in optimizer.slots}
    points = [w[0].copy()]
    for step in range(1, STEPS + 1):
        g = w * [0.1, 2.0]
        optimizer.update(w, g, slots, columns, step=step, scratch=np.empty_like(w))
        points.append(w[0].copy())
    return np.array(points)


def _figure(n: int):
    figure = Figure(figsize=(4.2 * n if n > 1 else 5.6, 3.4), layout="constrained")
    panels = figure.subplots(1, n, squeeze=False)[0]
    for axes in panels:
        axes.grid(alpha=0.3)
    return figure, panels


def _second(item: tuple[str, float]) -> float:
    return item[1]
