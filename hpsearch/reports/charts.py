"""What a figure shows, whoever draws it: plotly for the report, matplotlib for PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Value = float | str
# Okabe and Ito's colours, which people with any kind of colour vision tell apart; the last is the
# winner's alone.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#6a5acd", "#8c6d31", "#d55e00")
WINNER = len(PALETTE) - 1
GREY = "#8a8a8a"


def color_of(number: int | None) -> str:
    """The colour of a series by its number; those beyond the palette begin again."""
    if number is None:
        return GREY
    return PALETTE[number if number == WINNER else number % WINNER]


def case_colors(cases: Sequence[Mapping[str, Any]]) -> list[int]:
    """The colour of each compared case, which it has in all figures: where there are too many for
    the palette, cases with the same first value share one.

    Args:
        cases: the compared values of each.
    """
    if len(cases) <= WINNER:
        return [*range(len(cases))]
    first = [next(iter(values.values())) for values in cases]
    places = {value: place % WINNER for place, value in enumerate(dict.fromkeys(first))}
    return [places[value] for value in first]


@dataclass(frozen=True)
class Series:
    """One kind of mark in a panel.

    Attributes:
        name: in the legend; "" keeps it out.
        kind: points; a line; bars (x categories); intervals (x categories, from `low` to `top`
            through y); bands (y to `top` over x); ribbons (the same without marks); spans (from x
            to `top` at height y).
        low, top: of points and bars, the ends of a line through each, its spread.
        shade: a number a point, shown as its colour; None: the colour of the series.
        color: index into the palette, WINNER of the winner alone; None: grey.
        notes: a text a point, shown where the pointer is.
        heavy: it is drawn as the main one: a wide line, a star in place of a point.
    """

    name: str
    x: Sequence[Value]
    y: Sequence[Value]
    kind: Literal["points", "line", "bars", "intervals", "band", "ribbon", "spans"] = "points"
    top: Sequence[float] = ()
    low: Sequence[float] = ()
    shade: Sequence[float] | None = None
    color: int | None = 0
    notes: Sequence[str] = ()
    heavy: bool = False

    @property
    def lying(self) -> bool:
        """Whether its categories stand along the left side of a drawn figure."""
        return self.kind in ("bars", "intervals")


@dataclass(frozen=True)
class Surface:
    """Values on a grid, z[j][i] at (x[i], y[j]), drawn as filled contours."""

    x: Sequence[float]
    y: Sequence[float]
    z: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        whole_x, whole_y: only whole numbers stand beside the axis, such as epochs.
        y_range: the ends of the axis; None: what is drawn.
    """

    series: Sequence[Series]
    x_label: str
    y_label: str
    title: str = ""
    log_x: bool = False
    log_y: bool = False
    surface: Surface | None = None
    y_range: tuple[float, float] | None = None
    whole_x: bool = False
    whole_y: bool = False

    @property
    def lying(self) -> list[str]:
        """The categories that stand along the left side, from the top."""
        names = (str(x) for series in self.series if series.lying for x in series.x)
        return list(dict.fromkeys(names))


@dataclass(frozen=True)
class Axis:
    """One axis of parallel coordinates.

    Attributes:
        values: a position a line, in the axis' own unit; NaN where a trial has none.
        ticks, labels: what stands beside the axis; empty: chosen by who draws.
    """

    label: str
    values: Sequence[float]
    ticks: Sequence[float] = ()
    labels: Sequence[str] = ()


@dataclass(frozen=True)
class Chart:
    """A figure.

    Attributes:
        name: of its file.
        what: one sentence on how to read it.
        shade_label: what the colours of points mean.
        axes: of parallel coordinates, which take the place of panels; the last one shades.
        minimized: the smallest values of the last axis are the best, which are drawn last.
    """

    name: str
    title: str
    what: str
    panels: Sequence[Panel] = ()
    shade_label: str = ""
    axes: Sequence[Axis] = field(default_factory=tuple)
    minimized: bool = False
