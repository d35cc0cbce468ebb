"""Reading what a study is asked when it is done: a table to compare with, and claims."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hpsearch.claims import load_check
from hpsearch.claims.printed import PrintedTable
from hpsearch.errors import StudyFileError, unknown
from hpsearch.studyfile.mistakes import Mistake
from hpsearch.studyfile.study_file import Comparison, StudyFile


def printed_table(comparison: Comparison, folder: Path) -> PrintedTable:
    """The table that [comparison] describes.

    Raises:
        ValueError: it can't be read, or lacks a column.
    """
    said = comparison.model_dump() | {"path": folder / comparison.table}
    del said["table"]
    return PrintedTable(**said)


def _comparison_mistakes(file: StudyFile, table: PrintedTable) -> Iterator[Mistake]:
    assert file.comparison is not None
    metric = file.comparison.metric
    if metric.startswith("test") and file.protocol == "honest":
        yield Mistake(
            "comparison.metric",
            f"must be measured in every trial, got {metric!r}: that takes protocol = "
            '"test-every-epoch" or "paper"',
        )
    known = [*file.space, *file.network]
    for column in table.read().columns:
        name = file.comparison.columns.get(column, column)
        if column != file.comparison.number and name not in known:
            yield Mistake(f"comparison.columns.{column}", unknown(name, known))


def question_mistakes(file: StudyFile, folder: Path) -> Iterator[Mistake]:
    """What is wrong with [comparison] and [[claims]]."""
    if file.comparison is not None:
        try:
            table = printed_table(file.comparison, folder)
        except ValueError as error:
            yield Mistake("comparison.table", str(error))
        else:
            yield from _comparison_mistakes(file, table)
    for number, claim in enumerate(file.claims):
        try:
            load_check(claim.check, claim.given)
        except (ValueError, StudyFileError) as error:
            key = "given" if str(error).startswith("must have arguments") else "check"
            yield Mistake(f"claims.{number}.{key}", str(error))
