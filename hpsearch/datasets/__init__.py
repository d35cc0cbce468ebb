"""Data sets by name, and the part of one that a study sees."""

from __future__ import annotations

from hpsearch.datasets.base import Dataset, Examples
from hpsearch.datasets.cifar import Cifar10
from hpsearch.datasets.digits import Digits
from hpsearch.datasets.mnist import Mnist

__all__ = ["DATASETS", "Dataset", "Examples"]

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset for dataset in (Digits(), Mnist(), Cifar10())
}
