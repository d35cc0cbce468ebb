"""Figures of a comparison: scores of its arms, their learning curves, their predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.records.result import ArmResult, Result
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.canvas import new_figure, write_png
from hpsearch.reports.charts import WINNER, case_colors, color_of
from hpsearch.reports.marks import plain
from hpsearch.value_texts import value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IMAGES = 20  # of the test set, shown with what each arm takes them for


def draw_arms(path: Path, result: Result, records: Sequence[TrialRecord]) -> None:
    """Each arm's score on the test set, and its winner's learning curve, as PNG.

    One panel for each combination of all compared values but the first. A case has its colour of
    all figures; the winner of the study is a star, with a wide curve, and is drawn last. Curves
    are means over fresh seeds of the objective; where a protocol scores the test set after every
    epoch, they are the winner's own on the test set instead. After a single epoch there are none.
    """
    groups = _groups(result.arms)
    watched = _watched(records)
    curves = {id(arm): _curves(arm, watched, result, records) for arm in result.arms}
    n_rows = 2 if any(curve.epochs for curve in curves.values()) else 1
    of_arms = case_colors([arm.values for arm in result.arms])
    colors = {id(arm): color_of(color) for arm, color in zip(result.arms, of_arms, strict=True)}
    name_of = _full_name if len(result.arms) <= WINNER else _name
    figure = new_figure(3.1 * max(len(groups), 2), 0.6 + 3.1 * n_rows)
    rows = figure.subplots(n_rows, len(groups), sharey="row", squeeze=False)
    for column, (title, arms) in enumerate(groups.items()):
        ours = [_is_winner(arm, result) for arm in arms]
        for place in sorted(range(len(arms)), key=ours.__getitem__):
            arm = arms[place]
            name = name_of(arm) + (", the winner" if ours[place] else "")
            series = _Drawn(place, plain(name), colors[id(arm)], winner=ours[place])
            _bar(rows[0, column], series, arm, result.test_name)
            if n_rows > 1:
                _curve(rows[1, column], series, curves[id(arm)])
        names = [plain(_name(arm)) for arm in arms]
        rows[0, column].set_xticks(range(len(arms)), names, rotation=30, ha="right", fontsize=8)
        rows[0, column].set(title=plain(title), xlim=(-0.6, max(len(arms) - 1, 1) + 0.6))
        rows[0, column].set_xlabel(plain(next(iter(arms[0].values))))
        if n_rows > 1:
            rows[1, column].set_xlabel("epoch")
            rows[1, column].xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    for axes in rows.ravel():
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    rows[0, 0].set_ylabel(plain(f"{result.test_name} of the refits"))
    if n_rows > 1:
        rows[1, 0].set_ylabel(plain(f"{watched}, optimistic" if watched else result.curve))
    known: dict[str, Any] = {}
    for axes in rows[-1]:
        known |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    look: dict[str, Any] = {"loc": "outside upper center", "ncols": 2 * max(len(groups), 2)}
    figure.legend(known.values(), known.keys(), frameon=False, fontsize=8, **look)
    write_png(path, figure)


def draw_predictions(
    path: Path,
    result: Result,
    records: Sequence[TrialRecord],
    images: NDArray[Any],
    labels: NDArray[np.int64],
) -> None:
    """The first test images with what each arm's first refit takes them for, as PNG.

    Of the arms that share the winner's values but for the first. Nothing where the inputs are no
    square images, or fewer than two arms tell predictions.
    """
    side = isqrt(images.shape[1])
    predicted = _predictions(result, records)
    if side * side != images.shape[1] or len(predicted) < 2:
        return
    n = min(IMAGES, len(images))
    figure = new_figure(0.62 * n, 1.1 + 0.22 * len(predicted))
    for place, axes in enumerate(figure.subplots(1, n)):
        axes.imshow(images[place].reshape(side, side), cmap="gray_r")
        axes.set_axis_off()
        axes.set_title(str(labels[place]), fontsize=8)
        for row, taken in enumerate(predicted.values()):
            right = taken[place] == labels[place]
            axes.text(
                *(0.5, -0.25 - 0.3 * row),
                plain(str(taken[place])),
                transform=axes.transAxes,
                ha="center",
                va="center",
                fontsize=9,
                color="black" if right else "red",
                weight="normal" if right else "bold",
            )
    names = "   ".join(f"row {row + 1}: {name}" for row, name in enumerate(predicted))
    figure.supxlabel(plain(f"{names}   (above: the true class)"), fontsize=8)
    write_png(path, figure)


def _groups(arms: Sequence[ArmResult]) -> dict[str, list[ArmResult]]:
    """Arms by the text of all their values but the first."""
    groups: dict[str, list[ArmResult]] = {}
    for arm in arms:
        _, *others = arm.values.items()
        groups.setdefault(", ".join(f"{k} = {value_text(v)}" for k, v in others), []).append(arm)
    return groups


def _name(arm: ArmResult) -> str:
    return value_text(next(iter(arm.values.values())))


def _full_name(arm: ArmResult) -> str:
    return ", ".join(map(value_text, arm.values.values()))


def _is_winner(arm: ArmResult, result: Result) -> bool:
    return arm.best_number is not None and arm.best_number == result.best_number


@dataclass(frozen=True)
class _Drawn:
    """How an arm is drawn."""

    place: int
    name: str
    color: str
    winner: bool

    @property
    def look(self) -> dict[str, Any]:
        return {"color": self.color, "label": self.name, "zorder": 3 if self.winner else 2}


@dataclass(frozen=True)
class _Curves:
    """The learning curves of an arm's winner, one a run: (runs, epochs)."""

    epochs: Sequence[int]
    values: NDArray[np.float64]


