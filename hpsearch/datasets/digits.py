"""scikit-learn's digits: 1,797 images of 8 x 8, no network needed."""

from __future__ import annotations

import numpy as np

from hpsearch.datasets.base import Dataset, Examples
from hpsearch.datasets.splits import hold_out

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
        from sklearn.datasets import load_digits  # 1 s to import, and only this data set needs it

        inputs, labels = load_digits(return_X_y=True)
        ((train, held_out),) = hold_out(
            labels, TEST_FRACTION, rng=np.random.default_rng(TEST_SEED)
        )
        rows = held_out if test else train
        return Examples(inputs[rows].astype(np.uint8), labels[rows].astype(np.int64), 10, 16.0)
