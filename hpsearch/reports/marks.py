"""What drawing for a browser and drawing into files share."""

from __future__ import annotations

import re

from hpsearch.reports.charts import Series

COLUMNS = 3  # panels beside each other
LONG = 24  # letters of a name that is broken into lines


def ends_of_whiskers(series: Series) -> tuple[list[float], list[float]]:
    """How far each whisker goes up and down from its mark."""
    # An interval of nothing but rounding may end on the wrong side of its mean.
    ends = [*zip(series.y, series.low, series.top, strict=True)]
    up = [max(0.0, top - float(y)) for y, _, top in ends]
    return up, [max(0.0, float(y) - low) for y, low, _ in ends]


def spaced(name: str) -> str:
    """The name of an axis; a long one is cut in its middle, so that it stays beside its axis."""
    if len(name) <= 2 * LONG:
        return name
    return f"{name[: LONG - 1]}…{name[-LONG:]}"


def lines_of(name: str, *, beside: bool) -> list[str]:
    """The name of an axis in lines that are broken after spaces and slashes.

    Args:
        beside: whether there are panels beside its own, so that there is less room.
    """
    most = LONG if beside else LONG * 3 // 2
    lines = [""]
    for piece in re.findall(r"[^ /]+[ /]*|[ /]+", spaced(name)):
        if lines[-1] and len(lines[-1] + piece.rstrip()) > most:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def plain(text: str) -> str:
    """A text for matplotlib, which typesets what stands between two "$" as mathematics."""
    return text.replace("$", r"\$")


def harmless(text: str) -> str:
    """A text for plotly.js, which takes some tags of HTML for bold letters and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
