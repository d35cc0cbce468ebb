"""A model of raw rows: how their columns are read and prepared, and what was learned from them.

One zip: columns and settings as JSON, scikit-learn's transformers as skops writes them, and
the trainer's own file. Nothing in it runs when it is read.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.csv_format import CsvFormat
from hpsearch.datasets.table_columns import (
    TableColumn,
    decode,
    encode,
    numbers_in,
    table_of_frame,
    texts_of,
)
from hpsearch.errors import DataError
from hpsearch.preparation.fitted import FittedPreparation, Texts
from hpsearch.preparation.settings import Preparation
from hpsearch.trainers.base import Fitted
from hpsearch.trainers.fitted_estimator import PACKAGES, load_trusted, trusted_types
from hpsearch.trainers.tables.predictor import PREDICTORS, Predictor

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TABLE, STEPS = "table.json", "preparation.skops"  # beside the trainer's own file
PLAIN = CsvFormat(decimal=".", thousands="")


@dataclass(frozen=True)
class FittedTable:
    """What was learned from a prepared table.

    Attributes:
        preparation: fitted to the training rows.
        fitted: learned from what it makes of them.
        texts: of the rows that show what the inputs look like, by column.
        form: how the table was written.
    """

    file_name: ClassVar[str] = "table_model.zip"

    preparation: FittedPreparation
    fitted: Fitted
    texts: dict[int, NDArray[Any]]
    form: CsvFormat

    def with_threshold(self, threshold: float, positive: int) -> FittedTable:
        """The same, which takes rows for the positive class from this probability on."""
        return replace(self, fitted=self.fitted.with_threshold(threshold, positive))

    def to_bytes(self, classes: tuple[str, ...], example: NDArray[Any]) -> bytes:
        """The file.

        Args:
            classes: their names, () for numbers.
            example: some rows (N, D), as `table_columns` has them.

        Raises:
            HpsearchError: the trainer's part holds what a reader must not make.
        """
        import skops.io

        prepared = self.preparation(example, self.texts)
        columns = self.preparation.columns
        rows = decode(columns, example, self.texts)
        content = {
            "columns": [column.to_json() for column in columns],
            "settings": asdict(self.preparation.settings),
            "inside": self.fitted.file_name,
            "decimal": self.form.decimal,
            "thousands": self.form.thousands,
            "missing": self.form.missing,
            "versions": {name: version(name) for name in PACKAGES},
            "example": {name: [*map(_plain, cells)] for name, cells in rows.items()},
        }
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
            parts.writestr(TABLE, json.dumps(content))
            if self.preparation.transformer is not None:
                steps = skops.io.dumps(self.preparation.transformer)
                trusted_types(steps)
                parts.writestr(STEPS, steps)
            parts.writestr(self.fitted.file_name, self.fitted.to_bytes(classes, prepared))
        return file.getvalue()


def _plain(cell: Any) -> Any:
    return None if isinstance(cell, float) and np.isnan(cell) else cell


@dataclass(frozen=True)
class TableModel:
    """Such a file, to predict with; transformers and estimators are made when it first predicts.

    Attributes:
        columns: that it needs, by name.
        versions: of the packages that wrote it.
        example: some rows.
        form: how numbers and gaps were written in the table.
    """

    columns: tuple[TableColumn, ...]
    versions: dict[str, str]
    example: pd.DataFrame
    form: CsvFormat
    _settings: Preparation
    _steps: bytes | None
    _inside: tuple[str, bytes]  # the trainer's own file, name and content

    @classmethod
    def load(cls, path: Path) -> TableModel:
        """Read a file of `FittedTable.to_bytes`."""
        import pandas as pd

        with zipfile.ZipFile(path) as parts:
            content = json.loads(parts.read(TABLE))
            steps = parts.read(STEPS) if STEPS in parts.namelist() else None
            inside = content["inside"], parts.read(content["inside"])
        columns = tuple(map(TableColumn.from_json, content["columns"]))
        missing = content["missing"]
        form = CsvFormat(
            decimal=content["decimal"],
            thousands=content["thousands"],
            missing=None if missing is None else tuple(missing),
        )
        settings, example = Preparation(**content["settings"]), pd.DataFrame(content["example"])
        return cls(columns, content["versions"], example, form, settings, steps, inside)

    @cached_property
    def _preparation(self) -> FittedPreparation:
        steps = None if self._steps is None else load_trusted(self._steps)
        return FittedPreparation(self._settings, self.columns, steps)

    def answers(self) -> list[tuple[str, type]]:
        """What is predicted of a row, by name and kind."""
        with self._opened() as predictor:
            return predictor.columns()

    @cached_property
    def _predictor(self) -> Predictor:
        with self._opened() as predictor:
            predictor.read()
        return predictor

    @contextmanager
    def _opened(self) -> Iterator[Predictor]:
        """The trainer's own file, for as long as it lies somewhere."""
        name, content = self._inside
        with TemporaryDirectory(prefix="hpsearch-") as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            yield PREDICTORS[name](path)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A row for each row of a frame; its columns are found by name, others are not looked at.

        Raises:
            DataError: a column is missing, or holds what it held in no training row.
        """
        cells = table_of_frame(frame, self.form.gaps)
        return self.predict_cells(cells, self.form, "the table")

    def predict_cells(self, cells: pa.Table, form: CsvFormat, where: str) -> pd.DataFrame:
        """As `predict`, of the cells of a file.

        Args:
            form: how numbers are written in texts.
            where: the file, for messages.
        """
        self._refuse_missing(cells.column_names, where)
        inputs = np.empty((cells.num_rows, len(self.columns)))
        texts: dict[int, NDArray[Any]] = {}
        for place, column in enumerate(self.columns):
            own = cells.column(column.name)
            inputs[:, place] = encode(column, own, form, where)
            if column.kind == "number":
                inputs[np.isin(inputs[:, place], self._numeric_gaps), place] = np.nan
            if column.kind == "text":
                texts[place] = texts_of(own).fill_null("").to_numpy()
        return self.predict_inputs(inputs, texts)

    @cached_property
    def _numeric_gaps(self) -> list[float]:
        """Marks such as -999, which a frame has as a number."""
        import pyarrow as pa

        texts = pa.chunked_array([pa.array(self.form.missing or (), pa.string())])
        values, refused = numbers_in(texts, PLAIN)
        return [float(value) for value in values[~refused]]

    def predict_inputs(self, inputs: NDArray[np.float64], texts: Texts) -> pd.DataFrame:
        """As `predict`, of rows as a data set has them.

        Args:
            inputs: (N, D), of the model's columns.
            texts: (N,) of each column of texts.
        """
        return self._predictor.predict(self._preparation(inputs, texts))

    def _refuse_missing(self, names: Sequence[str], where: str) -> None:
        missing = [column.name for column in self.columns if column.name not in names]
        if missing:
            listed = ", ".join(map(repr, missing))
            raise DataError(
                f"{where} must have the columns that the model was trained on, got none of the "
                f"name {listed}: it has {', '.join(names)}"
            )
