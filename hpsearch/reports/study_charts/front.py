"""Figure of a Pareto front: objectives against each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from hpsearch.analysis.ranking import front, standing
from hpsearch.counts import count_of
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import FrontMember
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.charts import WINNER, Chart, Panel, Series
from hpsearch.reports.study_charts.search import note
from hpsearch.reports.study_view import StudyView

WIDE = 30  # times the least: a range of values that is shown on a log axis


def pareto_front(view: StudyView) -> Chart | None:
    """Each pair of objectives of the trials of full length, with the fronts."""
    result = view.result
    if not result.objectives:
        return None
    at = view.lengths[-1]
    there = [r for r in view.records if at in r.values and r.outcome is Outcome.COMPLETE]
    standings = [standing(record, at) for record in there]
    best = {s.number for s in front(standings, result.directions)}
    missing = {s.number for s in standings if s.violation}
    groups: list[tuple[str, list[TrialRecord], int | None]] = [
        ("dominated", [r for r in there if r.number not in best | missing], None),
        ("infeasible", [r for r in there if r.number in missing], 3),
        ("front in the search", [r for r in there if r.number in best], 0),
    ]
    panels = []
    for x, y in combinations(result.objectives, 2):
        series = [
            Series(
                name,
                [r.values[at][x] for r in records],
                [r.values[at][y] for r in records],
                color=color,
                notes=[note(view, r) for r in records],
            )
            for name, records, color in groups
            if records
        ]
        series += _fresh(result.front, x, y)
        logs = {name: _wide([r.values[at][name] for r in there]) for name in (x, y)}
        panels.append(Panel(series, x, y, log_x=logs[x], log_y=logs[y]))
    return Chart(
        "pareto_front",
        "Pareto front",
        f"Trials after {count_of(at, 'epoch')}, and the front of the confirmed ones by their "
        "means over the confirmation runs: no other confirmed trial is as good in every objective "
        "and better in one.",
        panels,
    )


def _fresh(members: Sequence[FrontMember], x: str, y: str) -> list[Series]:
    """The front by its confirmation runs, whose first member is the winner."""
    groups = [("front of the confirmation runs", members[1:], 1, False)]
    groups += [(f"trial {m.number}, the winner", [m], WINNER, True) for m in members[:1]]
    return [
        Series(
            name,
            [member.values[x].mean for member in group],
            [member.values[y].mean for member in group],
            color=color,
            notes=[f"trial {member.number}, confirmed" for member in group],
            heavy=heavy,
        )
        for name, group, color, heavy in groups
        if group
    ]


def _wide(values: Sequence[float]) -> bool:
    return bool(values) and min(values) > 0 and max(values) > WIDE * min(values)
