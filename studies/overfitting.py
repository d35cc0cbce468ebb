"""The checks of overfitting.toml: training accuracy and accuracy on other images."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from hpsearch.claims import Evidence, Verdict

PLAIN = {"weight_decay": 0.0, "dropout": 0.0}


def by_heart(evidence: Evidence) -> Verdict:
    """Check that training accuracy is 1 and accuracy on other images over a tenth lower."""
    runs = _having(evidence, PLAIN)
    train, other = runs["train_accuracy"].mean(), runs["validation_accuracy"].mean()
    holds = train > 0.995 and train - other > 0.1
    return Verdict(
        "holds" if holds else "does not hold",
        f"{train:.3f} on its 300 images, {other:.3f} on others",
        _curves(evidence, PLAIN),
    )


def narrower(evidence: Evidence, of: dict[str, Any]) -> Verdict:
    """Compare the gap at the end with the plain network's, for each seed."""
    gaps = {name: _gap(_having(evidence, v)) for name, v in (("of", of), ("plain", PLAIN))}
    smaller = gaps["of"] < gaps["plain"]
    judgement = "holds" if smaller.all() else "depends" if smaller.any() else "does not hold"
    return Verdict(
        judgement,
        f"gap {gaps['of'].mean():.3f} against {gaps['plain'].mean():.3f}, smaller on "
        f"{smaller.sum()} of {len(smaller)} seeds; training accuracy "
        f"{_having(evidence, of)['train_accuracy'].mean():.3f}",
        _curves(evidence, of),
    )


def _having(evidence: Evidence, values: dict[str, Any]) -> pd.DataFrame:
    runs = evidence.runs[evidence.runs["kind"] == "trial"]
    for name, value in values.items():
        runs = runs[runs[name] == value]
    return runs


def _gap(runs: pd.DataFrame) -> pd.Series:
    own = runs.set_index("seed")
    return own["train_accuracy"] - own["validation_accuracy"]


def _curves(evidence: Evidence, values: dict[str, Any]) -> Figure:
    numbers = _having(evidence, values)["trial"].unique()
    curves = evidence.curves[evidence.curves["trial"].isin(numbers)]
    curves = curves[curves["kind"] == "trial"]
    figure = Figure(figsize=(5.0, 3.2), layout="constrained")
    axes = figure.subplots()
    for name, label in (("train_accuracy", "its images"), ("validation_accuracy", "others")):
        over = curves.groupby("epoch")[name]
        axes.plot(over.mean().index, over.mean(), label=label)
        axes.fill_between(over.mean().index, over.min(), over.max(), alpha=0.15, lw=0)
    title = ", ".join(f"{name} = {value:g}" for name, value in values.items())
    axes.set(xlabel="epoch", ylabel="accuracy", title=title)
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    return figure
