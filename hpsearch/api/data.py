"""The data sets that a study may name, and what a table holds."""

from __future__ import annotations

from pathlib import Path

from hpsearch.datasets import DATASETS
from hpsearch.datasets.card import TableCard, table_card
from hpsearch.datasets.files import dataset_at
from hpsearch.datasets.table import ENDINGS, TableFile, TableOptions
from hpsearch.errors import DataError


def data_sets() -> list[dict[str, str]]:
    """A row for each data set: its name, where its files were found, and a short description.

    Nothing is downloaded.
    """
    return [
        {"name": dataset.name, "where": dataset.where(), "summary": dataset.summary}
        for dataset in DATASETS.values()
    ]


def data_card(path: str | Path, *, target: str | None = None) -> TableCard:
    """Describe the columns of a table, and warn about likely mistakes.

    Args:
        path: a CSV or Parquet file, or a study file whose [data] names one.
        target: the column to predict; None: as in the study file, or none.

    Raises:
        DataError: it is not a table, or it can't be read.
        StudyFileError: the study file's [data] is invalid.
    """
    path = Path(path)
    if path.suffix == ".toml":
        from hpsearch.studyfile.reading import read_data  # which loads optuna

        file = read_data(path).selection(0, path.resolve().parent).dataset()
    else:
        if not path.name.endswith(ENDINGS) or not path.exists():
            raise DataError(
                f"the file must be a table ({', '.join(ENDINGS)}) or a study file, got "
                f"{str(path)!r}{'' if path.exists() else ', which does not exist'}"
            )
        file = dataset_at(path, TableOptions(target=target))
    if not isinstance(file, TableFile):
        raise DataError(f"{path} must name a table, got {file.name!r}: {file.summary}")
    return table_card(file)
