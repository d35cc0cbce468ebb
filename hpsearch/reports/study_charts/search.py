"""Figures of what was drawn and how good it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hpsearch.analysis.ranking import feasible_score
from hpsearch.counts import count_of
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.charts import WINNER, Axis, Chart, Panel, Series, Surface, Value
from hpsearch.reports.study_view import StudyView
from hpsearch.value_texts import value_text

GRID = 40  # points a side of the contour
MOST_PANELS = 12  # parameters whose slices and funnels are drawn
NEIGHBOURS = 12  # trials that a point of the contour is averaged over
FEW = 8  # trials, all of which are drawn where they are
FAR = 3.0  # times the distance from the median to the best: scores that are still drawn


def history(view: StudyView) -> Chart:
    """Every trial's score, and the best so far at full length."""
    series = []
    ends = _shown(view)
    for i, epochs in enumerate(view.lengths):
        last = [r for r in view.records if r.length == epochs]
        last = [r for r in last if r.outcome.ranked and _within(r.scores[epochs], ends)]
        scores = [r.scores[epochs] for r in last]
        notes = [note(view, r) for r in last]
        name = count_of(epochs, "epoch")
        series.append(Series(name, [r.number for r in last], scores, color=i, notes=notes))
    series += _beyond(view, ends)
    last_length = view.lengths[-1] if view.lengths else 0
    full = [r for r in view.records if feasible_score(r, last_length) is not None]
    full = [r for r in full if r.outcome is Outcome.COMPLETE]
    best = max if view.result.direction == "maximize" else min
    numbers: list[int] = []
    so_far: list[float] = []
    for record in full:  # in steps
        if so_far:
            numbers, so_far = [*numbers, record.number], [*so_far, so_far[-1]]
        score = record.scores[last_length]
        numbers.append(record.number)
        so_far.append(best(score, so_far[-1]) if so_far else score)
    series.append(Series("best so far at full length", numbers, so_far, "line", color=None))
    series += winner_mark(view, [float(r.number) for r in view.records])
    return Chart(
        "optimization_history",
        "Optimization history",
        "Each trial at its longest training; diverged and failed trials have no score.",
        [Panel(series, "trial", view.result.objective, y_range=ends, whole_x=True)],
    )


def winner_mark(view: StudyView, x: Sequence[Value]) -> list[Series]:
    """The winner, to be drawn last.

    Args:
        x: where each trial lies.
    """
    places = dict(zip((r.number for r in view.records), x, strict=True))
    winner = view.by_number.get(view.result.best_number)
    score = None if winner is None else view.score(winner)
    if winner is None or score is None:
        return []
    where = ([places[winner.number]], [score])
    name = f"trial {winner.number}, the winner"
    return [Series(name, *where, color=WINNER, notes=[note(view, winner)], heavy=True)]


