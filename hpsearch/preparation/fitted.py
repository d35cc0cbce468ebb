"""A preparation fitted to the training rows of a split."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.table_columns import TableColumn
from hpsearch.preparation.settings import Preparation
from hpsearch.preparation.steps import frame, transformer

Texts = Mapping[int, NDArray[Any]]


@dataclass(frozen=True)
class FittedPreparation:
    """From rows of a table to what a trainer learned from.

    Attributes:
        settings: how columns are prepared.
        columns: of the table.
        transformer: the fitted ColumnTransformer; None where every column stays as it is.
    """

    settings: Preparation
    columns: tuple[TableColumn, ...]
    transformer: Any

    def __call__(self, inputs: NDArray[np.float64], texts: Texts) -> NDArray[np.float64]:
        """Rows as a trainer takes them, (N, D) -> (N, D').

        Args:
            texts: (N,) of each column of texts.
        """
        if self.transformer is None:
            return inputs
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # categories that no training row has
            prepared = self.transformer.transform(frame(inputs, self.columns, texts))
        return self._clipped(prepared)

    def _clipped(self, prepared: Any) -> NDArray[np.float64]:
        values = np.asarray(prepared, np.float64)
        limit = self.settings.clip
        if limit and self.settings.scale != "none":
            np.clip(values, -limit, limit, out=values)
        return values


def fit_preparation(
    settings: Preparation,
    columns: Sequence[TableColumn],
    inputs: NDArray[np.float64],
    texts: Texts,
    labels: NDArray[Any],
    *,
    n_classes: int,
    seed: int,
) -> tuple[FittedPreparation, NDArray[np.float64]]:
    """Fit a preparation to training rows, and these rows as it prepares them.

    They are not what it makes of them afterwards: target encoding leaves each row's own target
    out, by cross-fitting.

    Args:
        inputs, texts, labels: of the training rows alone.
        n_classes: K; 0 where numbers are predicted.
        seed: of cross-fitting and of quantiles.
    """
    made = transformer(settings, columns, labels, n_classes=n_classes, seed=seed)
    if made is None:
        return FittedPreparation(settings, tuple(columns), made), inputs
    rows = frame(inputs, columns, texts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            prepared = made.fit_transform(rows, labels)
        except ValueError as error:
            if "empty vocabulary" not in str(error):
                raise
            # No training row has a word; a hash needs none.
            hashed = replace(settings, text="hashed")
            made = transformer(hashed, columns, labels, n_classes=n_classes, seed=seed)
            assert made is not None
            prepared = made.fit_transform(rows, labels)
    fitted = FittedPreparation(settings, tuple(columns), made)
    return fitted, fitted._clipped(prepared)
