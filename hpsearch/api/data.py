"""The data sets that a study may name."""

from __future__ import annotations

from hpsearch.datasets import DATASETS


def data_sets() -> list[dict[str, str]]:
    """A row a data set: name, where its files were found, and a line on what it is.

    Nothing is downloaded.
    """
    return [
        {"name": dataset.name, "where": dataset.where(), "summary": dataset.summary}
        for dataset in DATASETS.values()
    ]
