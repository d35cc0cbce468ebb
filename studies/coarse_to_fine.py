"""The checks of coarse_to_fine.toml."""

import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import binomtest

from hpsearch.claims import Evidence, Verdict

BEST = 20  # trials that the book shows


def best_gather(evidence: Evidence, name: str, low: float, high: float) -> Verdict:
    """Whether the best trials lie in a range more often than draws over the whole range would.

    Compares the first stage's trials by their score at the stage's end; they gather by themselves
    as the stage goes on.
    """
    scores, epochs = _after_first_stage(evidence)
    scores = scores[scores["drawn_in_stage"] == 0]
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
    axes.set(xlabel=name, ylabel=f"validation accuracy after {epochs} epochs")
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
    """Compare new draws of the second stage with those of the first, after as many epochs."""
    scores, epochs = _after_first_stage(evidence)
    first, later = (scores[scores["drawn_in_stage"] == stage] for stage in (0, 1))
    if later.empty:
        return Verdict("not shown", "the second stage drew nothing new")
    middle = [float(part["validation_accuracy"].median()) for part in (first, later)]
    return Verdict(
        "holds" if middle[1] > middle[0] else "does not hold",
        f"median {middle[1]:.3f} of {len(later)} later draws against {middle[0]:.3f} of the first "
        f"{len(first)}, all after {epochs} epochs",
    )


def _after_first_stage(evidence: Evidence) -> tuple[pd.DataFrame, int]:
    """A row per trial with its accuracy after the first stage's epochs, and their number."""
    trials = [r for r in evidence.records if r.kind == "trial" and r.scores]
    epochs = min(length for record in trials for length in record.scores)
    rows = [
        record.params
        | {"drawn_in_stage": record.stage, "validation_accuracy": record.scores[epochs]}
        for record in trials
    ]
    return pd.DataFrame(rows), epochs
