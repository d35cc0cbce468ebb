"""Figures of how a study went: narrowing, learning curves, workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from hpsearch.records.range_row import RangeRow
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.charts import WINNER, Chart, Panel, Series, case_colors
from hpsearch.reports.study_charts.search import MOST_PANELS, note
from hpsearch.reports.study_view import StudyView

Run = tuple[Sequence[int], Mapping[str, Sequence[float]]]  # epochs, and values by metric
CURVES = 8  # trials whose learning curves are drawn
KINDS = {
    "trial": "trials",
    "confirmation": "confirmation",
    "default": "defaults",
    "test": "refits and test",
    "default-test": "defaults, refitted",
    "path": "explained",
    "all-rows": "model on all rows",
}


def funnel(view: StudyView) -> Chart | None:
    """How far each range has narrowed from stage to stage, over what was drawn."""
    panels = []
    for name in view.numeric()[:MOST_PANELS]:
        rows = [
            row
            for row in view.ranges
            if row.parameter == name and row.branch == "" and row.low is not None
        ]
        drawn = [r for r in view.records if name in view.active(r)]
        if not rows or not drawn:
            continue
        band = Series(
            "narrowed range",
            [row.stage + 1.5 for row in rows],
            [float(row.low or 0) for row in rows],
            "band",
            top=[float(row.high or 0) for row in rows],
        )
        marks = [m for m in (_alarms(rows), _reopened(view, rows)) if m.x]
        points = Series(
            "draws",
            [r.stage + 1 for r in drawn],
            [float(view.value(r, name)) for r in drawn],
            color=None,
            notes=[note(view, r) for r in drawn],
        )
        shown = [band, points, *marks]
        panels.append(Panel(shown, "stage", name, log_y=view.log(name), whole_x=True))
    if not panels:
        return None
    return Chart(
        "narrowing",
        "Narrowing",
        "The range at the end of each stage, between the draws of the stages before and after; it "
        "is soft, and some draws are global. An edge alarm marks a declared end at which the "
        "best trials lie; a re-opening mark shows survivors outside the previous range. "
        "narrowing.csv has the trials that set each range.",
        panels,
    )


def _alarms(rows: Sequence[RangeRow]) -> Series:
    """A mark at each declared end that survivors are piled up at."""
    found = [
        (row, edge, line) for row in rows for edge, line in zip(row.edges, row.alarms, strict=True)
    ]
    ends = [row.low if edge == "low" else row.high for row, edge, _ in found]
    return Series(
        "edge alarm",
        [row.stage + 1.5 for row, _, _ in found],
        [float(end or 0) for end in ends],
        color=3,
        notes=[line for _, _, line in found],
    )


def _reopened(view: StudyView, rows: Sequence[RangeRow]) -> Series:
    """A mark at each survivor that a range was widened again for."""
    found = [(row, view.by_number[n]) for row in rows for n in row.reopened_by]
    return Series(
        "re-opened for",
        [row.stage + 1.5 for row, _ in found],
        [float(view.value(record, row.parameter)) for row, record in found],
        color=2,
        notes=[note(view, record) for _, record in found],
    )


def curves(view: StudyView) -> Chart | None:
    """The learning curves of the best trials, in a comparison of each case's winner; None where
    one epoch is all there is."""
    if view.result.arms:
        return _curves_of_cases(view)
    series, curve = [], view.result.curve
    # The winner comes last, so that it lies above all others.
    winner = view.result.best_number
    best = sorted(view.result.top[:CURVES], key=lambda entry: entry["number"] == winner)
    for entry in best:
        record = view.by_number[entry["number"]]
        values = record.mean_history().get(curve, [])
        ours = entry["number"] == winner
        name = f"trial {entry['number']}" + (", the winner" if ours else "")
        if ours:
            series += _spread(view, record)
        series.append(
            Series(
                name if ours else "other best trials",
                record.epochs[: len(values)],
                values,
                "line",
                color=WINNER if ours else None,
                notes=[name],
                heavy=ours,
            )
        )
    if all(len(one.x) < 2 for one in series):
        return None
    return Chart(
        "learning_curves",
        "Learning curves of the best",
        "The mean over folds after every evaluated epoch. Bands show the winner's range over "
        "folds in the search, and over repeats in the confirmation.",
        [Panel(series, "epoch", curve, whole_x=True)],
    )


def _curves_of_cases(view: StudyView) -> Chart | None:
    """The learning curve of each case's winner in the case's colour, over other trials'."""
    result, curve = view.result, view.result.curve
    winners = [arm.best_number for arm in result.arms]
    grey, ribbons, lines = [], [], []
    for entry in result.top:
        record = view.by_number[entry["number"]]
        if record.number not in winners:
            values, note_of_it = record.mean_history().get(curve, []), f"trial {record.number}"
            x = record.epochs[: len(values)]
            grey.append(
                Series("other best trials", x, values, "line", color=None, notes=[note_of_it])
            )
    colors = case_colors([arm.values for arm in result.arms])
    for arm, color in zip(result.arms, colors, strict=True):
        if arm.best_number is None:
            continue
        record = view.by_number[arm.best_number]
        runs = _repeats(view, record) or [(record.epochs, record.mean_history())]
        epochs, columns = _columns(runs, curve)
        if len(runs) > 1:
            low, high = [min(column) for column in columns], [max(column) for column in columns]
            ribbons.append(Series("", epochs, low, "ribbon", top=high, color=color))
        means, notes = [fmean(column) for column in columns], [f"trial {record.number}"]
        lines.append(Series(arm.name, epochs, means, "line", color=color, notes=notes, heavy=True))
    if all(len(one.x) < 2 for one in lines):
        return None
    return Chart(
        "learning_curves",
        "Learning curves of the cases",
        "The winner of each case in the colour that the case has in all figures: the mean over "
        "the repeats of the confirmation after every evaluated epoch, and their range as a band. "
        "Grey lines are other trials of the search.",
        [Panel([*grey, *ribbons, *lines], "epoch", curve, whole_x=True)],
    )


