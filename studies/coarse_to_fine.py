"""The checks of coarse_to_fine.toml."""

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest

from hpsearch.claims import Evidence, Verdict

FIRST_EPOCHS, FIRST_TRIALS = 50, 100  # of the book's random search
BEST = 20  # trials that the book shows


def best_gather(evidence: Evidence, name: str, low: float, high: float) -> Verdict:
    """Whether the best trials lie in a range more often than draws over the whole range would.

    Of the first stage's trials by their score at its end; half of them are drawn at random.
    """
    scores = _first_stage(evidence)
    best = scores.nlargest(BEST, "validation_accuracy")
    inside = best[name].between(low, high)
    share = float(scores[name].between(low, high).mean())
    p = binomtest(int(inside.sum()), len(best), share, alternative="greater").pvalue
    found = best[name].quantile([0.1, 0.9]).to_list()
    figure = Figure(figsize=(5.0, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(low, high, color="0.92", label="printed")
    axes.semilogx(scores[name], scores["validation_accuracy"], "o", ms=3, label="trials")
    axes.semilogx(best[name], best["validation_accuracy"], "o", ms=4, label=f"best {BEST}")
    axes.set(xlabel=name, ylabel=f"validation accuracy after {FIRST_EPOCHS} epochs")
    axes.legend(frameon=False, fontsize=8)
    judgement = "holds" if inside.mean() > 0.8 and p < 0.05 else "not shown"
    judgement = "does not hold" if inside.mean() < share else judgement
    return Verdict(
        judgement,
        f"{inside.sum()} of the best {BEST} in {low:g} … {high:g}, where {share:.0%} of all "
        f"trials are (p = {p:.2g}); four fifths of the best in {found[0]:.2g} … {found[1]:.2g}",
        figure,
    )


def later_is_better(evidence: Evidence) -> Verdict:
    """New draws of the second stage against those of the first, after as many epochs."""
    curves = evidence.curves
    at_first = curves[(curves["kind"] == "trial") & (curves["epoch"] == FIRST_EPOCHS)]
    by_trial = at_first.groupby("trial")["validation_accuracy"].mean()
    first, later = (
        by_trial[by_trial.index < FIRST_TRIALS],
        by_trial[by_trial.index >= FIRST_TRIALS],
    )
    if later.empty:
        return Verdict("not shown", "the second stage drew nothing new")
    better = np.median(later) > np.median(first)
    return Verdict(
        "holds" if better else "does not hold",
        f"median {np.median(later):.3f} of {len(later)} later draws against "
        f"{np.median(first):.3f} of the first {len(first)}, both after {FIRST_EPOCHS} epochs",
    )


def _first_stage(evidence: Evidence):
    curves = evidence.curves
    ends = curves[(curves["kind"] == "trial") & (curves["epoch"] == FIRST_EPOCHS)]
    ends = ends[ends["trial"] < FIRST_TRIALS]
    settings = evidence.runs[evidence.runs["kind"] == "trial"]
    settings = settings[["trial", "learning_rate", "weight_decay"]].drop_duplicates()
    return ends.merge(settings, on="trial")
