"""What a pruning deletes and keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from hpsearch.api.upkeep.prune import size_text
from hpsearch.console.output import output, print_table
from hpsearch.counts import count_of

if TYPE_CHECKING:
    from hpsearch.api.upkeep.prune import Pruning


def print_pruning(found: Pruning) -> None:
    """A row a run on stdout: whether it goes, why, and what that frees."""
    table = Table(box=None)
    for name in ("run", "", "ended", "score", "size", "why"):
        right = name in ("score", "size")
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "why")
    for row in found.rows:
        table.add_row(
            row.run,
            "goes" if row.goes else "stays",
            row.ended[:10],
            "" if row.score is None else f"{row.score:.4f}",
            size_text(row.bytes) if row.goes else "",
            row.reason,
        )
    print_table(table)
    runs = count_of(len(found.rows), "run")
    total = f"{len(found.going)} of {runs} to delete, {size_text(found.file_bytes)} of files"
    for line in (total, *found.notes()) if found.going else ():
        output().print(line, soft_wrap=True)