def _shown(view: StudyView) -> tuple[float, float] | None:
    """The ends of the scores that are drawn: half of all trials lie within, and the best.

    Worse ones by more than the better half is wide stand at the edge, as one that learned nothing
    would press all others together. None: all are drawn where they are.
    """
    scores = sorted(s for r in view.records if (s := view.score(r)) is not None)
    if len(scores) < FEW:
        return None
    low, high = scores[0], scores[-1]
    middle = scores[len(scores) // 2]
    if view.result.direction == "maximize":
        low = max(low, middle - FAR * (high - middle))
    else:
        high = min(high, middle + FAR * (middle - low))
    if low == high or (low, high) == (scores[0], scores[-1]):
        return None
    margin = 0.06 * (high - low)
    return low - margin, high + margin


def _within(score: float, ends: tuple[float, float] | None) -> bool:
    return ends is None or ends[0] <= score <= ends[1]


def _beyond(view: StudyView, ends: tuple[float, float] | None) -> list[Series]:
    """Trials whose scores lie beyond the figure, at its edge."""
    gone = [r for r in view.records if (s := view.score(r)) is not None and not _within(s, ends)]
    if ends is None or not gone:
        return []
    worse = "lower" if view.result.direction == "maximize" else "higher"
    edge = ends[0] if worse == "lower" else ends[1]
    notes = [f"{note(view, r)}: {view.score(r):.4g}" for r in gone]
    name = f"{len(gone)} {worse} than shown"
    numbers = [r.number for r in gone]
    return [Series(name, numbers, [edge] * len(gone), color=None, notes=notes)]


def importance(view: StudyView) -> Chart | None:
    """Which parameters mattered."""
    found = view.importances
    if not found:
        return None
    known = list(found.values())
    bars = Series(
        "",
        list(found),
        [one.share for one in known],
        "bars",
        low=[one.low for one in known],
        top=[one.high for one in known],
    )
    return Chart(
        "parameter_importance",
        "Parameter importance",
        f"PED-ANOVA on the scores after {count_of(view.lengths[0], 'epoch')}, which every trial "
        "has: how much the best tenth of them differs from all others. A parameter that only "
        "some trials have counts as far as the best trials have it. A choice among few options "
        "has a smaller share than a range that matters as much. Lines are 95 % bootstrap "
        "intervals: they show what another search with as many trials might give.",
        [Panel([bars], "", "share")],
    )


def parallel(view: StudyView) -> Chart | None:
    """Every scored trial as a line through its parameters."""
    scored = [r for r in view.records if view.score(r) is not None]
    names = view.searched
    if len(scored) < 2 or not names:
        return None
    axes = [_axis(view, name, [view.active(r).get(name) for r in scored]) for name in names]
    scores = [float(view.score(r) or 0.0) for r in scored]
    return Chart(
        "parallel_coordinates",
        "Parallel coordinates",
        "One line per trial, coloured by its score at its longest training; drag along an axis to "
        "select lines. Trials without a parameter cross its axis at the bottom.",
        shade_label=view.result.objective,
        axes=[*axes, Axis(view.result.objective, scores)],
        minimized=view.result.direction == "minimize",
    )


def _axis(view: StudyView, name: str, values: list[Any]) -> Axis:
    choices = view.choices(name)
    if choices is not None:
        places = [float(choices.index(v)) if v in choices else math.nan for v in values]
        ticks = [float(i) for i in range(len(choices))]
        return Axis(name, places, ticks, [value_text(choice) for choice in choices])
    numbers = [math.nan if v is None else float(v) for v in values]
    if not view.log(name):
        return Axis(name, numbers)
    logs = [math.log10(v) if v > 0 else math.nan for v in numbers]
    known = [v for v in logs if not math.isnan(v)] or [0.0]
    ticks = [float(t) for t in range(math.floor(min(known)), math.ceil(max(known)) + 1)]
    return Axis(name, logs, ticks, [f"1e{int(t)}" for t in ticks])


def slices(view: StudyView) -> Chart | None:
    """The score against each parameter alone."""
    ordered = sorted(view.searched, key=lambda name: -view.importance.get(name, 0.0))
    panels, ends = [], _shown(view)
    for name in ordered[:MOST_PANELS]:
        here = [r for r in view.records if name in view.active(r)]
        here = [r for r in here if (s := view.score(r)) is not None and _within(s, ends)]
        if not here:
            continue
        values = [view.value(r, name) for r in here]
        choices = view.choices(name)
        points = Series(
            "",
            [value_text(v) for v in values] if choices is not None else values,
            [float(view.score(r) or 0.0) for r in here],
            shade=[float(r.number) for r in here],
            notes=[note(view, r) for r in here],
        )
        marked = [points, *_winner_slice(view, name)]
        panel = Panel(marked, name, view.result.objective, log_x=view.log(name), y_range=ends)
        whole = choices is None and all(isinstance(value, int) for value in values)
        panels.append(replace(panel, whole_x=whole))
    if not panels:
        return None
    return Chart(
        "slices",
        "Slices",
        "The score of every trial against one parameter at a time, the most important first"
        + (f"; {gone[0].name}." if (gone := _beyond(view, ends)) else "."),
        panels,
        shade_label="trial",
    )


def _winner_slice(view: StudyView, name: str) -> list[Series]:
    winner = view.by_number.get(view.result.best_number)
    if winner is None or name not in view.active(winner):
        return []
    value = view.value(winner, name)
    place = value_text(value) if view.choices(name) is not None else value
    return winner_mark(view, [place for _ in view.records])


def contour(view: StudyView) -> Chart | None:
    """The score over the two most important ranges."""
    names = view.numeric()[:2]
    if len(names) < 2:
        return None
    here = [
        r
        for r in view.records
        if view.score(r) is not None and all(name in view.active(r) for name in names)
    ]
    if len(here) < NEIGHBOURS:
        return None
    places = [np.array([float(view.value(r, name)) for r in here]) for name in names]
    scores = np.array([view.score(r) for r in here], float)
    scaled, grids = [], []
    for name, values in zip(names, places, strict=True):
        flat = np.log10(values) if view.log(name) else values
        low, high = float(flat.min()), float(flat.max())
        if low == high:
            return None
        scaled.append((flat - low) / (high - low))
        steps = np.linspace(low, high, GRID)
        grids.append(10**steps if view.log(name) else steps)
    z = _smoothed(np.stack(scaled, axis=1), scores)
    points = Series(
        "trials",
        places[0].tolist(),
        places[1].tolist(),
        color=None,
        notes=[note(view, r) for r in here],
    )
    surface = Surface(grids[0].tolist(), grids[1].tolist(), z.tolist())
    winner = []
    for r in (r for r in here if r.number == view.result.best_number):
        x, y = ([float(view.value(r, name))] for name in names)
        winner.append(Series(f"trial {r.number}, the winner", x, y, color=WINNER, heavy=True))
    panel = Panel(
        [points, *winner],
        names[0],
        names[1],
        log_x=view.log(names[0]),
        log_y=view.log(names[1]),
        surface=surface,
    )
    return Chart(
        "contour",
        "Contour",
        f"The score over {names[0]} and {names[1]}, interpolated as a distance-weighted mean of "
        f"the {NEIGHBOURS} nearest trials; values between the points are estimates.",
        [panel],
        shade_label=view.result.objective,
    )


def _smoothed(places: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Scores on the unit square's grid, (GRID, GRID), rows along the second parameter."""
    steps = np.linspace(0, 1, GRID)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 1, 2)
    square = ((grid - places) ** 2).sum(axis=-1)
    nearest = np.argpartition(square, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
    weights = 1 / (np.take_along_axis(square, nearest, axis=1) + 1e-3)
    means = (weights * scores[nearest]).sum(axis=1) / weights.sum(axis=1)
    found: np.ndarray = means.reshape(GRID, GRID)
    return found


def divergence(view: StudyView) -> Chart | None:
    """Where in the space trials diverged."""
    gone = [r for r in view.records if r.outcome is Outcome.DIVERGED]
    names = view.numeric()
    if not gone or not names:
        return None
    x = max(names, key=lambda name: _separation(view, name, gone))
    y = next((name for name in names if name != x), None)
    panels_series = []
    for label, color, chosen in (
        ("finite", 0, [r for r in view.records if r.outcome.ranked]),
        (str(Outcome.DIVERGED), 3, gone),
    ):
        here = [r for r in chosen if x in view.active(r)]
        panels_series.append(
            Series(
                label,
                [float(view.value(r, x)) for r in here],
                [float(view.value(r, y)) if y in view.active(r) else math.nan for r in here]
                if y
                else [float(r.number) for r in here],
                color=color,
                notes=[note(view, r) for r in here],
            )
        )
    panel = Panel(
        *(panels_series, x, y or "trial"),
        log_x=view.log(x),
        log_y=bool(y) and view.log(str(y)),
        whole_y=y is None,
    )
    return Chart(
        "divergence_map",
        "Divergence map",
        f"Trials whose loss became infinite or undefined: {len(gone)} of {len(view.records)}.",
        [panel],
    )


def _separation(view: StudyView, name: str, gone: list[TrialRecord]) -> float:
    """How far apart the diverged trials' mean rank in a parameter is from the others'."""
    here = sorted(
        (r for r in view.records if name in view.active(r)),
        key=lambda r: float(view.value(r, name)),
    )
    numbers = {r.number for r in gone}
    ranks: dict[bool, list[int]] = {True: [], False: []}
    for rank, record in enumerate(here):
        ranks[record.number in numbers].append(rank)
    if not all(ranks.values()):
        return 0.0
    return abs(float(np.mean(ranks[True]) - np.mean(ranks[False]))) / len(here)


def note(view: StudyView, record: TrialRecord) -> str:
    """What the pointer shows of a trial."""
    params = ", ".join(
        f"{name} = {value_text(value, '.4g')}"
        for name, value in view.space.searched(record.params).items()
    )
    return f"trial {record.number} ({record.outcome}): {params}"
