"""Data sets of the user's own, by path."""

from __future__ import annotations

from pathlib import Path

from hpsearch.datasets.base import Dataset
from hpsearch.datasets.cifar import CifarFolder, is_cifar
from hpsearch.datasets.csv_format import CsvFormat
from hpsearch.datasets.idx import IdxFolder
from hpsearch.datasets.table import TableFile, TableOptions
from hpsearch.errors import DataError, Problem


def dataset_at(path: Path, table: TableOptions | None = None) -> Dataset:
    """The data set of a file or folder; nothing of it is read yet.

    Args:
        path: a CSV or Parquet file, or a folder of idx files or in CIFAR-10's binary format.
        table: of a file; a folder has its own labels and test set.

    Raises:
        DataError: there is no such file or folder, or a folder is described like a table.
    """
    options = table or TableOptions()
    if path.is_file():
        return TableFile(path, options)
    if not path.is_dir():
        raise DataError(
            Problem("data.name", "must be a file or a folder", repr(str(path)), "nothing there")
        )
    given: dict[str, object] = {
        "data.target": options.target,
        "data.test": options.test,
        "data.test_fraction": options.test_fraction,
        "data.task": options.task,
        "data.columns": None if options.columns == "auto" else options.columns,
        "data.drop": options.drop or None,
        "data.csv": None if options.csv == CsvFormat() else options.csv,
        "data.date_format": options.date_format,
    }
    if options.column is not None:
        given[options.column.key] = options.column.name
    for key, value in given.items():
        if value is not None:
            rule = f"must be left out: {path} has its own labels and test set"
            raise DataError(Problem(key, rule))
    return CifarFolder(path) if is_cifar(path) else IdxFolder(path)
