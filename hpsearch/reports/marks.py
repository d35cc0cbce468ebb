"""What drawing for a browser and drawing into files share."""

from __future__ import annotations

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


def plain(text: str) -> str:
    """A text for matplotlib, which typesets what stands between two "$" as mathematics."""
    return text.replace("$", r"\$")


def harmless(text: str) -> str:
    """A text for plotly.js, which takes some tags of HTML for bold letters and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
