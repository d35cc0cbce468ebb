"""The page: what is known of a study, as HTML."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from hpsearch.reports.answer import Answer
from hpsearch.reports.charts import Chart
from hpsearch.reports.page.plotly import to_plotly
from hpsearch.reports.sections import Chapter, Content
from hpsearch.value_texts import value_text

DIGITS = 4  # of a number in a table
LONGEST = 9  # digits of a whole number that is shown as one
# What an SVG file says that nobody sees: who made it,
UNSEEN = (r"<metadata>.*?</metadata>", r"<!--.*?-->")
# and, within its tags, a dozen fonts for each text, names that nothing refers to, and digits
# beyond a hundredth of a point.
SHORTER = (
    (r"font-family: '[^\"]*?sans-serif", "font-family: sans-serif"),
    (r' transform="rotate\(-0 [^"]*\)"', ""),
    (r'^<g id="[^"]*">', "<g>"),
    (r"; stroke-line(join: miter|cap: square)", ""),
    (r"(\.\d\d)\d+", r"\1"),
    (r"\s+", " "),
    (r"=\"([^\"']*)\"", r"='\1'"),
)


@dataclass(frozen=True)
class Cell:
    """What stands in a table.

    Attributes:
        order: what its column is sorted by; "" where it is the text.
    """

    text: str
    order: str
    number: bool


@dataclass(frozen=True)
class Table:
    """Columns by name, whether each is of numbers, and rows."""

    names: list[str]
    numbers: list[bool]
    rows: list[list[Cell]]


def document(
    answer: Answer, chapters: Sequence[Chapter], drawn: Mapping[str, bytes], *, light: bool
) -> str:
    """The page of a study; nothing in it is fetched from anywhere.

    Args:
        drawn: each chart as SVG, by its name: what is seen without a script, and on paper.
        light: without what is needed to play with figures, five sixths of the page.
    """
    head = {"answer": answer, "winner": table_of(answer.winner)}
    return page_of("report.html", answer.study, chapters, drawn, head, light=light)


def page_of(
    template: str,
    title: str,
    chapters: Sequence[Chapter],
    drawn: Mapping[str, bytes],
    head: Mapping[str, Any],
    *,
    light: bool,
) -> str:
    """A page: its head, then a chapter a question.

    Args:
        template: the file of its head, which extends frame.html.
        drawn, light: as for `document`.
        head: what the template shows, by name.
    """
    parts = {name: _file(name) for name in ("report.css", "report.js")}
    page: str = _template(template).render(
        **head,
        title=title,
        chapters=chapters,
        images={name: _image(svg) for name, svg in drawn.items()},
        kind=_kind,
        table_of=table_of,
        figure_of=_figure_json,
        plotly="" if light else _packed_plotly(),
        style=Markup(parts["report.css"]),
        script=Markup(parts["report.js"]),
        markup=Markup,
        broken_at=_breakable,
    )
    return page


def _breakable(name: str) -> Markup:
    """A column's name that may be broken after what stands between its words."""
    return Markup(re.sub(r"([_./:=])(?=\w)", r"\1<wbr>", str(escape(name))))


def _image(svg: bytes) -> Markup:
    """The address of an image that holds the drawing, half as long as the file."""
    text = svg.decode(errors="replace")
    text = text[max(text.find("<svg "), 0) :]
    for pattern in UNSEEN:
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    text = re.sub(r">\s+<", "><", text)
    text = re.sub(r"<[^>]+>", _shorter, text)  # what stands between tags is read
    # Within the quotes of an attribute a browser takes all other characters as they are.
    for sign, instead in (("%", "%25"), ("#", "%23"), ('"', "%22"), ("&", "&amp;")):
        text = text.replace(sign, instead)
    return Markup("data:image/svg+xml," + text)


def _shorter(tag: re.Match[str]) -> str:
    text = tag[0]
    for pattern, instead in SHORTER:
        text = re.sub(pattern, instead, text)
    return text


def table_of(frame: pd.DataFrame) -> Table:
    """A table with as many digits as are read."""
    columns = {str(name): [_cell(value) for value in frame[name]] for name in frame.columns}
    numbers = [
        any(cell.number for cell in cells) and all(cell.number or not cell.text for cell in cells)
        for cells in columns.values()
    ]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return Table(list(columns), numbers, rows)


def _cell(value: Any) -> Cell:
    if isinstance(value, bool | np.bool_):
        return Cell(value_text(bool(value)), "", number=False)
    if isinstance(value, float | np.floating):
        known = float(value)
        if math.isnan(known):  # what pandas fills gaps with
            return Cell("", "", number=False)
        order = repr(known).replace("inf", "Infinity")  # as a script reads it
        whole = (known.is_integer() or abs(known) >= 10**DIGITS) and abs(known) < 10**LONGEST
        return Cell(f"{known:.0f}" if whole else f"{known:.{DIGITS}g}", order, number=True)
    if isinstance(value, int | np.integer):
        return Cell(str(value), str(value), number=True)
    return Cell("" if value is None else str(value), "", number=False)


def _kind(content: Content) -> str:
    if isinstance(content, Chart):
        return "figure"
    return "table" if isinstance(content, pd.DataFrame) else "text"


def _figure_json(chart: Chart) -> Markup:
    """What plotly.js draws, inside a script element: no "<" may end it."""
    text = json.dumps(_finite(to_plotly(chart)), separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _finite(value: Any) -> Any:
    """As JSON has it: NumPy's numbers as numbers of 6 digits, and no others than finite ones."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


@cache
def _packed_plotly() -> str:
    """plotly.js in a fourth of its size; a browser unpacks it."""
    from plotly.offline import get_plotlyjs

    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()


@cache
def _template(name: str) -> Any:
    return Environment(
        loader=PackageLoader("hpsearch.reports.page", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(name)


def _file(name: str) -> str:
    return (files("hpsearch.reports.page") / name).read_text(encoding="utf-8")
