"""Charts as PNG files, drawn without a display."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from hpsearch.reports.canvas import Margins, new_axes, new_figure, write_png
from hpsearch.reports.charts import Chart, Panel, Series
from hpsearch.reports.plotly_charts import COLUMNS, PALETTE, ends_of_whiskers

LETTER = 0.08  # inches of a name's letter
GREY = "#9a9a9a"


def draw_png(path: Path, chart: Chart) -> None:
    """Draw a chart into a file."""
    n = max(1, len(chart.panels))
    columns = min(n, COLUMNS)
    rows = math.ceil(n / columns)
    margins = _margins(chart)
    figure = new_figure(4.6 * columns + 2.4, 3.4 * rows + 0.6, dpi=100, margins=margins)
    figure.suptitle(chart.title)
    if chart.axes:
        _parallel(figure, chart)
    grid: list[Any] = []
    if chart.panels:
        grid = new_axes(figure, rows, columns, margins)
    for axes in grid[len(chart.panels) :]:
        axes.set_visible(False)
    for number, (axes, panel) in enumerate(zip(grid, chart.panels, strict=False)):
        _panel(figure, axes, panel, chart.shade_label, first=number == 0)
    write_png(path, figure)


def _margins(chart: Chart) -> Margins:
    """Room for the names of bars; other axes have numbers."""
    names = [str(x) for p in chart.panels for s in p.series if s.kind == "bars" for x in s.x]
    left = 0.8 + LETTER * max(map(len, names), default=0)
    return Margins(left=left, between=left)


def _panel(figure: Any, axes: Any, panel: Panel, shade_label: str, *, first: bool) -> None:
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
        shaded = _series(axes, series)
        if shaded is not None and first:
            figure.colorbar(shaded, ax=axes, label=shade_label)
    lying = any(series.kind == "bars" for series in panel.series)  # their names need the room
    labels = (panel.x_label, panel.y_label)
    x_label, y_label = reversed(labels) if lying else labels
    axes.set(xlabel=x_label, ylabel=y_label, title=panel.title)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if first and any(series.name for series in panel.series):
        axes.legend(frameon=False, fontsize=8)


def _series(axes: Any, series: Series) -> Any:
    """Draw one series; returns what a colour bar is made for, if it is shaded."""
    color = GREY if series.color is None else PALETTE[series.color % len(PALETTE)]
    x, y = list(series.x), list(series.y)
    named = {"label": series.name or None}
    if series.kind == "bars":
        whiskers = None
        if series.low:
            up, down = ends_of_whiskers(series)
            whiskers = [down[::-1], up[::-1]]
        marks = {"color": color, "xerr": whiskers, "ecolor": "#333333"}
        axes.barh([str(v) for v in reversed(x)], list(reversed(y)), **marks, **named)
    elif series.kind == "line":
        axes.plot(x, y, color=color, lw=2.2 if series.heavy else 1, **named)
    elif series.kind == "band":
        axes.fill_between(x, y, list(series.top), color=color, alpha=0.3, **named)
        axes.plot(x, y, "o-", color=color, ms=3, lw=1)
        axes.plot(x, list(series.top), "o-", color=color, ms=3, lw=1)
    elif series.kind == "spans":
        lengths = np.array(series.top) - np.array(x, float)
        axes.barh(y, lengths, left=x, height=0.7, color=color, edgecolor=color, **named)
    elif series.shade is not None:
        return axes.scatter(x, y, c=list(series.shade), s=16, cmap="viridis", **named)
    else:
        if series.low:
            axes.vlines(x, list(series.low), list(series.top), color=color, lw=0.8)
        axes.scatter(x, y, s=14, color=color, **named)
    return None


def _parallel(figure: Any, chart: Chart) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    (axes,) = new_axes(figure, 1, 1, Margins(left=0.4))
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
                axes.text(place + 0.02, height, label, fontsize=7, va="center")
    lines = np.stack(heights, axis=1)
    better_last = np.argsort(scores)
    for row in better_last:
        axes.plot(range(len(chart.axes)), lines[row], color=colors[row], lw=0.9, alpha=0.8)
    axes.set_xticks(range(len(chart.axes)), [axis.label for axis in chart.axes], fontsize=8)
    axes.set_yticks([])
    axes.grid(axis="x", alpha=0.6)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
