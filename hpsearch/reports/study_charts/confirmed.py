"""What the search said of the best, and what they score when they are run again."""

from __future__ import annotations

from collections.abc import Sequence

from hpsearch.records.estimate import Estimate
from hpsearch.reports.charts import WINNER, Chart, Panel, Series
from hpsearch.reports.study_view import StudyView

Row = tuple[str, float | None, Estimate]  # name, score in the search, and when it was run again


def confirmed(view: StudyView) -> Chart | None:
    """The confirmed trials and the defaults, on validation data and on the test set."""
    result = view.result
    rows: list[Row] = []
    for number, again in _winner_first(view):
        record = view.by_number.get(number)
        searched = None if record is None else view.score(record)
        ours = number == result.best_number
        rows.append((f"trial {number}" + (", the winner" if ours else ""), searched, again))
    default = result.default
    if default is not None and default.validation is not None:
        rows.append(("defaults", None, default.validation))
    tested: list[Row] = []
    if (score := result.test_score) is not None:
        tested.append((f"trial {result.best_number}, the winner", None, score))
        if default is not None and (other := default.test.get(result.test_name)) is not None:
            tested.append(("defaults", None, other))
    panels = [
        Panel(_series(found), "", label)
        for label, found in ((result.objective, rows), (result.test_name, tested))
        if len(found) > 1
    ]
    if not panels:
        return None
    return Chart(
        "confirmed",
        "Confirmed and tested",
        "Points with lines are means of repeats with their 95 % intervals; grey points are the "
        "scores of the same trials in the search, where they were also picked for their luck.",
        panels,
    )


def _winner_first(view: StudyView) -> list[tuple[int, Estimate]]:
    found = [(int(number), again) for number, again in view.result.confirmed.items()]
    return sorted(found, key=lambda one: one[0] != view.result.best_number)


def _series(rows: Sequence[Row]) -> list[Series]:
    searched = [(name, score) for name, score, _ in rows if score is not None]
    series = []
    for name, color, found in (
        ("", WINNER, [row for row in rows if row[0].endswith("the winner")]),
        ("", 0, [row for row in rows if not row[0].endswith("the winner")]),
    ):
        again = [estimate for _, _, estimate in found]
        series.append(
            Series(
                name,
                [row[0] for row in found],
                [estimate.mean for estimate in again],
                "intervals",
                low=[e.mean if e.low is None else e.low for e in again],
                top=[e.mean if e.high is None else e.high for e in again],
                color=color,
                notes=[str(estimate) for estimate in again],
            )
        )
    if searched:
        names, scores = zip(*searched, strict=True)
        series.append(
            Series(
                "in the search",
                names,
                scores,
                "intervals",
                low=scores,
                top=scores,
                color=None,
                notes=[f"{score:.4f} in the search" for score in scores],
            )
        )
    return [one for one in series if one.x]
