"""The checks of lenet_search.toml: how rate and batch go together, and what is best in what."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hpsearch.claims import Evidence, Verdict

REACHED = 0.95
RESAMPLES = 2000
FEWEST = 12  # trials that a quadratic in two variables is fitted to
TRAINED = 0.7  # accuracy below which a trial says nothing of the optimum


def halve_the_batch(evidence: Evidence) -> Verdict:
    """The slope of the best learning rate over the batch size, both as powers of two.

    1: halve the rate with the batch; 0: keep it; -1: double it. From a quadratic in
    x = log2 lr / (1 - momentum) and y = log2 batch, fitted to all trials after the first stage:
    the best x at y moves by -q_xy / (2 q_xx); 95 % interval by resampling trials.
    """
    trials = _first_stage(evidence)
    trials = trials[trials["accuracy"] > TRAINED]
    if len(trials) < FEWEST:
        return Verdict("not shown", f"only {len(trials)} trials above {TRAINED}")
    x = np.log2(trials["learning_rate"] / (1 - trials["momentum"])).to_numpy()
    y = np.log2(trials["batch_size"].astype(float)).to_numpy()
    score = trials["accuracy"].to_numpy()
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    shown = axes.scatter(2.0**y, 2.0**x, c=score, cmap="viridis", s=22)
    axes.set(xscale="log", yscale="log", xlabel="batch size")
    axes.set_ylabel("learning rate / (1 - momentum)")
    figure.colorbar(shown, label="accuracy after the first stage")
    rng = np.random.default_rng(0)
    picks = rng.integers(len(x), size=(RESAMPLES, len(x)))
    slopes = [s for p in picks if (s := _slope(x[p], y[p], score[p])) is not None]
    slope = _slope(x, y, score)
    if slope is None or len(slopes) < RESAMPLES / 2:
        return Verdict("not shown", "accuracy has no optimum in the rates that were tried", figure)
    low, high = np.quantile(slopes, [0.025, 0.975])
    rules = {"halve": 1.0, "keep": 0.0, "double": -1.0}
    left = [name for name, value in rules.items() if low <= value <= high]
    judgement = (
        "holds" if left == ["halve"] else "not shown" if "halve" in left else "does not hold"
    )
    nearest = min(rules, key=lambda name: abs(rules[name] - slope))
    return Verdict(
        judgement,
        f"the best rate goes with the batch to the power {slope:.2f} ({low:.2f} … {high:.2f}), of "
        f"{len(trials)} trials: nearest to {nearest}, not ruled out: {', '.join(left) or 'none'}",
        figure,
    )


def _slope(x: np.ndarray, y: np.ndarray, score: np.ndarray) -> float | None:
    """-q_xy / (2 q_xx) of the fitted quadratic; None where it has no maximum in x."""
    terms = np.stack([np.ones_like(x), x, x**2, y, x * y, y**2], axis=1)
    q, _, rank, _ = np.linalg.lstsq(terms, score, rcond=None)
    return None if rank < terms.shape[1] or q[2] >= 0 else float(-q[4] / (2 * q[2]))


def several_are_best(evidence: Evidence) -> Verdict:
    """The Pareto front of the trials that were trained to the end."""
    trials = evidence.runs[(evidence.runs["kind"] == "trial")]
    trials = trials[trials["outcome"] == "complete"].copy()
    trials["images"] = [_images_to(evidence, row) for _, row in trials.iterrows()]
    trials["megabytes"] = trials["resources/array_bytes"] / 1e6
    known = trials[np.isfinite(trials["images"])]
    if known.empty:
        return Verdict("not shown", f"no trial reached {REACHED:.0%}")
    costs = np.stack([-known["validation_accuracy"], known["images"], known["megabytes"]], axis=1)
    front = [not any(_better(other, own) for other in costs) for own in costs]
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    size = 12 + known["megabytes"]
    axes.scatter(known["images"], known["validation_accuracy"], s=size, color="0.75")
    best = known[front].sort_values("images")
    best = best.assign(seconds=[_seconds(evidence, trial) for trial in best["trial"]])
    axes.plot(best["images"], best["validation_accuracy"], "o-", color="C3", ms=4)
    axes.set(xscale="log", xlabel=f"images seen to {REACHED:.0%}", ylabel="accuracy")
    axes.set_title("Pareto front; area: memory of a step", fontsize=9)
    said = "; ".join(
        f"trial {row['trial']}: {row['validation_accuracy']:.4f}, {row['images']:.0f} images, "
        f"{row['megabytes']:.0f} MB, {row['seconds']:.1f} CPU s"
        for _, row in best.iterrows()
    )
    return Verdict("holds" if len(best) > 1 else "does not hold", said, figure)


def _better(other: np.ndarray, own: np.ndarray) -> bool:
    return bool((other <= own).all() and (other < own).any())


def _curve(evidence: Evidence, trial: int) -> pd.DataFrame:
    curves = evidence.curves
    return curves[(curves["kind"] == "trial") & (curves["trial"] == trial)]


def _images_to(evidence: Evidence, row: pd.Series) -> float:
    curve = _curve(evidence, row["trial"])
    there = curve[curve["validation_accuracy"] >= REACHED]["epoch"]
    return float(there.min() * row["epoch_iterations"] * row["batch_size"])


def _seconds(evidence: Evidence, trial: int) -> float:
    return float(_curve(evidence, trial)["resources/cpu_seconds"].sum())


def _first_stage(evidence: Evidence) -> pd.DataFrame:
    """A row a trial: its hyperparameters, and its accuracy after the first stage."""
    trials = [r for r in evidence.records if r.kind == "trial" and r.scores]
    epochs = str(min(int(length) for record in trials for length in record.scores))
    return pd.DataFrame([r.params | {"accuracy": r.scores[epochs]} for r in trials])
