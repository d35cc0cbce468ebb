"""What curves of the best score say: what more trials brought, and which arm is first when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hpsearch.analysis.best_curves import ALIKE, BestCurve, Cost
from hpsearch.counts import count_of


@dataclass(frozen=True)
class Change:
    """From this much on an arm is first.

    Attributes:
        amount: trials, full trainings or minutes.
        arm: its name.
    """

    amount: float
    arm: str


def leaders(curves: Sequence[BestCurve], cost: Cost, direction: str) -> list[Change]:
    """The arm with the best score after so much, each time that it is another.

    As far as all arms went; the first entry is where all have a score.

    Args:
        curves: of different arms at one length.
    """
    sign = 1.0 if direction == "maximize" else -1.0
    first = max(curve.spent(cost)[0] for curve in curves)
    last = min(curve.spent(cost)[-1] for curve in curves)
    amounts = sorted({x for c in curves for x in c.spent(cost) if first <= x <= last} | {first})
    found: list[Change] = []
    for amount in amounts:
        best = {c.arm: sign * (c.at(cost, amount) or 0.0) for c in curves}
        top = max(best, key=best.__getitem__)
        if not found or best[top] > best[found[-1].arm] + ALIKE:
            found.append(Change(amount, top))
    return found


def overlap(first: BestCurve, second: BestCurve, cost: Cost, amount: float) -> bool | None:
    """Whether the bands of two curves overlap after so much; None where one has none there."""
    ends = []
    for curve in (first, second):
        place = int(np.searchsorted(curve.spent(cost), amount * (1 + ALIKE), side="right")) - 1
        if not 0 <= place < curve.averaged:
            return None
        ends.append((curve.low[place], curve.high[place]))
    (low, high), (other_low, other_high) = ends
    return low <= other_high and other_low <= high


def texts(curves: Sequence[BestCurve], objective: str, direction: str) -> list[str]:
    """What the curves say, a line each: what more trials brought, and when the arms' order
    changes.

    Args:
        objective: its name.
        direction: "maximize" or "minimize".
    """
    found = [_text(curve, objective) for curve in curves]
    by_length: dict[int, list[BestCurve]] = {}
    for curve in curves:
        by_length.setdefault(curve.epochs, []).append(curve)
    for length, compared in by_length.items():
        if len(compared) > 1:
            for cost in ("trials", "minutes"):
                found.append(_order(compared, cost, length, direction))
    return found


def _text(curve: BestCurve, objective: str) -> str:
    whose, n = (f"{curve.arm}: " if curve.arm else ""), len(curve.best)
    what = f"{whose}best {objective} after {count_of(curve.epochs, 'epoch')}"
    if curve.averaged:
        k = curve.averaged
        half = (k + 1) // 2
        draws = f"the {k} draws" if k == n else f"the first {k} draws"
        said = [
            f"{_with_band(curve, i)} with {count_of(i, 'trial')}" for i in sorted({1, half, k})
        ]
        text = f"{what}, averaged over all orders of {draws}, which ignore results: "
        text += ", ".join(said)
        if k == n:
            return text
        return (
            f"{text}; then in the actual order, {curve.best[-1]:.4f} with {count_of(n, 'trial')}"
        )
    final = curve.best[-1]
    reached = next(i for i, best in enumerate(curve.best) if abs(best - final) < ALIKE)
    total = curve.trainings[-1]
    return (
        f"{what}, in the actual order of this one search: {final:.4f} at the end, after the "
        f"epochs of {total:.1f} full trainings; first reached after "
        f"{curve.trainings[reached]:.1f} of them"
    )


def _with_band(curve: BestCurve, n: int) -> str:
    ends = sorted((curve.low[n - 1], curve.high[n - 1]))
    return f"{curve.best[n - 1]:.4f} ({ends[0]:.4f} … {ends[1]:.4f})"


def _order(curves: Sequence[BestCurve], cost: Cost, length: int, direction: str) -> str:
    changes = leaders(curves, cost, direction)
    what = f"by {cost} (scores after {count_of(length, 'epoch')})"
    amount = "{:.0f}" if cost == "trials" else "{:.3g}"
    if len(changes) == 1:
        return f"{what} {changes[0].arm} leads from the start to the end"
    steps = [f"{changes[0].arm} leads"]
    by_arm = {curve.arm: curve for curve in curves}
    chance = False
    for before, change in pairwise(changes):
        unit = "" if cost == "trials" else " minutes"
        steps.append(f"from {amount.format(change.amount)}{unit} on {change.arm}")
        chance |= overlap(by_arm[before.arm], by_arm[change.arm], cost, change.amount) is not False
    text = f"{what} the lead changes: {', '.join(steps)}"
    return (
        f"{text}; the bands overlap or are unknown there, so this may be chance"
        if chance
        else text
    )
