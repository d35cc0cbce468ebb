"""Data sets of the user's own, by path."""

from __future__ import annotations

from pathlib import Path

from hpsearch.datasets.base import Dataset
from hpsearch.datasets.cifar import CifarFolder, is_cifar
from hpsearch.datasets.idx import IdxFolder
from hpsearch.datasets.table import TableFile
from hpsearch.errors import DataError


def dataset_at(
    path: Path,
    *,
    target: str | None = None,
    test: Path | None = None,
    test_fraction: float | None = None,
    task: str | None = None,
    group: str | None = None,
    order: str | None = None,
) -> Dataset:
    """The data set of a file or folder; nothing of it is read yet.

    Args:
        path: a CSV or Parquet file, or a folder of idx files or in CIFAR-10's binary format.
        target, test, test_fraction, task, group, order: of a table, see TableFile.

    Raises:
        DataError: there is no such file or folder, or a folder is described like a table.
    """
    if path.is_file():
        return TableFile(
            path,
            target=target,
            test=test,
            test_fraction=test_fraction,
            task=task,
            group=group,
            order=order,
        )
    if not path.is_dir():
        raise DataError(f"data.name must be a file or a folder, got {str(path)!r}: nothing there")
    said = {"target": target, "test": test, "test_fraction": test_fraction, "task": task}
    said |= {"split.group": group, "split.order": order}
    for key, value in said.items():
        if value is not None:
            raise DataError(f"data.{key} must be left out: {path} has its own labels and test set")
    return CifarFolder(path) if is_cifar(path) else IdxFolder(path)
