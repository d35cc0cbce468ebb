"""Predicting new rows with a study's winner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hpsearch.datasets.table import read_table
from hpsearch.datasets.table_columns import texts_of
from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home
from hpsearch.reports.parent import model_refit
from hpsearch.study.recorded import Recorded, find_run
from hpsearch.trainers.tables.model import FittedTable, TableModel

if TYPE_CHECKING:
    import pandas as pd

TAKEN = "predicted_"  # before the name of an answer that the file has a column of


def predict(study: str, rows: str | Path, *, home: str | Path | None = None) -> pd.DataFrame:
    """The rows of a file with what a study's winner predicts of them.

    Columns are found by name, whatever their order; those that the model does not know stay
    beside the answer and have no part in it. A text that is none of a category's is treated as
    unknown; a gap as the study's [prepare] says.

    Args:
        study: its name, for the newest run, or that of one of its runs.
        rows: a CSV or Parquet file.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ of the current directory.

    Returns:
        The cells of the file as they are, then `class` or `prediction`, then a column of
        probabilities for each class, where the winner has them.

    Raises:
        HpsearchError: there is no such study, or it has no winner for tables.
        DataError: a column is missing, or holds what it held in no training row.
    """
    import pandas as pd

    run = find_run(Home.find(Path(home) if home else None), study)
    data, path, fitted = run.file.data, Path(rows), _model_of(run)
    assert data is not None  # a table has been learned from
    model = TableModel.load(fitted)
    csv = replace(data.csv.made(), decimal=model.form.decimal, thousands=model.form.thousands)
    table = read_table(path, csv)
    answers = model.predict_cells(table.cells, table.form, str(path))
    as_written = read_table(path, replace(csv, missing=())).cells
    columns = {
        name: texts_of(as_written.column(name)).to_pylist()
        if table.form.separator
        else as_written.column(name).to_pandas()
        for name in as_written.column_names
    }
    named = {TAKEN * (name in columns) + str(name): answers[name] for name in answers}
    return pd.DataFrame({**columns, **named})


def _model_of(run: Recorded) -> Path:
    """The file of the winner's first refit."""
    result = run.result()
    if result is None:
        raise HpsearchError(
            f"study {run.name!r} must have a winner to predict with, it is not finished: run its "
            "file again"
        )
    refit = model_refit(run.folder, result.best_number)
    if refit is not None:
        place = run.folder.files.record("test", refit.number, refit.seed_number)
        if place.file(FittedTable.file_name).exists():
            return place.file(FittedTable.file_name)
    raise HpsearchError(
        f"the winner of {run.name!r} must be a model of a table whose columns are prepared, and "
        "none was kept: see what its log says, or, for other data, take its model in MLflow "
        f"(models:/{run.study}@winner)"
    )
