"""Several studies side by side: who leads, by how much, at what cost, and what differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hpsearch.console.output import fits, output, print_named, print_table

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch import StudyComparison

Named = tuple[str, str]


def print_comparison(comparison: StudyComparison) -> None:
    """On stdout: the answer first, then tables, warnings, and where to look on."""
    from hpsearch.reports.compared import (
        costs_table,
        keys_table,
        sentence,
        studies_table,
        warnings,
        winners_table,
    )

    found, out = comparison.found, output()
    answer = "not ranked" if found.obstacle else "best"
    print_named([(answer, sentence(found).removeprefix("Not ranked, because "))])
    first = found.studies[0].name
    print_named((one.metric, f"{first} {one.text}") for one in [*found.leads, *found.test_leads])
    keys = keys_table(found)
    for title, frame in (
        ("Confirmed winners (95 % intervals)", studies_table(found)),
        ("Their hyperparameters", winners_table(found)),
        ("Trials and cost", costs_table(found)),
        ("Differences between the study files", keys),
    ):
        if not frame.empty:
            out.print()
            _print_frame(title, frame)
    out.print()
    if keys.empty:
        print_named([("study files", "no differences that affect a search")])
    print_named((("WARNING", text) for text in warnings(found)), style="bold yellow")
    print_named(_places(comparison))


def _print_frame(title: str, frame: pd.DataFrame) -> None:
    """A table; where its columns don't fit beside each other, a block of lines for each row."""
    output().print(Text(title, style="italic"))  # a table would break it at its own width
    table = _table(frame)
    if fits(table):
        print_table(table)
        return
    head, *others = frame.columns
    for row in frame.astype(object).where(frame.notna(), "").to_dict("records"):
        print_named([(str(head), str(row[head]))], style="bold")
        print_named((str(name), str(row[name])) for name in others)


def _table(frame: pd.DataFrame) -> Table:
    table = Table(box=None)
    for place, name in enumerate(frame.columns):
        number = frame[name].dtype.kind in "if"
        table.add_column(
            str(name), justify="right" if number and place else "left", overflow="fold"
        )
    for row in frame.astype(object).where(frame.notna(), "").itertuples(index=False):
        table.add_row(*map(str, row))
    return table


def _places(comparison: StudyComparison) -> Iterator[Named]:
    """Where to look on; addresses come last, one a line."""
    if comparison.missing:
        yield "", comparison.missing
    if comparison.link:
        if comparison.ui:
            yield "MLflow", f"{comparison.ui}, then"
        yield "all trials", comparison.link
        yield "their curves", comparison.curves