def _repeats(view: StudyView, record: TrialRecord) -> list[Run]:
    """The learning curves of a trial's confirmation, one a repeat."""
    again = [r for r in view.folder.read_all("confirmation") if r.number == record.number]
    return [(r.epochs, r.mean_history()) for r in again]


def _columns(runs: Sequence[Run], curve: str) -> tuple[list[int], list[Sequence[float]]]:
    """The epochs that all runs have, and at each of them the values of all."""
    known = [history.get(curve, []) for _, history in runs]
    length = min(map(len, known), default=0)
    columns = zip(*(values[:length] for values in known), strict=True)
    return list(runs[0][0][:length]), list(columns)


def _spread(view: StudyView, record: TrialRecord) -> list[Series]:
    """From the lowest to the highest of a trial's folds, and of its repeats."""
    folds = [(member.epochs, member.history) for member in record.members]
    series = []
    for name, color, found in (("folds", 4, folds), ("repeats", 1, _repeats(view, record))):
        if len(found) < 2:
            continue
        epochs, columns = _columns(found, view.result.curve)
        if len(columns) < 2:
            continue
        low, high = [min(column) for column in columns], [max(column) for column in columns]
        series.append(Series(f"the winner's {name}", epochs, low, "ribbon", top=high, color=color))
    return series


def timeline(view: StudyView) -> Chart | None:
    """What each worker did when."""
    if not view.slices:
        return None
    start = min(line["began"] for line in view.slices)
    workers = sorted({line["worker"] for line in view.slices})
    places = {worker: float(place) for place, worker in enumerate(workers, 1)}
    series = []
    for color, kind in enumerate(KINDS):
        here = [line for line in view.slices if line["kind"] == kind]
        series.append(
            Series(
                KINDS[kind],
                [line["began"] - start for line in here],
                [places[line["worker"]] for line in here],
                "spans",
                top=[line["began"] - start + line["seconds"] for line in here],
                color=color,
                notes=["trials " + ", ".join(map(str, line["trials"])) for line in here],
            )
        )
    series = [one for one in series if one.x]
    panel = Panel(series, "seconds since the first slice", "worker process", whole_y=True)
    return Chart(
        "workers",
        "Timeline of the workers",
        "Each bar is a slice: a group of trials in one process; gaps are idle time.",
        [panel],
    )
