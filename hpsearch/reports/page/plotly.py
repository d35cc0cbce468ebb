"""Charts for a browser, as plotly.js takes them.

They are plain dictionaries: plotly's own Python objects check every key, which takes a tenth of a
second a figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from hpsearch.reports.charts import Chart, Panel, Series, Value, color_of
from hpsearch.reports.marks import COLUMNS, ends_of_whiskers, harmless, lines_of, spaced

SCALE = "Viridis"
HEIGHT = 330  # pixels of a row of panels
BAR = 26  # pixels of a bar with its name
TITLE = 30  # pixels of a panel's title
GAP, NAME, MOST_GAP = 0.09, 0.005, 0.3  # of the width: between panels, and a letter of a name
LETTER, TITLED = 6.2, 22  # pixels left of a panel: a letter of a name, the name of its axis
NUMBERS, SIDES = 55, 40  # pixels: left of a panel without names, left and right of all
LEAST, LEAST_AXIS = 150, 100  # pixels of a panel, and between parallel coordinates
BETWEEN, SCALE_WIDTH = 16, 80  # pixels between two names of these, and of their colours
MOST_LEGEND = 4000  # pixels; the script makes a figure higher by what its legend takes
FEW = 12  # whole numbers beside an axis, all of which are shown
LINES = "#e6e6e6"
Figure = dict[str, Any]


def to_plotly(chart: Chart) -> Figure:
    """ "data" and "layout" of a figure, and "least", the pixels across that it needs; its marks
    show a note where the pointer is."""
    if chart.axes:
        return _coordinates(chart)
    n = len(chart.panels)
    columns = min(n, COLUMNS)
    rows = math.ceil(n / columns)
    inner = max((_height(panel) for panel in chart.panels), default=HEIGHT) - 90
    titled = any(panel.title for panel in chart.panels)
    layout = _layout((inner + 90) * rows, above=TITLE if titled else 0)
    data: list[Figure] = []
    seen: set[str] = set()
    longest = max((len(name) for panel in chart.panels for name in panel.lying), default=0)
    gap = min(GAP + NAME * longest, MOST_GAP)
    across = (1 - gap * (columns - 1)) / columns
    high = (1 - 0.3 * (rows - 1) / rows) / rows
    for number, panel in enumerate(chart.panels):
        end = str(number + 1) if number else ""
        left = number % columns * (across + gap)
        top = 1 - number // columns * (high + 0.3 / rows)
        labels = (panel.x_label, panel.y_label)
        x_label, y_label = (
            lines_of(label, beside=n > 1) for label in (labels[::-1] if panel.lying else labels)
        )
        layout[f"xaxis{end}"] = _axis(x_label, panel.log_x, (left, left + across), f"y{end}")
        layout[f"yaxis{end}"] = _axis(y_label, panel.log_y, (top - high, top), f"x{end}")
        if panel.lying:
            names = [harmless(name) for name in reversed(panel.lying)]
            order = {"categoryorder": "array", "categoryarray": names}
            layout[f"yaxis{end}"] |= {"type": "category", **order}
        elif any(isinstance(x, str) for series in panel.series for x in series.x):
            layout[f"xaxis{end}"]["type"] = "category"  # "1, 2" is no number
        if panel.whole_x and not panel.log_x and _few(x for s in panel.series for x in s.x):
            layout[f"xaxis{end}"]["dtick"] = 1
        if panel.whole_y and not panel.log_y and _few(y for s in panel.series for y in s.y):
            layout[f"yaxis{end}"]["dtick"] = 1
        if panel.y_range is not None:
            layout[f"yaxis{end}"]["range"] = _ends(panel)
        if panel.title:
            layout["annotations"].append(_title(panel.title, left + across / 2, top))
        place = {"xaxis": f"x{end}", "yaxis": f"y{end}"}
        if panel.surface is not None:
            data.append(_surface(panel, chart.shade_label) | place)
        for series in panel.series:
            first = series.name not in seen
            data += [t | place for t in _traces(series, chart.shade_label, first=first)]
            seen.add(series.name)
    beside = max(NUMBERS, LETTER * longest + TITLED)
    wide = max(LEAST / across, beside / gap if columns > 1 else 0)
    return {"data": data, "layout": layout, "least": round(SIDES + beside + wide)}


def _text(value: Value) -> Value:
    return harmless(value) if isinstance(value, str) else value


def _height(panel: Panel) -> float:
    n = len(panel.lying)
    return BAR * max(n, 2) + 90 if n else HEIGHT


def _few(values: Iterable[Value]) -> bool:
    """Whether all whole numbers of an axis can stand beside it; of more, plotly chooses some."""
    known = [float(value) for value in values if not isinstance(value, str)]
    return bool(known) and max(known) - min(known) <= FEW


def _ends(panel: Panel) -> list[float]:
    assert panel.y_range is not None
    return [math.log10(end) if panel.log_y else end for end in panel.y_range]


def _axis(label: list[str], log: bool, domain: tuple[float, float], anchor: str) -> Figure:
    axis: Figure = {
        "title": {"text": "<br>".join(map(harmless, label))},
        "domain": list(domain),
        "anchor": anchor,
    }
    axis |= {"gridcolor": LINES, "zerolinecolor": LINES, "automargin": True}
    return axis | ({"type": "log"} if log else {})


def _title(text: str, x: float, top: float) -> Figure:
    where = {"x": x, "y": top, "xref": "paper", "yref": "paper", "xanchor": "center"}
    return {
        "text": harmless(text),
        **where,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 13},
    }


def _layout(height: float, *, above: int = 0) -> Figure:
    """With a legend on top, so many pixels higher, as titles of panels stand below it."""
    inner = height - 90  # without margins
    place = {"y": 1 + (above + 4) / inner, "yanchor": "bottom"}
    return {
        "height": height + above,
        "margin": {"l": 60, "r": 20, "t": 40 + above, "b": 50},
        "legend": {"orientation": "h", "maxheight": MOST_LEGEND, "tracegroupgap": 0, **place},
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "#333333"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "barmode": "overlay",  # bars of a timeline lie where their worker is
        "hovermode": "closest",
        "annotations": [],
    }


def _traces(series: Series, shade_label: str, *, first: bool) -> list[Figure]:
    legend = bool(series.name) and first
    name = harmless(series.name)
    shown: Figure = {"name": name, "showlegend": legend, "legendgroup": name}
    x, y, color = [_text(one) for one in series.x], list(series.y), color_of(series.color)
    notes = [harmless(note) for note in series.notes]
    line: Figure = {"type": "scatter", "mode": "lines"}
    if series.kind == "bars":
        bar = {"type": "bar", "orientation": "h", "x": y, "y": x, "marker": {"color": color}}
        return [bar | _whiskers(series, "error_x") | shown]
    if series.kind == "intervals":
        dots: Figure = {"type": "scatter", "mode": "markers", "x": y, "y": x}
        dot = {"size": 14, "symbol": "star"} if series.heavy else {"size": 9}
        dots |= {"marker": dot | {"color": color}, "text": notes}
        return [dots | _whiskers(series, "error_x") | shown]
    if series.kind == "line":
        look = {"color": color, "width": 3 if series.heavy else 1.5}
        told = {"text": notes[0], "hoverinfo": "text+x+y"} if notes else {}
        return [line | {"x": x, "y": y, "line": look} | told | shown]
    if series.kind in ("band", "ribbon"):
        around: Figure = {
            "x": [*x, *reversed(x)],
            "y": [*y, *reversed(series.top)],
            "fill": "toself",
        }
        if series.kind == "ribbon":
            plain = {"line": {"width": 0}, "fillcolor": color, "hoverinfo": "skip"}
            return [line | around | plain | {"opacity": 0.25} | shown]
        band: Figure = {"mode": "lines+markers", "line": {"color": color}}
        return [line | around | band | {"opacity": 0.5} | shown]
    if series.kind == "spans":
        lengths = [end - float(start) for start, end in zip(x, series.top, strict=True)]
        bars: Figure = {
            "type": "bar",
            "base": x,
            "x": lengths,
            "y": y,
            "orientation": "h",
            "width": 0.7,
        }
        # With an outline, so that a slice of a hundredth of a second is seen among minutes.
        marks = {"color": color, "line": {"color": color, "width": 1}}
        return [bars | {"hovertext": notes, "marker": marks} | shown]
    size = 12 if series.heavy else 7
    marker: Figure = {"size": size, "color": color}
    if series.heavy:
        marker |= {"symbol": "star"}
    if series.shade is not None:
        marker = {"size": 7, "color": list(series.shade), "colorscale": SCALE}
        scale = {"title": {"text": harmless(shade_label)}, "thickness": 12}
        marker |= {"showscale": first, "colorbar": scale}
    points: Figure = {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": marker}
    if notes:
        text = "%{text}<br>%{x}, %{y}<extra></extra>"
        points |= {"text": notes, "hovertemplate": text}
    return [points | _whiskers(series, "error_y") | shown]


def _whiskers(series: Series, key: str) -> Figure:
    if not series.low:
        return {}
    up, down = ends_of_whiskers(series)
    look = {"thickness": 1.5, "width": 3, "symmetric": False}
    return {key: {"type": "data", "array": up, "arrayminus": down, **look}}


def _surface(panel: Panel, label: str) -> Figure:
    assert panel.surface is not None
    surface = panel.surface
    bar = {"title": {"text": harmless(label)}, "thickness": 12}
    grid = {"x": surface.x, "y": surface.y, "z": surface.z}
    look = {"colorscale": SCALE, "colorbar": bar, "line": {"width": 0}, "ncontours": 20}
    return {"type": "contour", **grid, **look}


def _coordinates(chart: Chart) -> Figure:
    """Parallel coordinates with room for all names, above the middle of their axes, and for the
    labels of choices, left of theirs."""
    names = [LETTER * len(spaced(axis.label)) for axis in chart.axes]
    labels = [LETTER * max(map(len, (*axis.labels, "0.00000"))) for axis in chart.axes]
    apart = [(one + other) / 2 for one, other in pairwise(names)]
    step = max(LEAST_AXIS, BETWEEN + max([*apart, *labels[1:]]))
    left, right = max(names[0] / 2, labels[0]) + BETWEEN, names[-1] / 2 + BETWEEN
    layout = _layout(HEIGHT + 60)
    layout["margin"] |= {"l": round(left), "r": round(right)}
    least = round(left + right + SCALE_WIDTH + step * (len(chart.axes) - 1))
    return {"data": [_parallel(chart)], "layout": layout, "least": least}


def _parallel(chart: Chart) -> Figure:
    dimensions = []
    for axis in chart.axes:
        known = [value for value in axis.values if not math.isnan(value)] or [0.0]
        low, high = min(known), max(known)
        below = low - 0.08 * ((high - low) or 1.0)
        values = [below if math.isnan(value) else value for value in axis.values]
        ticks = {
            "tickvals": list(axis.ticks),
            "ticktext": [harmless(label) for label in axis.labels],
        }
        dimensions.append(
            {
                "label": harmless(spaced(axis.label)),
                "values": values,
                "range": [min([*values, low]), high if high > low else low + 1],
                **(ticks if axis.ticks else {}),
            }
        )
    shade = list(chart.axes[-1].values)
    line = {"color": shade, "colorscale": SCALE, "showscale": True}
    return {"type": "parcoords", "dimensions": dimensions, "line": line}