def _bar(axes: Axes, drawn: _Drawn, arm: ArmResult, metric: str) -> None:
    estimate = arm.test.get(metric)
    if estimate is None:
        return
    mean = estimate.mean
    low, high = (mean if end is None else end for end in (estimate.low, estimate.high))
    mark = {"fmt": "*", "ms": 11} if drawn.winner else {"fmt": "o"}
    ends = [[mean - low], [high - mean]]
    axes.errorbar(drawn.place, mean, ends, capsize=4, **mark, **drawn.look)


def _watched(records: Sequence[TrialRecord]) -> str:
    """The test metric that trials have after every epoch; "" where none is."""
    names = (name for r in records if r.kind == "trial" for name in r.members[0].history)
    return next((name for name in names if name == "test_accuracy"), "")


def _curves(
    arm: ArmResult, watched: str, result: Result, records: Sequence[TrialRecord]
) -> _Curves:
    """Empty where there are none, or they have a single epoch, which is no curve."""
    kind = "trial" if watched else "confirmation"
    mine = [r for r in records if r.kind == kind and r.number == arm.best_number]
    histories = [r.mean_history().get(watched or result.curve, []) for r in mine]
    n = min(map(len, histories), default=0)
    if n < 2:
        return _Curves([], np.empty((0, 0)))
    return _Curves(mine[0].epochs[:n], np.array([history[:n] for history in histories]))


def _curve(axes: Axes, drawn: _Drawn, curves: _Curves) -> None:
    if not curves.epochs:
        return
    epochs, values = curves.epochs, curves.values
    axes.plot(epochs, values.mean(axis=0), lw=2.2 if drawn.winner else 1.2, **drawn.look)
    axes.fill_between(
        epochs, values.min(axis=0), values.max(axis=0), color=drawn.color, alpha=0.15, lw=0
    )


def _predictions(result: Result, records: Sequence[TrialRecord]) -> Mapping[str, list[int]]:
    """What the first refit of each arm beside the winner's took the test images for."""
    (best,) = [arm for arm in result.arms if arm.best_number == result.best_number]
    beside = [arm for arm in result.arms if _others(arm) == _others(best)]
    found = {}
    for arm in beside:
        tests = [r for r in records if r.kind == "test" and r.number == arm.best_number]
        known = [r.members[0].predicted for r in tests if r.members[0].predicted is not None]
        if known:
            found[_name(arm)] = known[0]
    return found


def _others(arm: ArmResult) -> list[Any]:
    return list(arm.values.values())[1:]
