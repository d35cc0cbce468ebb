"""A printed table beside the study's own numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.metrics import lower_is_better
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PrintedTable:
    """A CSV file of printed scores, with a row per cell.

    Args:
        path: the file.
        number: the column that holds the printed score.
        metric: the metric to compare with it, the best of all epochs of a trial's first seed.
        columns: the hyperparameter for each column with another name.
        values: for each column, the value here for each text there.

    Raises:
        ValueError: the file can't be read, or lacks a column.
    """

    path: Path
    number: str
    metric: str
    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, Any]]

    def __post_init__(self) -> None:
        import pandas as pd  # here, as every command knows what printed tables are

        known = self.read().columns
        for column in (self.number, *self.columns, *self.values):
            if column not in known:
                raise ValueError(f"{self.path.name} must have a column {column!r}, got {[*known]}")
        cells = self.read()
        wrong = cells[pd.to_numeric(cells[self.number], errors="coerce").isna()]
        if len(wrong):
            where = f"row {wrong.index[0] + 2}, column {self.number}"
            got = wrong[self.number].iloc[0]
            raise ValueError(f"{self.path.name}, {where}, must be a number, got {got!r}")
        twice = cells[cells.drop(columns=self.number).duplicated()]
        if len(twice):
            raise ValueError(
                f"{self.path.name}, row {twice.index[0] + 2}, must not be a duplicate"
            )

    def read(self) -> pd.DataFrame:
        """The table as printed, with every text unchanged."""
        import pandas as pd

        try:
            return pd.read_csv(self.path, dtype=str, keep_default_na=False)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ValueError(f"{self.path} must be a readable CSV file, got: {reason}") from error

    @property
    def group(self) -> str | None:
        """The column by whose values agreement is counted: the first that `values` translates."""
        return next(iter(self.values), None)

    def beside(self, records: Sequence[TrialRecord], n_scored: int) -> pd.DataFrame:
        """The printed columns, `here`, `difference_images`, and `trial` and `printed` as numbers.

        Cells without a trial have only `printed`.

        Args:
            n_scored: the number of images of which the scores are fractions.
        """
        import pandas as pd

        table = self.read()
        found = [
            self._trial(dict(zip(table.columns, cells, strict=True)), records)
            for cells in table.to_numpy()
        ]
        here = [None if r is None else self._score(r) for r in found]
        printed = pd.to_numeric(table[self.number])
        differences = [
            None if h is None else round((h - p) * n_scored)
            for h, p in zip(here, printed, strict=True)
        ]
        return table.assign(
            here=pd.Series(here, dtype=float),
            difference_images=pd.Series(differences, dtype="Int64"),
            trial=pd.Series([None if r is None else r.number for r in found], dtype="Int64"),
            printed=printed,
        )

    def _trial(self, row: Mapping[str, str], records: Sequence[TrialRecord]) -> TrialRecord | None:
        wanted = {
            self.columns.get(column, column): self.values.get(column, {}).get(text, text)
            for column, text in row.items()
            if column != self.number and text != ""
        }
        fits = (r for r in records if all(_same(r.params.get(k), v) for k, v in wanted.items()))
        return next((r for r in fits if r.outcome is Outcome.COMPLETE), None)

    def _score(self, record: TrialRecord) -> float:
        values = record.members[0].history[self.metric]
        return (min if lower_is_better(self.metric) else max)(values)

    def agreement(self, beside: pd.DataFrame) -> list[dict[str, Any]]:
        """For each group of cells: how many in all, equal and within one image; mean error."""
        done = beside.dropna(subset="here")
        groups = [("", done)] if self.group is None else list(done.groupby(self.group))
        return [
            {
                "cells": str(name),
                "n": len(part),
                "equal": int((part["difference_images"] == 0).sum()),
                "within_one_image": int((part["difference_images"].abs() <= 1).sum()),
                "mean_absolute_difference": float((part["here"] - part["printed"]).abs().mean()),
            }
            for name, part in groups
            if len(part)
        ]


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and isinstance(value, int | float):
        try:
            return float(wanted) == float(value)
        except ValueError:
            return False
    return bool(value == wanted)
