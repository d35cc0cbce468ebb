"""stdout: its width, tables of results, and lines under their names."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

PLAIN_WIDTH = 120  # of tables where stdout is no terminal
NAMED, LEAST = 20, 30  # letters: of the name of a line, and of a broken line


def output() -> Console:
    """stdout; wide enough for tables where it is no terminal."""
    out = console()
    return out if out.is_terminal else console(width=PLAIN_WIDTH)


def console(*, stderr: bool = False, width: int | None = None) -> Console:
    """Where texts are shown as they are: "[a]" in a name is no markup, and ":b:" no emoji."""
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def print_named(lines: Iterable[tuple[str, str]], *, style: str = "") -> None:
    """Lines of text, each behind its right-justified name.

    On a terminal they are broken between words, and go on below themselves; elsewhere a line stays
    a line, for those who search in it.
    """
    out = output()

    def put(line: str) -> None:
        out.print(line, soft_wrap=True, style=style)

    for name, text in lines:
        if not out.is_terminal:
            put(f"{name:>{NAMED}}  {text}")
            continue
        start = max(len(name), NAMED)
        broken = wrap(
            text, max(out.width - start - 2, LEAST), break_on_hyphens=False, break_long_words=False
        ) or [""]
        put(f"{name:>{NAMED}}  {broken[0]}")
        for line in broken[1:]:
            put(f"{'':{start}}  {line}")


def print_table(table: Table) -> None:
    """A table, no wider than what it is printed on: its last column is broken between words."""
    output().print(table)


def fits(table: Table) -> bool:
    """Whether a table is printed without a cell that is broken."""
    out = output()
    return Measurement.get(out, out.options.update(max_width=10_000), table).maximum <= out.width


def print_frame(frame: pd.DataFrame, *, as_json: bool) -> None:
    """A table of results on stdout; as JSON a list with an object a row."""
    if as_json:
        print(frame.to_json(orient="records", force_ascii=False))
        return
    table = Table(box=None)
    for name in frame.columns:
        table.add_column(name, overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*map(str, row))
    output().print(table)
