"""Charts for a browser."""

from __future__ import annotations

import math
from typing import Any

from hpsearch.reports.charts import Chart, Panel, Series

PALETTE = ("#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2", "#9d755d", "#bab0ac")
GREY = "rgba(110, 110, 110, 0.55)"
SCALE = "Viridis"
COLUMNS = 3  # panels beside each other
HEIGHT = 330  # pixels of a row of panels
TITLE = 30  # pixels of a panel's title


def to_plotly(chart: Chart) -> Any:
    """A plotly figure; its marks show a note where the pointer is."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    if chart.axes:
        return _laid_out(go.Figure(_parallel(chart)), HEIGHT + 60)
    n = len(chart.panels)
    columns = min(n, COLUMNS)
    rows = math.ceil(n / columns)
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=[p.title for p in chart.panels])
    seen: set[str] = set()
    for number, panel in enumerate(chart.panels):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        if panel.surface is not None:
            figure.add_trace(_surface(panel, chart.shade_label), **place)
        for series in panel.series:
            for trace in _traces(series, chart.shade_label, first=series.name not in seen):
                figure.add_trace(trace, **place)
            seen.add(series.name)
        log = {True: "log", False: None}
        figure.update_xaxes(title=panel.x_label, type=log[panel.log_x], **place)
        figure.update_yaxes(title=panel.y_label, type=log[panel.log_y], **place)
    titled = any(panel.title for panel in chart.panels)
    return _laid_out(figure, HEIGHT * rows + 90, above=TITLE if titled else 0)


def _laid_out(figure: Any, height: int, *, above: int = 0) -> Any:
    """With a legend on top, so many pixels higher, as titles of panels stand below it."""
    inner = height - 90  # without margins
    place = {"y": 1 + above / inner, "yanchor": "bottom"} if above else {"y": 1.08}
    figure.update_layout(
        template="plotly_white",
        height=height + above,
        margin={"l": 60, "r": 20, "t": 40 + above, "b": 50},
        legend={"orientation": "h", **place},
        font={"family": "system-ui, sans-serif", "size": 12},
    )
    return figure


def ends_of_whiskers(series: Series) -> tuple[list[float], list[float]]:
    """How far each whisker goes up and down from its mark."""
    ends = [*zip(series.y, series.low, series.top, strict=True)]
    up = [top - float(y) for y, _, top in ends]
    return up, [float(y) - low for y, low, _ in ends]


def _color(series: Series) -> str:
    return GREY if series.color is None else PALETTE[series.color % len(PALETTE)]


def _traces(series: Series, shade_label: str, *, first: bool) -> list[Any]:
    import plotly.graph_objects as go

    shown = {"name": series.name, "showlegend": bool(series.name) and first}
    shown |= {"legendgroup": series.name}
    x, y, color = list(series.x), list(series.y), _color(series)
    if series.kind == "bars":
        return [go.Bar(x=x, y=y, error_y=_whiskers(series), marker_color=color, **shown)]
    if series.kind == "intervals":
        drawn = {"mode": "markers", "marker": {"size": 9, "color": color}}
        return [go.Scatter(x=x, y=y, error_y=_whiskers(series), **drawn, **shown)]
    if series.kind == "line":
        line = {"color": color, "width": 3 if series.heavy else 1.5}
        return [go.Scatter(x=x, y=y, mode="lines", line=line, **shown)]
    if series.kind in ("band", "ribbon"):
        around = {"x": [*x, *reversed(x)], "y": [*y, *reversed(series.top)]}
        if series.kind == "ribbon":
            plain = {"mode": "lines", "line": {"width": 0}, "fillcolor": color}
            return [go.Scatter(**around, **plain, fill="toself", opacity=0.25, **shown)]
        band = {"mode": "lines+markers", "fill": "toself", "line": {"color": color}}
        return [go.Scatter(**around, **band, opacity=0.5, **shown)]
    if series.kind == "spans":
        lengths = [end - float(start) for start, end in zip(x, series.top, strict=True)]
        bars = {"base": x, "x": lengths, "y": y, "orientation": "h", "width": 0.7}
        # With an outline, so that a slice of a hundredth of a second is seen among minutes.
        marks = {"color": color, "line": {"color": color, "width": 1}}
        return [go.Bar(**bars, hovertext=list(series.notes), marker=marks, **shown)]
    marker: dict[str, Any] = {"size": 7, "color": color}
    if series.shade is not None:
        marker = {"size": 7, "color": list(series.shade), "colorscale": SCALE}
        marker |= {"showscale": first, "colorbar": {"title": shade_label, "thickness": 12}}
    notes = {"text": list(series.notes), "hovertemplate": "%{text}<br>%{x}, %{y}<extra></extra>"}
    points: dict[str, Any] = {"mode": "markers", "marker": marker, "error_y": _whiskers(series)}
    return [go.Scatter(x=x, y=y, **points, **notes, **shown)]


def _whiskers(series: Series) -> dict[str, Any] | None:
    if not series.low:
        return None
    up, down = ends_of_whiskers(series)
    return {"type": "data", "array": up, "arrayminus": down, "thickness": 1, "width": 2}


def _surface(panel: Panel, label: str) -> Any:
    import plotly.graph_objects as go

    assert panel.surface is not None
    surface = panel.surface
    bar = {"title": label, "thickness": 12}
    grid = {"x": surface.x, "y": surface.y, "z": surface.z}
    return go.Contour(**grid, colorscale=SCALE, colorbar=bar, line_width=0, ncontours=20)


def _parallel(chart: Chart) -> Any:
    import plotly.graph_objects as go

    dimensions = []
    for axis in chart.axes:
        known = [value for value in axis.values if not math.isnan(value)] or [0.0]
        low, high = min(known), max(known)
        below = low - 0.08 * ((high - low) or 1.0)
        values = [below if math.isnan(value) else value for value in axis.values]
        ticks = {"tickvals": list(axis.ticks), "ticktext": list(axis.labels)}
        dimensions.append(
            {
                "label": axis.label,
                "values": values,
                "range": [min([*values, low]), high if high > low else low + 1],
                **(ticks if axis.ticks else {}),
            }
        )
    shade = list(chart.axes[-1].values)
    line = {"color": shade, "colorscale": SCALE, "showscale": True}
    return go.Parcoords(dimensions=dimensions, line=line)
