"""The checks of batch_norm.toml: training with and without normalisation, by weight scale."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hpsearch.claims import Evidence, Verdict
from hpsearch.claims.checks import higher

WITH, WITHOUT = {"batch_norm": True}, {"batch_norm": False}
CHANCE = 0.1
LEARNED = 0.5  # training accuracy of a run that has left the start


def _trials(evidence: Evidence) -> pd.DataFrame:
    """A row per training; a training that diverged has learned nothing."""
    trials = evidence.runs[evidence.runs["kind"] == "trial"]
    scores = ["train_accuracy", "validation_accuracy"]
    trials = trials.copy()
    trials.loc[trials["outcome"] == "diverged", scores] = CHANCE
    return trials


def faster(evidence: Evidence) -> Verdict:
    """Compare the training accuracy after the last epoch, all else equal."""
    verdict = higher(evidence, "train_accuracy", WITH, WITHOUT)
    curves = evidence.curves[evidence.curves["kind"] == "trial"].merge(
        _trials(evidence)[["trial", "batch_norm", "weight_std"]].drop_duplicates(), on="trial"
    )
    scales = sorted(curves["weight_std"].unique(), reverse=True)
    columns = min(4, len(scales))
    rows = -(-len(scales) // columns)
    figure = Figure(figsize=(2.4 * columns, 1.9 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, scale in zip(panels, scales, strict=False):
        here = curves[curves["weight_std"] == scale]
        for on, label in ((True, "batch norm"), (False, "without")):  # nothing where it diverged
            means = here[here["batch_norm"] == on].groupby("epoch")["train_accuracy"].mean()
            axes.plot(means.index, means, color="C0" if on else "C1", label=label)
        axes.set_title(f"deviation {scale:.3g}", fontsize=8)
        axes.grid(alpha=0.3)
    panels[0].legend(frameon=False, fontsize=7)
    return Verdict(verdict.judgement, verdict.detail, figure)


def less_dependent(evidence: Evidence) -> Verdict:
    """Compare the number of scales from which a run learns at all.

    The spread over scales says little: if all runs fail, it is small.
    """
    ends = _trials(evidence).groupby(["batch_norm", "weight_std"])["train_accuracy"].mean()
    found = {on: ends[on].to_numpy() for on in (True, False)}
    learned = {on: int((scores > LEARNED).sum()) for on, scores in found.items()}
    spread = {on: float(np.std(scores)) for on, scores in found.items()}
    return Verdict(
        "holds" if learned[True] > learned[False] else "does not hold",
        f"above {LEARNED} training accuracy from {learned[True]} against {learned[False]} of "
        f"{len(found[True])} scales; deviation over scales {spread[True]:.3f} against "
        f"{spread[False]:.3f}",
    )


def less_overfitting(evidence: Evidence) -> Verdict:
    """Compare the gaps of training to validation accuracy where both fit 90 % of the images."""
    trials = _trials(evidence)
    trials = trials.assign(gap=trials["train_accuracy"] - trials["validation_accuracy"])
    by_scale = trials.groupby(["batch_norm", "weight_std"])[["gap", "train_accuracy"]].mean()
    both = by_scale.loc[True].join(by_scale.loc[False], lsuffix="_with", rsuffix="_without")
    fit = both[(both["train_accuracy_with"] > 0.9) & (both["train_accuracy_without"] > 0.9)]
    if fit.empty:
        best = {
            on: by_scale.loc[on].sort_values("train_accuracy").iloc[-1] for on in (True, False)
        }
        said = ", ".join(
            f"{'with' if on else 'without'} {row['gap']:.3f} at {row['train_accuracy']:.3f}"
            for on, row in best.items()
        )
        return Verdict("not shown", f"no scale where both fit 90 % of the images; gaps: {said}")
    means = fit[["gap_with", "gap_without"]].mean()
    smaller = fit["gap_with"] < fit["gap_without"]
    judgement = "holds" if smaller.all() else "depends" if smaller.any() else "does not hold"
    return Verdict(
        judgement,
        f"gap {means['gap_with']:.3f} against {means['gap_without']:.3f} over the {len(fit)} "
        f"scales where both fit 90 % of the training images; smaller in {smaller.sum()} of them",
    )
