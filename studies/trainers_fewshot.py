"""The checks of trainers_fewshot.toml: two trainers at equal budget and at equal cost."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import ttest_ind

from hpsearch.claims import Evidence, Verdict

BACKWARD = 2  # a backward pass makes two products where a forward pass makes one


def better_on_the_test_set(evidence: Evidence, of: str, than: list[str]) -> Verdict:
    """Compare the refits of one trainer's winner with those of the best other by validation.

    Uses Welch's 95 % interval of the difference over refits, for each number of shots.
    """
    tests = evidence.runs[evidence.runs["kind"] == "test"]
    fresh = evidence.runs[evidence.runs["kind"] == "confirmation"]
    said, outcomes = [], []
    for shots, group in tests.groupby("shots"):
        mine = group[group["trainer"] == of]["test_accuracy"]
        known = fresh[(fresh["shots"] == shots) & fresh["trainer"].isin(than)]
        rival = known.groupby(["trainer", "trial"])["validation_accuracy"].mean().idxmax()[0]
        theirs = group[group["trainer"] == rival]["test_accuracy"]
        low, high = ttest_ind(mine, theirs, equal_var=False).confidence_interval(0.95)
        said.append(
            f"{shots} shots: {mine.mean():.3f} against {theirs.mean():.3f} of {rival}, "
            f"difference {low:+.3f} … {high:+.3f}"
        )
        outcomes.append(1 if low > 0 else -1 if high < 0 else 0)
    return Verdict(_judgement(outcomes), "; ".join(said))


def better_at_equal_cost(evidence: Evidence, of: str, than: list[str]) -> Verdict:
    """Compare what the searches had found at the cost of the cheapest other search.

    Compares the best validation accuracy so far, trial by trial in the order of their draws, at
    equal numbers of passes; a stage's later epochs count where the trial was drawn.
    """
    spent = _found(evidence)
    figure = Figure(figsize=(3.4 * spent["shots"].nunique(), 3.2), layout="constrained")
    panels = figure.subplots(1, spent["shots"].nunique(), squeeze=False)[0]
    said, outcomes = [], []
    for axes, (shots, group) in zip(panels, spent.groupby("shots"), strict=True):
        arms = {name: group[group["trainer"] == name] for name in [*than, of]}
        budget = min(arms[name]["cost"].max() for name in than)
        best = {
            name: arm[arm["cost"] <= budget]["found"].max() if len(arm) else np.nan
            for name, arm in arms.items()
        }
        rival = max(than, key=lambda name: best[name])
        known = np.isfinite(best[of])
        mine = f"{best[of]:.3f}" if known else "nothing yet"
        said.append(f"{shots} shots: {mine} against {best[rival]:.3f} of {rival}")
        outcomes.append(int(np.sign(round(best[of] - best[rival], 3))) if known else -1)
        for name, arm in arms.items():
            axes.step(arm["cost"], arm["found"], where="post", label=name)
        axes.axvline(budget, color="0.6", lw=1, ls=":")
        axes.set(xscale="log", xlabel="passes", title=f"{shots} shots")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("best validation accuracy so far")
    look = {"frameon": False, "fontsize": 8, "loc": "outside upper center"}
    figure.legend(*panels[-1].get_legend_handles_labels(), ncols=len(arms), **look)
    return Verdict(_judgement(outcomes), "; ".join(said), figure)


def _found(evidence: Evidence) -> pd.DataFrame:
    """The shots, trainer, cost so far and best score so far: a row per epoch of each trial."""
    curves = evidence.curves
    curves = curves[curves["kind"] == "trial"].assign(
        passes=lambda c: c["passes/forward"] + BACKWARD * c["passes/backward"]
    )
    # A trial costs the sum over its folds and seeds, and scores their mean.
    epochs = curves.groupby(["trial", "epoch"]).agg(
        passes=("passes", "sum"), score=("validation_accuracy", "mean")
    )
    trials = evidence.runs[evidence.runs["kind"] == "trial"].drop_duplicates("trial")
    rows = epochs.reset_index().merge(trials[["trial", "trainer", "shots"]], on="trial")
    arms = rows.groupby(["trainer", "shots"], group_keys=False)
    own = rows["passes"] - rows.groupby("trial")["passes"].shift(fill_value=0)
    rows = rows.assign(cost=own)
    rows["cost"] = rows.groupby(["trainer", "shots"])["cost"].cumsum()
    return rows.assign(found=arms["score"].cummax())


def _judgement(outcomes: list[int]) -> str:
    """One verdict for several numbers of shots."""
    if all(o == 1 for o in outcomes):
        return "holds"
    if all(o == 0 for o in outcomes):
        return "not shown"
    return "does not hold" if max(outcomes) <= 0 else "depends"
