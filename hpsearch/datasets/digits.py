"""scikit-learn's digits: 1,797 images of 8 x 8, no network needed."""

from __future__ import annotations

import gzip
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from hpsearch.datasets.base import Dataset, Examples
from hpsearch.datasets.splits import hold_out
from hpsearch.errors import DataError

# The data set has no test set of its own: a fifth of each class, the same for ever and for all.
TEST_FRACTION, TEST_SEED = 0.2, 0


class Digits(Dataset):
    """Training 1,438 images, test 359, values 0 to 16."""

    name = "digits"
    summary = "1,797 grey images of 8 x 8, 10 classes; comes with scikit-learn"

    def training(self) -> Examples:
        return self._part(test=False)

    def test(self) -> Examples:
        return self._part(test=True)

    def where(self) -> str:
        return "in scikit-learn"

    def _part(self, *, test: bool) -> Examples:
        rows = _table()
        inputs, labels = rows[:, :-1], rows[:, -1].astype(np.int64)
        ((train, held_out),) = hold_out(
            labels, TEST_FRACTION, rng=np.random.default_rng(TEST_SEED)
        )
        part = held_out if test else train
        return Examples(inputs[part], labels[part], 10, 16.0)


def _table() -> np.ndarray:
    """64 pixels and the class of each image, (1797, 65).

    The file is read where scikit-learn installs it: to import sklearn.datasets takes each worker
    1.5 s, the file 4 ms.

    Raises:
        DataError: it is not there, or damaged.
    """
    found = find_spec("sklearn")
    folder = Path(found.origin).parent if found and found.origin else Path("sklearn")
    path = folder / "datasets" / "data" / "digits.csv.gz"
    try:
        with gzip.open(path) as file:
            return np.loadtxt(file, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(
            f"the digits must lie in {path}, where scikit-learn installs them, and be whole, got: "
            f"{error}. Install scikit-learn again"
        ) from error
