"""The checks of lenet_search.toml: the best rate by batch size, and the Pareto front."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from hpsearch.analysis.ranking import front, standing
from hpsearch.claims import Evidence, Verdict
from hpsearch.records.trial_record import TrialRecord

DIRECTIONS = ("maximize", "minimize", "minimize")  # accuracy, images to 95 %, bytes
RESAMPLES = 2000
FEWEST = 12  # number of trials to which a quadratic in two variables is fitted
TRAINED = 0.7  # below this accuracy a trial says nothing about the optimum


def halve_the_batch(evidence: Evidence) -> Verdict:
    """The slope of the best learning rate over the batch size, both as powers of two.

    1: halve the rate with the batch; 0: keep it; -1: double it. A quadratic in
    x = log2 lr / (1 - momentum) and y = log2 batch is fitted to all trials after the first stage:
    the best x at y moves by -q_xy / (2 q_xx). The 95 % interval comes from resampled trials.
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
    sizes = sorted(set(trials["batch_size"]))
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
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
        f"half the batch wants {2**-slope:.2f} times the rate ({2**-high:.2f} … {2**-low:.2f}), "
        f"of {len(trials)} trials: nearest to {nearest}, not ruled out: "
        f"{', '.join(left) or 'none'}",
        figure,
    )


def _slope(x: np.ndarray, y: np.ndarray, score: np.ndarray) -> float | None:
    """-q_xy / (2 q_xx) of the fitted quadratic; None where it has no maximum in x."""
    terms = np.stack([np.ones_like(x), x, x**2, y, x * y, y**2], axis=1)
    q, _, rank, _ = np.linalg.lstsq(terms, score, rcond=None)
    return None if rank < terms.shape[1] or q[2] >= 0 else float(-q[4] / (2 * q[2]))


def several_are_best(evidence: Evidence) -> Verdict:
    """The Pareto front of the trials that were trained to the end."""
    ended = [r for r in evidence.records if r.kind == "trial" and r.outcome == "complete"]
    at = max((length for record in ended for length in record.scores), default=0)
    trials = {record.number: record for record in ended}
    # Trials that never reached 95 % are infeasible.
    known = [s for s in (standing(record, at) for record in ended) if not s.violation]
    if not known:
        return Verdict("not shown", "no trial reached 95 %")
    best = sorted(front(known, DIRECTIONS), key=lambda s: s.values[1])
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    accuracy, images, memory = np.array([s.values for s in known]).T
    axes.scatter(images, accuracy, s=12 + memory / 1e6, color="0.75")
    axes.plot([s.values[1] for s in best], [s.values[0] for s in best], "o-", color="C3", ms=4)
    axes.set(xscale="log", xlabel="images seen to 95 %", ylabel="accuracy")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.minorticks_off()
    axes.set_title("Pareto front; area: memory of a step", fontsize=9)
    said = "; ".join(
        f"trial {s.number}: {s.values[0]:.4f}, {s.values[1]:.0f} images, "
        f"{s.values[2] / 1e6:.0f} MB, {_seconds(trials[s.number]):.1f} CPU s"
        for s in best
    )
    return Verdict("holds" if len(best) > 1 else "does not hold", said, figure)


def _seconds(record: TrialRecord) -> float:
    """CPU time of the training."""
    return sum(record.mean_history()["resources/cpu_seconds"])


def _first_stage(evidence: Evidence) -> pd.DataFrame:
    """A row per trial: its hyperparameters, and its accuracy after the first stage."""
    trials = [r for r in evidence.records if r.kind == "trial" and r.scores]
    epochs = min(length for record in trials for length in record.scores)
    return pd.DataFrame([r.params | {"accuracy": r.scores[epochs]} for r in trials])
