"""What the search said of the best, and what they score when they are run again."""

from __future__ import annotations

from collections.abc import Sequence

from hpsearch.records.estimate import Estimate
from hpsearch.reports.charts import WINNER, Chart, Panel, Series, case_colors
from hpsearch.reports.study_view import StudyView
from hpsearch.value_texts import value_text

# Name, score in the search, that when it was run again, and colour.
Row = tuple[str, float | None, Estimate, int]


def confirmed(view: StudyView) -> Chart | None:
    """The confirmed trials and the defaults, on validation data and on the test set."""
    result = view.result
    rows: list[Row] = []
    for number, again in _winner_first(view):
        record = view.by_number.get(number)
        searched = None if record is None else view.score(record)
        ours = number == result.best_number
        case, color = _case(view, number, WINNER if ours else 0)
        name = f"trial {number}{case}" + (", the winner" if ours else "")
        rows.append((name, searched, again, color))
    winner = rows[0]
    case, color = _case(view, result.best_number, 0)
    defaults = f"defaults{case}"
    default = result.default
    if default is not None and default.validation is not None:
        rows.append((defaults, None, default.validation, color))
    tested: list[Row] = []
    if (score := result.test_score) is not None:
        tested.append((winner[0], None, score, winner[3]))
        if default is not None and (other := default.test.get(result.test_name)) is not None:
            tested.append((defaults, None, other, color))
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


def _case(view: StudyView, number: int, usual: int) -> tuple[str, int]:
    """What is said of a trial's case behind its number, and its colour.

    Args:
        usual: the colour where nothing is compared.
    """
    arms = view.result.arms
    if not arms:
        return "", usual
    place = next(arm.index for arm in view.arms if arm.holds(number))
    values = arms[place].values
    colors = case_colors([arm.values for arm in arms])
    return f" ({', '.join(map(value_text, values.values()))})", colors[place]


def _winner_first(view: StudyView) -> list[tuple[int, Estimate]]:
    found = [(int(number), again) for number, again in view.result.confirmed.items()]
    return sorted(found, key=lambda one: one[0] != view.result.best_number)


def _series(rows: Sequence[Row]) -> list[Series]:
    searched = [(name, score) for name, score, *_ in rows if score is not None]
    series = []
    for color, heavy in dict.fromkeys((row[3], _is_star(row)) for row in rows):
        found = [row for row in rows if (row[3], _is_star(row)) == (color, heavy)]
        again = [row[2] for row in found]
        series.append(
            Series(
                "",
                [row[0] for row in found],
                [estimate.mean for estimate in again],
                "intervals",
                low=[e.mean if e.low is None else e.low for e in again],
                top=[e.mean if e.high is None else e.high for e in again],
                color=color,
                notes=[str(estimate) for estimate in again],
                heavy=heavy,
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
    return series


def _is_star(row: Row) -> bool:
    """Whether a row is the winner's without a colour of its own."""
    return row[0].endswith("the winner") and row[3] != WINNER
