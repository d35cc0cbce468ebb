"""The card of a table."""

from __future__ import annotations

from rich.table import Table

from hpsearch.console.output import output
from hpsearch.counts import count_of
from hpsearch.datasets.card import TableCard


def print_card(card: TableCard, path: object) -> None:
    """Print it: a line on the whole, a row a column, then likely mistakes."""
    out = output()
    sealed = f", and {card.test_rows:,} set aside as the test set" if card.test_rows else ""
    inputs = sum(column.kind not in ("identifier", "empty") for column in card.columns)
    out.print(
        f"{path}: {count_of(card.rows, 'row', form=',')} to learn from{sealed}; "
        f"{count_of(len(card.columns), 'column')}, "
        f"{inputs} of them inputs; {card.form}",
        soft_wrap=True,
    )
    if card.target is not None:
        classes = ", ".join(
            f"{name}: {count:,} ({count / card.rows:.1%})" for name, count in card.classes.items()
        )
        what = classes or "numbers"
        out.print(f"target {card.target}: {what}", soft_wrap=True)
    table = Table(box=None)
    for name in ("column", "kind", "missing", "distinct", "examples", "why"):
        right = name in ("missing", "distinct")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for column in card.columns:
        missing = f"{column.missing / card.rows:.1%}" if column.missing else ""
        cells = (
            column.name,
            column.kind,
            missing,
            f"{column.distinct:,}",
            ", ".join(column.examples),
            column.why,
        )
        table.add_row(*cells)
    out.print(table)
    for warning in card.warnings:
        out.print(f"warning: {warning}", soft_wrap=True)
