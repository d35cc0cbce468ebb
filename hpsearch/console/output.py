"""stdout: its width, tables of results, and lines under their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

PLAIN_WIDTH = 120  # of tables where stdout is no terminal


def output() -> Console:
    """stdout; wide enough for tables where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


def print_named(lines: Iterable[tuple[str, str]]) -> None:
    """Lines of text, each behind its right-justified name."""
    out = output()
    for name, text in lines:
        out.print(f"{name:>20}  {text}", markup=False, highlight=False, soft_wrap=True)


def print_frame(frame: pd.DataFrame, *, as_json: bool) -> None:
    """A table of results on stdout; as JSON a list with an object a row."""
    if as_json:
        print(frame.to_json(orient="records", force_ascii=False))
        return
    table = Table(box=None)
    for name in frame.columns:
        table.add_column(name, overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(str(cell)) for cell in row))  # a Text: brackets are no markup
    output().print(table)
