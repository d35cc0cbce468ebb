"""Figure of a comparison: what each case's winner scores, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from hpsearch.records.estimate import Estimate
from hpsearch.reports.charts import WINNER, Chart, Panel, Series
from hpsearch.reports.study_view import StudyView


def cases(view: StudyView) -> Chart | None:
    """The objective of each case as confirmed, and on the test set."""
    result = view.result
    if not result.arms:
        return None
    panels: list[Panel] = []
    for label, color, found in (
        (result.objective, 0, [(arm, arm.validation) for arm in result.arms]),
        (result.test_name, 1, [(arm, arm.test.get(result.test_name)) for arm in result.arms]),
    ):
        names = [", ".join(map(str, arm.values.values())) for arm, _ in found]
        best = [arm.best_number == result.best_number for arm, _ in found]
        panel = interval_panel(
            *(names, [one for _, one in found], ", ".join(result.arms[0].values), label, color),
            winner=best.index(True) if True in best else None,
        )
        panels += [] if panel is None else [panel]
    if not panels:
        return None
    return Chart(
        "cases",
        "Cases",
        "Each case is represented by its winner: confirmed means and, if there is a test set, "
        "means of the refits, with their 95 % intervals. The winner of the study has its colour.",
        panels,
    )


def interval_panel(
    names: Sequence[str],
    estimates: Sequence[Estimate | None],
    x: str,
    y: str,
    color: int,
    *,
    winner: int | None = None,
) -> Panel | None:
    """A mean with its interval for each name that has one; None where none has.

    Args:
        x, y: what names and estimates are.
        winner: the place of the one that has the winner's colour; None: there is none.
    """
    places = [place for place, one in enumerate(estimates) if one is not None]
    series = []
    for place in places:  # one by one, so that names stay in their order
        one = estimates[place]
        assert one is not None
        low, high = _ends(one)
        shade = WINNER if place == winner else color
        series.append(
            Series("", [names[place]], [one.mean], "intervals", low=[low], top=[high], color=shade)
        )
    return Panel(series, x, y) if series else None


def _ends(estimate: Estimate) -> tuple[float, float]:
    if estimate.low is None or estimate.high is None:
        return estimate.mean, estimate.mean
    return estimate.low, estimate.high
