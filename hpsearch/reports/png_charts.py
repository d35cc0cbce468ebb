"""Charts drawn without a display: PNG files, SVG for the page, PDF and SVG for a paper."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hpsearch.reports.canvas import (
    Margins,
    new_axes,
    new_figure,
    paper_style,
    vector_style,
    write_png,
    write_vector,
)
from hpsearch.reports.charts import Axis, Chart, Panel, Series, color_of
from hpsearch.reports.marks import COLUMNS, ends_of_whiskers, lines_of, plain, spaced

LETTER, SMALL = 0.08, 0.056  # inches of a letter of a name, and of one in a figure for a paper
LEGEND = 0.065  # inches of a letter in a legend
PAGE = 9.0  # inches that a figure for a paper may be high
NARROWEST, WIDE = 1.5, 2.6  # inches of a panel with its labels: the least, and enough
SAMPLE, LINE = 0.55, 0.17  # inches: what stands before a name in a legend, a line of it
SLANTED = 0.75  # inches between parallel coordinates, below which their names are slanted
BAR = 0.27  # inches of a bar with its name
USUAL = 2.0  # inches left of axes; what names need beyond it makes a figure wider
HEADING, TITLE = 0.4, 0.26  # inches of the title above a figure, and above a panel
WIDEST, SLANT = 13.0, 30  # inches of parallel coordinates, beyond which names lean by degrees
# Of the labels of these: a little to the right of their axis, readable on lines.
OFFSET: Mapping[str, str] = {"xycoords": "data", "textcoords": "offset points"}
BEHIND = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5}
MANY = 400  # points of a series, above which an SVG holds them as an image

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
    """Draw a chart into a file, with its title."""
    write_png(path, _drawn(chart, heading=HEADING))


def svg_of(chart: Chart) -> bytes:
    """A chart as an SVG file, for the page, which has its title."""
    written = io.BytesIO()
    with vector_style():
        write_vector(written, _drawn(chart, heading=0.0))
    return written.getvalue()


def _drawn(chart: Chart, *, heading: float) -> Any:
    """A figure of the size that its panels need.

    Args:
        heading: inches of its title; 0: it has none.
    """
    n = max(1, len(chart.panels))
    columns = min(n, COLUMNS)
    rows = math.ceil(n / columns)
    titled = any(panel.title for panel in chart.panels)
    width = {1: 7.2, 2: 9.6}.get(columns, 13.0)
    margins = _margins(chart, above=0.0)
    width += columns * max(0.0, margins.left - USUAL)
    inner = (width - margins.left - margins.right) / columns - margins.between
    lines = [math.ceil(len(new) / _beside(new, inner)) if new else 0 for new in _new_names(chart)]
    above = (0.35 if titled else 0.15) + LINE * max(lines[:columns], default=0)
    below = margins.below + LINE * max(lines[columns:], default=0)
    margins = replace(margins, top=heading + above, below=below)
    lying = max((len(panel.lying) for panel in chart.panels), default=0)
    tall = BAR * max(lying, 2) if lying else 2.6
    height = rows * tall + (rows - 1) * margins.below + margins.top + margins.bottom
    slanted = False
    if chart.axes:
        width, margins, slanted = _room_of_axes(chart.axes, above=heading + 0.15)
        height += margins.bottom - Margins.bottom
    figure = new_figure(width, height, dpi=100, margins=margins)
    if heading:
        figure.suptitle(plain(chart.title), y=1 - 0.1 / height, va="top")
    if chart.axes:
        (axes,) = new_axes(figure, 1, 1, margins)
        _parallel(axes, chart, Marks(), slanted=slanted)
    elif chart.panels:
        _panels(figure, new_axes(figure, rows, columns, margins), chart, Marks())
    return figure


def _new_names(chart: Chart) -> list[list[str]]:
    """What the legend of each panel names: what none before it has named."""
    seen: set[str] = set()
    found = []
    for panel in chart.panels:
        here = dict.fromkeys(s.name for s in panel.series if s.name)
        found.append([name for name in here if name not in seen])
        seen |= {*here}
    return found


def _room_of_axes(axes: Sequence[Axis], *, above: float) -> tuple[float, Margins, bool]:
    """The width of parallel coordinates whose names and labels are not cut, the margins, and
    whether the names are slanted, as there are too many to stand beside each other."""
    names = [LETTER * len(spaced(axis.label)) for axis in axes]
    labels = [SMALL * max([6, *(len(spaced(label)) for label in a.labels)]) + 0.1 for a in axes]
    n_gaps = max(1, len(axes) - 1)
    gap = max([(one + other) / 2 + 0.15 for one, other in pairwise(names)] + labels[:-1])
    margins = Margins(
        left=max(0.4, names[0] / 2 + 0.1), right=max(labels[-1], names[-1] / 2) + 0.1, top=above
    )
    wanted = margins.left + margins.right + gap * n_gaps
    if wanted <= WIDEST:
        return max(7.2, wanted), margins, False
    leaning = math.cos(math.radians(SLANT))
    bottom = 0.35 + math.sin(math.radians(SLANT)) * max(names)
    least = WIDEST / 2 / n_gaps  # between axes, whatever the margins
    left = max(leaning * name - place * least for place, name in enumerate(names))
    right = max(label - (n_gaps - place) * least for place, label in enumerate(labels)) + 0.1
    margins = replace(margins, left=max(0.4, left), right=right, bottom=bottom)
    return WIDEST, margins, True


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
        figure.supylabel(plain(chart.panels[0].y_label), fontsize=PAPER.name)
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


def _margins(chart: Chart, *, above: float) -> Margins:
    """Room for the names of bars and intervals; other axes have numbers."""
    longest = max((len(spaced(name)) for p in chart.panels for name in p.lying), default=0)
    lines = [_labels(panel, beside=len(chart.panels) > 1) for panel in chart.panels]
    more_x, more_y = (max((len(one[k]) - 1 for one in lines), default=0) * LINE for k in (0, 1))
    left = 0.8 + LETTER * longest + more_y
    below, bottom = Margins.below + more_x, Margins.bottom + more_x
    return Margins(left=left, between=left, top=above, below=below, bottom=bottom)


def _labels(panel: Panel, *, beside: bool) -> tuple[list[str], list[str]]:
    """The names of the axes of a panel, in lines."""
    labels = (panel.x_label, panel.y_label)
    x_label, y_label = labels[::-1] if panel.lying else labels
    return lines_of(x_label, beside=beside), lines_of(y_label, beside=beside)


def _panels(figure: Any, grid: list[Any], chart: Chart, marks: Marks) -> None:
    for axes in grid[len(chart.panels) :]:
        axes.set_visible(False)
    new = _new_names(chart)
    for number, (axes, panel) in enumerate(zip(grid, chart.panels, strict=False)):
        first, beside = number == 0, len(chart.panels) > 1
        _panel(figure, axes, panel, chart.shade_label, marks, first=first, beside=beside)
        if not marks.apart:
            _legend(figure, axes, panel, [plain(name) for name in new[number]], marks)


def _panel(
    figure: Any,
    axes: Any,
    panel: Panel,
    shade_label: str,
    marks: Marks,
    *,
    first: bool,
    beside: bool,
) -> None:
    if panel.log_x:
        axes.set_xscale("log")
    if panel.log_y:
        axes.set_yscale("log")
    if panel.surface is not None:
        filled = axes.contourf(
            panel.surface.x, panel.surface.y, np.array(panel.surface.z), levels=12, cmap="viridis"
        )
        figure.colorbar(filled, ax=axes, label=plain(shade_label))
    heights = {name: float(-place) for place, name in enumerate(panel.lying)}
    for series in panel.series:
        shaded = _series(axes, series, marks, heights)
        if shaded is not None and first:
            figure.colorbar(shaded, ax=axes, label=plain(shade_label))
    x_label, y_label = (plain("\n".join(lines)) for lines in _labels(panel, beside=beside))
    if heights:
        axes.set_yticks([*heights.values()], [plain(spaced(name)) for name in heights])
        axes.set_ylim(0.6 - len(heights), 0.6)
    axes.set(xlabel=x_label, ylabel=y_label, title=plain(panel.title))
    if panel.y_range is not None:
        axes.set_ylim(panel.y_range)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    for axis, whole in (
        (axes.xaxis, panel.whole_x and not panel.log_x),
        (axes.yaxis, panel.whole_y and not panel.log_y),
    ):
        if whole:
            axis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def _legend(figure: Any, axes: Any, panel: Panel, names: Sequence[str], marks: Marks) -> None:
    """Above the axes and their title, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    known = {k: v for k, v in zip(labels, handles, strict=True) if k in names}  # a name once
    if not known:
        return
    width, height = figure.get_size_inches() * axes.get_position().size
    look: dict[str, Any] = {"frameon": False, "fontsize": marks.legend, "borderaxespad": 0.2}
    place = (0, 1 + (TITLE if panel.title else 0) / height)
    look |= {"loc": "lower left", "bbox_to_anchor": place, "ncols": _beside([*known], width)}
    axes.legend(known.values(), known.keys(), **look)


