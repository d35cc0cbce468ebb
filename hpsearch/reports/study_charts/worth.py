"""Figures of what tuning is worth: the best score by what was spent, and as confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import pandas as pd

from hpsearch.analysis.best_curves import BestCurve, Cost
from hpsearch.analysis.overtuning import Incumbents
from hpsearch.counts import count_of
from hpsearch.reports.charts import Chart, Panel, Series, case_colors
from hpsearch.reports.study_view import StudyView

LABELS: Mapping[Cost, str] = {
    "trials": "trials",
    "trainings": "full trainings",
    "minutes": "minutes of training",
}


def expected_best(view: StudyView) -> Chart | None:
    """The best score after so many trials, full trainings and minutes, an arm a line."""
    panels: list[Panel] = []
    colors = _colors(view)
    for length, of_length in groupby(view.best_curves, key=lambda curve: curve.epochs):
        curves, title = list(of_length), f"after {count_of(length, 'epoch')}"
        # Trainings of the first stage's length are all alike: one cost says what all would.
        labels = dict(list(LABELS.items())[:1]) if panels else LABELS
        for cost, label in labels.items():
            lines = [s for c in curves for s in _curve(c, cost, colors.get(c.arm, 0))]
            panel = Panel(lines, label, view.result.objective, title, whole_x=cost == "trials")
            panels.append(panel)
    if not panels:
        return None
    return Chart(
        "expected_best",
        "What tuning is worth",
        "The best score of a search by its cost. If draws ignore results, it is a mean over all "
        "their orders, with a 95 % bootstrap band (too narrow near the number of trials); "
        "otherwise it is the actual order of this one search, without a band. A full training has "
        "the epochs of one trial of the last stage.",
        panels,
    )


def _colors(view: StudyView) -> dict[str, int]:
    """The colour of each case by its name; {} where nothing is compared."""
    arms = view.result.arms
    return dict(
        zip((arm.name for arm in arms), case_colors([arm.values for arm in arms]), strict=True)
    )


def _curve(curve: BestCurve, cost: Cost, color: int) -> Iterator[Series]:
    spent, n = list(curve.spent(cost)), curve.averaged
    if n:
        yield Series("", spent[:n], curve.low, "ribbon", top=curve.high, color=color)
    # A mean over orders changes little by little, what happened in steps.
    x, y = spent[:n], curve.best[:n]
    for place in range(n, len(spent)):
        if place:
            x, y = [*x, spent[place]], [*y, curve.best[place - 1]]
        x, y = [*x, spent[place]], [*y, curve.best[place]]
    yield Series(curve.arm or "best so far", x, y, "line", color=color, heavy=True)


def incumbents(view: StudyView) -> Chart | None:
    """The successive bests of each arm: in the search, and confirmed."""
    if not view.incumbents:
        return None
    return Chart(
        "incumbents",
        "Successive bests, searched and confirmed",
        "Confirmed trials that were the best so far when they ended: their scores in the search "
        "and in the confirmation, with 95 % intervals. If the former improve and the latter do "
        "not, the search fits only its validation rows.",
        [
            _panel(one, view.result.objective, _colors(view).get(one.arm, 1))
            for one in view.incumbents
        ],
    )


def _panel(one: Incumbents, objective: str, color: int) -> Panel:
    """
    Args:
        color: of what was confirmed; the search is grey.
    """
    minutes = [incumbent.minutes for incumbent in one.found]
    notes = [f"trial {incumbent.number}" for incumbent in one.found]
    again = [incumbent.confirmed for incumbent in one.found]
    searched = [incumbent.searched for incumbent in one.found]
    series = [
        Series("in the search", minutes, searched, "line", color=None, heavy=True),
        Series("in the search", minutes, searched, color=None, notes=notes),
        Series(
            "confirmed",
            minutes,
            [estimate.mean for estimate in again],
            color=color,
            low=[e.mean if e.low is None else e.low for e in again],
            top=[e.mean if e.high is None else e.high for e in again],
            notes=notes,
        ),
    ]
    return Panel(series, "minutes of training", objective, one.arm)


def best_table(curves: Sequence[BestCurve]) -> pd.DataFrame:
    """A row a point of a curve: case, length, whether it is a mean over all orders, what was
    spent, and the (expected) best with its band."""
    rows = [
        {
            "case": curve.arm,
            "epochs": curve.epochs,
            "order": "all orders" if i < curve.averaged else "as it happened",
            "trials": curve.trials[i],
            "full_trainings": curve.trainings[i],
            "minutes": curve.minutes[i],
            "best": best,
            "low": curve.low[i] if i < curve.averaged else None,
            "high": curve.high[i] if i < curve.averaged else None,
        }
        for curve in curves
        for i, best in enumerate(curve.best)
    ]
    columns = ["case", "epochs", "order", "trials", "full_trainings", "minutes", "best"]
    return pd.DataFrame(rows, columns=[*columns, "low", "high"])
