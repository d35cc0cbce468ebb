"""Charts as files, drawn without a display: PNG for the report, PDF and SVG for a paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hpsearch.reports.canvas import (
    Margins,
    new_axes,
    new_figure,
    paper_style,
    write_png,
    write_vector,
)
from hpsearch.reports.charts import Chart, Panel, Series
from hpsearch.reports.plotly_charts import COLUMNS, PALETTE, ends_of_whiskers

LETTER, SMALL = 0.08, 0.056  # inches of a letter of a name, and of one in a figure for a paper
GREY = "#9a9a9a"
PAGE = 9.0  # inches that a figure for a paper may be high
NARROWEST, WIDE = 1.5, 2.6  # inches of a panel with its labels: the least, and enough
SAMPLE, LINE = 0.55, 0.16  # inches: what stands before a name in a legend, a line of it
SLANTED = 0.75  # inches between parallel coordinates, below which their names are slanted

Vector = Literal["pdf", "svg"]


@dataclass(frozen=True)
class Marks:
    """How large marks are.

    Attributes:
        point: the area of a point, in square points.
        shaded: the same of one with a shade.
        line, heavy: widths, in points.
        legend, scale, name: letters of a legend, of the scales of parallel coordinates and of
            the name of an axis, in points.
        apart: the legend stands above all panels, and not in the first.
    """

    point: float = 14
    shaded: float = 16
    line: float = 1.0
    heavy: float = 2.2
    legend: float = 8
    scale: float = 7
    name: float = 10
    apart: bool = False


PAPER = Marks(point=6, shaded=7, line=0.8, heavy=1.5, legend=7, scale=6.5, name=8, apart=True)


def draw_png(path: Path, chart: Chart) -> None:
    """Draw a chart into a file."""
    n = max(1, len(chart.panels))
    columns = min(n, COLUMNS)
    rows = math.ceil(n / columns)
    margins = _margins(chart)
    figure = new_figure(4.6 * columns + 2.4, 3.4 * rows + 0.6, dpi=100, margins=margins)
    figure.suptitle(chart.title)
    if chart.axes:
        (axes,) = new_axes(figure, 1, 1, Margins(left=0.4))
        _parallel(axes, chart, Marks())
    elif chart.panels:
        _panels(figure, new_axes(figure, rows, columns, margins), chart, Marks())
    write_png(path, figure)


def draw_for_paper(path: Path, chart: Chart, width: float) -> None:
    """Draw a chart as wide as a column of a paper, without a title, which is for the caption.

    Args:
        path: of a PDF or SVG file, by its ending.
        width: in inches.
    """
    n = max(1, len(chart.panels))
    columns = _columns(n, width)
    rows = math.ceil(n / columns)
    names = list(dict.fromkeys(s.name for p in chart.panels for s in p.series if s.name))
    beside = max(1, int(width / (SAMPLE + SMALL * max(map(len, names), default=0))))
    above = LINE * math.ceil(len(names) / beside)
    with paper_style():
        figure = new_figure(width, rows * _height(width / columns) + above)
        if chart.axes:
            _parallel(figure.subplots(), chart, PAPER, slanted=width / len(chart.axes) < SLANTED)
        elif chart.panels:
            grid = list(figure.subplots(rows, columns, squeeze=False).ravel())
            _panels(figure, grid, chart, PAPER)
            _share(figure, grid, chart, width / columns, beside)
        write_vector(path, figure)


def _share(figure: Any, grid: list[Any], chart: Chart, width: float, beside: int) -> None:
    """One legend above all panels and one name for an axis that all have; slanted categories.

    Args:
        width: of a panel, in inches.
        beside: entries of the legend in a row.
    """
    known: dict[str, Any] = {}
    for axes in grid:
        known |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    if known:
        place = {"loc": "outside upper center", "ncols": beside, "frameon": False}
        figure.legend(known.values(), known.keys(), fontsize=PAPER.legend, **place)
    if len({panel.y_label for panel in chart.panels}) == 1 < len(chart.panels):
        figure.supylabel(chart.panels[0].y_label, fontsize=PAPER.name)
        for axes in grid:
            axes.set_ylabel("")
    for axes, panel in zip(grid, chart.panels, strict=False):
        texts = {x for s in panel.series if not s.lying for x in s.x if isinstance(x, str)}
        if sum(map(len, texts)) * SMALL > width - NARROWEST / 2:
            axes.tick_params(axis="x", rotation=30)


def _height(width: float) -> float:
    """Of a panel with its labels, in inches."""
    return 0.62 * width + 0.35


def _columns(n: int, width: float) -> int:
    """The fewest columns of panels with which a figure is not higher than a page."""
    most = max(1, min(n, int(width / NARROWEST)))
    for columns in range(1, most):
        if math.ceil(n / columns) * _height(width / columns) <= PAGE:
            return max(columns, min(most, int(width / WIDE)))
    return most


def _margins(chart: Chart) -> Margins:
    """Room for the names of bars and intervals; other axes have numbers."""
    named = (s for p in chart.panels for s in p.series if s.lying)
    left = 0.8 + LETTER * max((len(str(x)) for s in named for x in s.x), default=0)
    return Margins(left=left, between=left)


def _panels(figure: Any, grid: list[Any], chart: Chart, marks: Marks) -> None:
    for axes in grid[len(chart.panels) :]:
        axes.set_visible(False)
    for number, (axes, panel) in enumerate(zip(grid, chart.panels, strict=False)):
        _panel(figure, axes, panel, chart.shade_label, marks, first=number == 0)


def _panel(
    figure: Any, axes: Any, panel: Panel, shade_label: str, marks: Marks, *, first: bool
) -> None:
    if panel.log_x:
        axes.set_xscale("log")
    if panel.log_y:
        axes.set_yscale("log")
    if panel.surface is not None:
        filled = axes.contourf(
            panel.surface.x, panel.surface.y, np.array(panel.surface.z), levels=20, cmap="viridis"
        )
        figure.colorbar(filled, ax=axes, label=shade_label)
    for series in panel.series:
        shaded = _series(axes, series, marks)
        if shaded is not None and first:
            figure.colorbar(shaded, ax=axes, label=shade_label)
    lying = any(series.lying for series in panel.series)  # their names need the room
    labels = (panel.x_label, panel.y_label)
    x_label, y_label = reversed(labels) if lying else labels
    axes.set(xlabel=x_label, ylabel=y_label, title=panel.title)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if any(series.kind == "spans" for series in panel.series):
        axes.yaxis.get_major_locator().set_params(integer=True)
    if first and not marks.apart and any(series.name for series in panel.series):
        axes.legend(frameon=False, fontsize=marks.legend)


def _series(axes: Any, series: Series, marks: Marks) -> Any:
    """Draw one series; returns what a colour bar is made for, if it is shaded."""
    color = GREY if series.color is None else PALETTE[series.color % len(PALETTE)]
    x, y = list(series.x), list(series.y)
    named = {"label": series.name or None}
    if series.kind == "bars":
        whiskers = None
        if series.low:
            up, down = ends_of_whiskers(series)
            whiskers = [down[::-1], up[::-1]]
        looks: dict[str, Any] = {"color": color, "xerr": whiskers, "ecolor": "#333333"}
        looks["error_kw"] = {"elinewidth": marks.line}
        axes.barh([str(v) for v in reversed(x)], list(reversed(y)), **looks, **named)
    elif series.kind == "intervals":
        up, down = ends_of_whiskers(series)
        whiskers, places = [down[::-1], up[::-1]], [str(v) for v in reversed(x)]
        dots: dict[str, Any] = {"fmt": "o", "ms": math.sqrt(marks.point), "lw": marks.line}
        axes.errorbar(y[::-1], places, xerr=whiskers, capsize=3, color=color, **dots, **named)
    elif series.kind == "line":
        axes.plot(x, y, color=color, lw=marks.heavy if series.heavy else marks.line, **named)
    elif series.kind == "band":
        axes.fill_between(x, y, list(series.top), color=color, alpha=0.3, **named)
        axes.plot(x, y, "o-", color=color, ms=3, lw=marks.line)
        axes.plot(x, list(series.top), "o-", color=color, ms=3, lw=marks.line)
    elif series.kind == "ribbon":
        axes.fill_between(x, y, list(series.top), color=color, alpha=0.2, lw=0, **named)
    elif series.kind == "spans":
        lengths = np.array(series.top) - np.array(x, float)
        axes.barh(y, lengths, left=x, height=0.7, color=color, edgecolor=color, **named)
    elif series.shade is not None:
        return axes.scatter(x, y, c=list(series.shade), s=marks.shaded, cmap="viridis", **named)
    else:
        if series.low:
            axes.vlines(x, list(series.low), list(series.top), color=color, lw=0.8 * marks.line)
        axes.scatter(x, y, s=marks.point, color=color, **named)
    return None


def _parallel(axes: Any, chart: Chart, marks: Marks, *, slanted: bool = False) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    scores = np.array(chart.axes[-1].values)
    colors = colormaps["viridis"](Normalize(scores.min(), scores.max())(scores))
    heights = []
    for place, axis in enumerate(chart.axes):
        values = np.array(axis.values, float)
        known = values[~np.isnan(values)] if not np.isnan(values).all() else np.zeros(1)
        low, high = known.min(), known.max()
        width = (high - low) or 1.0
        heights.append(np.where(np.isnan(values), -0.08, (values - low) / width))
        ticks = axis.ticks or (low, high)
        labels = axis.labels or [f"{tick:.3g}" for tick in ticks]
        for tick, label in zip(ticks, labels, strict=True):
            height = (tick - low) / width
            if -0.01 <= height <= 1.01:
                axes.text(place + 0.02, height, label, fontsize=marks.scale, va="center")
    lines = np.stack(heights, axis=1)
    better_last = np.argsort(scores)
    for row in better_last:
        look = {"color": colors[row], "lw": 0.9 * marks.line, "alpha": 0.8}
        axes.plot(range(len(chart.axes)), lines[row], **look)
    names = [axis.label for axis in chart.axes]
    turned = {"rotation": 30, "ha": "right"} if slanted else {}
    axes.set_xticks(range(len(names)), names, fontsize=marks.legend, **turned)
    axes.set_yticks([])
    axes.grid(axis="x", alpha=0.6)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
