"""Figures of a comparison: scores of its arms, their learning curves, their predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.records.result import ArmResult, Result
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.canvas import new_figure, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IMAGES = 20  # of the test set, shown with what each arm takes them for


def draw_arms(path: Path, result: Result, records: Sequence[TrialRecord]) -> None:
    """Each arm's score on the test set, and its winner's learning curve, as PNG.

    One panel for each combination of all compared values but the first, which has the colours.
    Curves are means over fresh seeds of the objective; where a protocol scores the test set after
    every epoch, they are the winner's own on the test set instead.
    """
    groups = _groups(result.arms)
    figure = new_figure(3.1 * max(len(groups), 2), 6.2)
    rows = figure.subplots(2, len(groups), sharey="row", squeeze=False)
    for column, (title, arms) in enumerate(groups.items()):
        for place, arm in enumerate(arms):
            _bar(rows[0, column], place, arm, result.test_name)
            _curve(rows[1, column], place, arm, result, records)
        rows[0, column].set(title=title, xticks=[])
        rows[1, column].set_xlabel("epoch")
    watched = _watched(records)
    rows[0, 0].set_ylabel(f"{result.test_name} of the refits")
    rows[1, 0].set_ylabel(f"{watched}, optimistic" if watched else result.curve)
    rows[0, 0].legend(frameon=False, fontsize=8, loc="lower left")
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
                str(taken[place]),
                transform=axes.transAxes,
                ha="center",
                va="center",
                fontsize=9,
                color="black" if right else "red",
                weight="normal" if right else "bold",
            )
    names = "   ".join(f"row {row + 1}: {name}" for row, name in enumerate(predicted))
    figure.supxlabel(f"{names}   (above: the true class)", fontsize=8)
    write_png(path, figure)


def _groups(arms: Sequence[ArmResult]) -> dict[str, list[ArmResult]]:
    """Arms by the text of all their values but the first."""
    groups: dict[str, list[ArmResult]] = {}
    for arm in arms:
        _, *others = arm.values.items()
        groups.setdefault(", ".join(f"{k} = {v}" for k, v in others), []).append(arm)
    return groups


def _name(arm: ArmResult) -> str:
    return str(next(iter(arm.values.values())))


def _bar(axes: Axes, place: int, arm: ArmResult, metric: str) -> None:
    estimate = arm.test.get(metric)
    if estimate is None:
        return
    half = 0 if estimate.high is None else estimate.high - estimate.mean
    axes.errorbar(
        place, estimate.mean, half, fmt="o", capsize=4, color=f"C{place}", label=_name(arm)
    )
    axes.set_xlim(-0.6, max(place, 1) + 0.6)
    axes.grid(alpha=0.3)


def _watched(records: Sequence[TrialRecord]) -> str:
    """The test metric that trials have after every epoch; "" where none is."""
    names = (name for r in records if r.kind == "trial" for name in r.members[0].history)
    return next((name for name in names if name == "test_accuracy"), "")


def _curve(
    axes: Axes, place: int, arm: ArmResult, result: Result, records: Sequence[TrialRecord]
) -> None:
    if arm.best_number is None:
        return
    watched = _watched(records)
    kind = "trial" if watched else "confirmation"
    mine = [r for r in records if r.kind == kind and r.number == arm.best_number]
    histories = [r.mean_history().get(watched or result.curve, []) for r in mine]
    n = min(map(len, histories), default=0)
    if not n:
        return
    values, epochs = np.array([h[:n] for h in histories]), mine[0].epochs[:n]
    axes.plot(
        epochs, values.mean(axis=0), color=f"C{place}", lw=max(1.0, 3.0 - place), label=_name(arm)
    )
    axes.fill_between(
        epochs, values.min(axis=0), values.max(axis=0), color=f"C{place}", alpha=0.15, lw=0
    )
    axes.grid(alpha=0.3)


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
