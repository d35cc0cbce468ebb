"""Predicting new rows with a study's winner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hpsearch.datasets.table import read_table
from hpsearch.datasets.table_columns import texts_of
from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home
from hpsearch.reports.served_model import served
from hpsearch.study.recorded import Recorded, find_run
from hpsearch.study_names import file_name
from hpsearch.trainers.tables.model import FittedTable, TableModel

if TYPE_CHECKING:
    import pandas as pd

TAKEN = "predicted_"  # before the name of an answer that the file has a column of


def predict(study: str, rows: str | Path, *, home: str | Path | None = None) -> pd.DataFrame:
    """Predict the rows of a file with a study's winner.

    Columns are matched by name, in any order; additional columns are kept and ignored. An unknown
    category is treated as unknown; missing values are handled as in the study's [prepare].

    Args:
        study: its name, for the newest run, or that of one of its runs.
        rows: a CSV or Parquet file.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.

    Returns:
        The columns of the file, then `class` or `prediction`, then a column of probabilities for
        each class if the winner has them.

    Raises:
        HpsearchError: there is no such study, or it has no winner for tables.
        DataError: a column is missing, or holds values of another kind than the training rows.
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
    """The file of the winner on all rows, or of its first refit."""
    result = run.result()
    if result is None:
        raise HpsearchError(
            f"study {run.name!r} is not finished, so it has no winner to predict with: run its "
            "file again"
        )
    record = served(run.folder, result.best_number)
    if record is not None:
        place = run.folder.files.record(record.kind, record.number, record.seed_number)
        if place.file(FittedTable.file_name).exists():
            return place.file(FittedTable.file_name)
    raise HpsearchError(
        f"the winner of {run.name!r} must be a stored model of a table with preprocessed columns, "
        "but there is none: see its log or, for other data, use its model in MLflow "
        f"(models:/{file_name(run.study)}@winner)"
    )
