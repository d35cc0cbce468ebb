"""Figure of a comparison: what each case's winner scores, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from hpsearch.records.estimate import Estimate
from hpsearch.reports.charts import Chart, Panel, Series, case_colors
from hpsearch.reports.study_view import StudyView
from hpsearch.value_texts import value_text


def cases(view: StudyView) -> Chart | None:
    """The objective of each case as confirmed, and on the test set."""
    result = view.result
    if not result.arms:
        return None
    panels: list[Panel] = []
    names = [", ".join(map(value_text, arm.values.values())) for arm in result.arms]
    colors = case_colors([arm.values for arm in result.arms])
    best = [arm.best_number == result.best_number for arm in result.arms]
    for label, found in (
        (result.objective, [arm.validation for arm in result.arms]),
        (result.test_name, [arm.test.get(result.test_name) for arm in result.arms]),
    ):
        panel = interval_panel(
            *(names, found, ", ".join(result.arms[0].values), label, colors),
            winner=best.index(True) if True in best else None,
        )
        panels += [] if panel is None else [panel]
    if not panels:
        return None
    return Chart(
        "cases",
        "Cases",
        "Each case is represented by its winner: confirmed means and, if there is a test set, "
        "means of the refits, with their 95 % intervals. The star is the winner of the study. A "
        "case has the same colour in all figures.",
        panels,
    )


def interval_panel(
    names: Sequence[str],
    estimates: Sequence[Estimate | None],
    x: str,
    y: str,
    colors: Sequence[int],
    *,
    winner: int | None = None,
) -> Panel | None:
    """A mean with its interval for each name that has one; None where none has.

    Args:
        x, y: what names and estimates are.
        colors: one a name.
        winner: the place of the one that is drawn as a star; None: there is none.
    """
    places = [place for place, one in enumerate(estimates) if one is not None]
    series = []
    for place in places:  # one by one, so that names stay in their order
        one = estimates[place]
        assert one is not None
        low, high = _ends(one)
        series.append(
            Series(
                "",
                [names[place]],
                [one.mean],
                "intervals",
                low=[low],
                top=[high],
                color=colors[place],
                heavy=place == winner,
            )
        )
    return Panel(series, x, y) if series else None


def _ends(estimate: Estimate) -> tuple[float, float]:
    if estimate.low is None or estimate.high is None:
        return estimate.mean, estimate.mean
    return estimate.low, estimate.high
