"""The [comparison] table of a study file: a printed table to lay the results beside."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from pydantic import Field

from hpsearch.claims.printed import PrintedTable
from hpsearch.errors import Problem, unknown_name
from hpsearch.studyfile.tables.base import Facts, Plain, Table


class Comparison(Table):
    """A printed table to compare the trials' scores with."""

    table: str = Field(
        description="a CSV file with a row for each cell; its path is relative to "
        "the study file's folder"
    )
    number: str = Field(default="accuracy", description="the column with the printed score")
    metric: str = Field(
        default="test_accuracy",
        description="the metric to compare: the best value over all epochs of a trial's first "
        "seed",
    )
    data: str | None = Field(
        default=None,
        description="the data.name that the printed scores are of: a study of other data is not "
        "compared with them; left out: any data",
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="the hyperparameter for each column with another name"
    )
    values: dict[str, dict[str, Plain]] = Field(
        default_factory=dict, description="for each column, the value here for each text there"
    )

    note_in_template = None

    def printed(self, folder: Path) -> PrintedTable:
        """The table that it describes.

        Args:
            folder: where its path starts.

        Raises:
            ValueError: it can't be read, or lacks a column.
        """
        return PrintedTable(
            path=folder / self.table,
            number=self.number,
            metric=self.metric,
            columns=self.columns,
            values=self.values,
        )

    def problems(self, facts: Facts) -> Iterator[Problem]:
        try:
            columns = self.printed(facts.folder).read().columns
        except ValueError as error:
            yield Problem("comparison.table", str(error))
            return
        if self.metric.startswith("test") and facts.protocol == "honest":
            yield Problem(
                "comparison.metric",
                "must be measured in every trial",
                repr(self.metric),
                'that needs protocol = "test-every-epoch" or "paper"',
            )
        for column in columns:
            name = self.columns.get(column, column)
            if column != self.number and name not in facts.names:
                yield unknown_name(f"comparison.columns.{column}", name, facts.names)

    @classmethod
    def may_change(cls) -> Collection[str]:
        return cls.model_fields