def _beside(names: Sequence[str], inches: float) -> int:
    """Entries of a legend that fit beside each other."""
    entry = SAMPLE + LEGEND * max(map(len, names))
    return max(1, min(len(names), int(inches / entry)))


def _series(axes: Any, series: Series, marks: Marks, heights: Mapping[str, float]) -> Any:
    """Draw one series; returns what a colour bar is made for, if it is shaded.

    Args:
        heights: where categories stand along the left side.
    """
    color = color_of(series.color)
    x, y = list(series.x), list(series.y)
    shown = plain(series.name)
    named: dict[str, Any] = {"label": shown or None}
    named |= {"rasterized": True} if len(x) > MANY and series.kind == "points" else {}
    if series.kind == "bars":
        whiskers = None
        if series.low:
            up, down = ends_of_whiskers(series)
            whiskers = [down, up]
        looks: dict[str, Any] = {"color": color, "xerr": whiskers, "ecolor": "#333333"}
        looks["error_kw"] = {"elinewidth": marks.line}
        axes.barh([heights[str(v)] for v in x], y, **looks, **named)
    elif series.kind == "intervals":
        up, down = ends_of_whiskers(series)
        places = [heights[str(v)] for v in x]
        size = math.sqrt(marks.point)
        dots: dict[str, Any] = {"fmt": "o", "ms": size, "lw": marks.line}
        dots |= {"fmt": "*", "ms": 3 * size} if series.heavy else {}
        axes.errorbar(y, places, xerr=[down, up], capsize=3, color=color, **dots, **named)
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
        star = {"marker": "*", "s": 9 * marks.point, "zorder": 3} if series.heavy else {}
        axes.scatter(x, y, **{"s": marks.point, "color": color} | named | star)
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
        labels = [plain(spaced(label)) for label in axis.labels] or [
            f"{tick:.3g}" for tick in ticks
        ]
        for tick, label in zip(ticks, labels, strict=True):
            height = (tick - low) / width
            if -0.01 <= height <= 1.01:
                look = {"fontsize": marks.scale, "va": "center", "zorder": 3, "bbox": BEHIND}
                axes.annotate(label, (place, height), (3, 0), **OFFSET, **look)
    lines = np.stack(heights, axis=1)
    better_last = np.argsort(-scores if chart.minimized else scores)
    for row in better_last:
        look = {"color": colors[row], "lw": 0.9 * marks.line, "alpha": 0.8}
        axes.plot(range(len(chart.axes)), lines[row], **look)
    names = [plain(spaced(axis.label)) for axis in chart.axes]
    turned = {"rotation": SLANT, "ha": "right"} if slanted else {}
    axes.set_xlim(0, max(1, len(chart.axes) - 1))
    axes.set_xticks(range(len(names)), names, fontsize=marks.legend, **turned)
    axes.set_yticks([])
    axes.grid(axis="x", alpha=0.6)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
