"""A table of numbers in a CSV or Parquet file: a row an example, one column the target."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.base import Dataset, Examples, numbered
from hpsearch.datasets.csv_file import cell_text, read_csv, refuse_twice
from hpsearch.datasets.splits import hold_out
from hpsearch.datasets.table_splits import (
    Column,
    hold_out_groups,
    hold_out_last,
    refuse_earlier,
    refuse_shared,
)
from hpsearch.errors import DataError, Problem, unknown_name

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".csv.gz", ".parquet")
# Without a test file of its own: rows held out, the same for every study of the file, whatever
# its seed, so that no study learns from the test rows of another.
TEST_FRACTION, TEST_SEED = 0.2, 0


@dataclass(frozen=True)
class TableOptions:
    """What must be known of a table beside its path.

    Attributes:
        target: the column to predict.
        test: a file of test rows with the same columns; None: rows of the table are held out.
        test_fraction: share of the rows held out, of each class; None: TEST_FRACTION.
        task: "classification" or "regression"; None: regression where the target is a float.
        column: what rows are split by; it is no input. Groups are never in part learned from and
            in part tested; of times the last are held out.
        weight: a column of how much each row counts; it is no input.
    """

    target: str | None = None
    test: Path | None = None
    test_fraction: float | None = None
    task: str | None = None
    column: Column | None = None
    weight: str | None = None


class TableFile(Dataset):
    """Inputs are all columns but the target and what rows are split by, as float64.

    Classes are numbered in sorted order.

    Args:
        path: a file with one of ENDINGS.
        options: what its columns are, and which rows test.
    """

    def __init__(self, path: Path, options: TableOptions) -> None:
        self.path, self.target, self.task = path, options.target, options.task
        self.test_path, self.column = options.test, options.column
        self.weight = options.weight
        given = options.test_fraction
        self.test_fraction = TEST_FRACTION if given is None else given
        self.name, self.summary = str(path), f"a table of numbers to predict {self.target}"

    def training(self) -> Examples:
        whole = self._whole()
        return whole if self.test_path else whole.rows(self._sides(whole)[0])

    def test(self) -> Examples:
        whole = self._whole()
        if self.test_path is None:
            return whole.rows(self._sides(whole)[1])
        learned, frame = _read(self.path), _read(self.test_path)
        names = [str(name) for name in learned.columns]
        for name in names:
            if name not in frame:
                raise DataError(
                    f"{self.test_path} must have the columns of {self.path}: {name!r} is missing"
                )
        frame = frame[names]
        self._refuse_leak(whole, frame)
        inputs = _inputs(frame, self._no_inputs, self.test_path)
        values = _values(frame, str(self.target), self.test_path)
        weights = self._weights(frame, self.test_path)
        if whole.regression:
            targets = _targets(values, str(self.target), self.test_path)
            return Examples(inputs, targets, 0, weights=weights)
        labels = numbered(values, whole.classes, self.test_path)
        return Examples(inputs, labels, whole.n_classes, classes=whole.classes, weights=weights)

    def where(self) -> str:
        return str(self.path)

    def _sides(self, whole: Examples) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        if self.column is not None:
            assert whole.keys is not None
            strata, fraction = whole.strata, self.test_fraction
            if self.column.role == "order":
                return hold_out_last(whole.keys, fraction)
            return hold_out_groups(strata, whole.keys, fraction, seed=TEST_SEED)
        rng = np.random.default_rng(TEST_SEED)
        (sides,) = hold_out(whole.strata, self.test_fraction, rng=rng)
        return sides

    @property
    def _no_inputs(self) -> list[str]:
        """The columns that are something else."""
        column = self.column.name if self.column else None
        return [name for name in (self.target, column, self.weight) if name is not None]

    def _check_key(self, names: list[str]) -> None:
        """Refuse a column to split by that is not there, or is predicted."""
        if self.column is None:
            return
        name, others = self.column.name, [other for other in names if other != self.target]
        if name not in others:
            raise DataError(unknown_name(self.column.key, name, others))

    def _keys(self, frame: pd.DataFrame, path: Path) -> NDArray[Any] | None:
        if self.column is None:
            return None
        values = frame[self.column.name]
        if self.column.role == "order":
            return _times(values, path)
        _refuse_missing(values, path)
        return values.astype(str).to_numpy(str)

    def _check_weight(self, names: list[str]) -> None:
        """Refuse a column of weights that is not there, or is something else."""
        taken = {self.target, self.column.name if self.column else None}
        others = [name for name in names if name not in taken]
        if self.weight is not None and self.weight not in others:
            raise DataError(unknown_name("data.weight", self.weight, others))

    def _weights(self, frame: pd.DataFrame, path: Path) -> NDArray[np.float64] | None:
        if self.weight is None:
            return None
        weights = _column(frame[self.weight], path)
        negative = np.flatnonzero(weights < 0)
        if len(negative):
            row = int(negative[0])
            rule = "must name a column of numbers that are 0 or more"
            got = f"{weights[row]:g} in row {row + 1} of {path}"
            raise DataError(Problem("data.weight", rule, got))
        return weights

    def _refuse_leak(self, whole: Examples, frame: pd.DataFrame) -> None:
        """Refuse a file of test rows that the split would not have held out."""
        assert self.test_path is not None
        keys = self._keys(frame, self.test_path)
        if self.column is None or keys is None or whole.keys is None:
            return
        refuse = refuse_earlier if self.column.role == "order" else refuse_shared
        refuse(whole.keys, keys, self.test_path)

    def _whole(self) -> Examples:
        """All rows of the file."""
        frame = _read(self.path)
        names = [str(name) for name in frame.columns]
        if self.target is None:
            rule = f"must be the column to predict, one of {', '.join(names)}"
            raise DataError(Problem("data.target", rule))
        if self.target not in names:
            raise DataError(unknown_name("data.target", self.target, names))
        self._check_key(names)
        self._check_weight(names)
        keys, weights = self._keys(frame, self.path), self._weights(frame, self.path)
        inputs = _inputs(frame, self._no_inputs, self.path)
        values = _values(frame, self.target, self.path)
        if self.task == "regression" or (self.task is None and values.dtype.kind == "f"):
            targets = _targets(values, self.target, self.path)
            return Examples(inputs, targets, 0, keys=keys, weights=weights)
        return replace(self._classified(inputs, values), keys=keys, weights=weights)

    def _classified(self, inputs: NDArray[Any], values: NDArray[Any]) -> Examples:
        found, counts = np.unique(values, return_counts=True)
        classes = tuple(map(str, found))
        _refuse_alike(classes)
        if len(classes) < 2:
            rule = "must hold at least 2 classes"
            raise DataError(Problem("data.target", rule, f"only {classes[0]!r}"))
        least = 2 if self.test_path else 3  # a row to train on, to validate and to test
        rare = int(counts.argmin())
        if counts[rare] < least:
            hint = 'numbers to predict: task = "regression"'
            raise DataError(
                Problem(
                    "data.target",
                    f"must hold at least {least} rows of each of its {len(classes)} classes",
                    f"{counts[rare]} of {classes[rare]!r}",
                    hint if values.dtype.kind in "iuf" else "",
                )
            )
        labels = numbered(values, classes, self.path)
        return Examples(inputs, labels, len(classes), classes=classes)


def _refuse_alike(classes: tuple[str, ...]) -> None:
    """Refuse classes that would be one to whoever reads the table."""
    seen = dict[str, str]()
    for name in classes:
        other = seen.setdefault(" ".join(name.split()), name)
        if other != name:
            rule = "must hold classes that differ by more than spaces"
            hint = "write them alike in the file"
            raise DataError(Problem("data.target", rule, f"{other!r} and {name!r}", hint))


def _read(path: Path) -> pd.DataFrame:
    if not path.name.endswith(ENDINGS):
        raise DataError(f"{path} must end with one of {', '.join(ENDINGS)}")
    try:
        frame = _read_parquet(path) if path.suffix == ".parquet" else read_csv(path)
    # ValueError is the readers' own errors, too; EOFError and zlib.error come of a cut file.
    except (OSError, ValueError, ImportError, EOFError, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path} must be a readable table, got {type(error).__name__}: {reason}"
        ) from error
    frame.columns = frame.columns.map(str)
    if any(name.startswith("Unnamed: ") for name in frame.columns):
        raise DataError(
            f"{path} must have a name over every column, got one without: a saved index is left "
            "out with to_csv(index=False)"
        )
    if frame.shape[0] < 2 or frame.shape[1] < 2:
        raise DataError(
            f"{path} must have at least 2 rows and 2 columns, got {frame.shape[0]} and "
            f"{frame.shape[1]}"
        )
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    from pyarrow.parquet import read_schema

    refuse_twice(path, read_schema(path).names)
    return pd.read_parquet(path)


def _inputs(frame: pd.DataFrame, others: list[str], path: Path) -> NDArray[np.float64]:
    """All columns but the target and what rows are split by, (N, D)."""
    columns = [_column(frame[name], path) for name in frame.columns if name not in others]
    if not columns:
        raise DataError(f"{path} must have a column of inputs beside {', '.join(others)}")
    return np.stack(columns, axis=1)


def _column(column: pd.Series[Any], path: Path) -> NDArray[np.float64]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    _refuse_missing(column, path)
    if not (is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype)):
        _refuse_huge(column, path)
        row = next((i for i, value in enumerate(column) if not _is_number(value)), 0)
        _refuse_comment(column.iloc[row], row, path)
        raise DataError(
            f"{path} must hold numbers in every column but the target, got {column.iloc[row]!r} "
            f"in column {column.name!r}, row {row + 1}: encode it as numbers, or leave the column "
            "out of the file"
        )
    values: NDArray[np.float64] = column.to_numpy(np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DataError(
            f"{path} must hold finite numbers, got {values[row]} in column {column.name!r}, row "
            f"{row + 1}"
        )
    return values


def _refuse_huge(column: pd.Series[Any], path: Path) -> None:
    """Whole numbers of more than 64 bits, which pandas keeps as objects."""
    for row, value in enumerate(column):
        if isinstance(value, int) and value.bit_length() > 64:
            raise DataError(
                f"{path} must hold numbers of at most 19 digits in every column but the target, "
                f"got one of {len(str(abs(value)))} digits in column {column.name!r}, row "
                f"{row + 1}: leave out what only tells rows apart, or write it as 1.5e22"
            )


def _times(column: pd.Series[Any], path: Path) -> NDArray[Any]:
    """Numbers as they are, dates as nanoseconds."""
    import pandas as pd
    from pandas.api.types import is_numeric_dtype

    if is_numeric_dtype(column.dtype):
        return _column(column, path)
    _refuse_missing(column, path)
    try:
        dates = pd.to_datetime(column.astype(str), format="ISO8601", utc=True)
    except ValueError as error:
        rule = "must name a column of numbers or of dates such as 2024-01-31"
        got = f"{column.name!r} in {path}: {' '.join(str(error).split())}"
        raise DataError(Problem("data.split.order", rule, got)) from error
    return dates.to_numpy("datetime64[ns]").astype(np.int64)


def _refuse_missing(column: pd.Series[Any], path: Path) -> None:
    missing = np.flatnonzero(column.isna())
    if len(missing):
        row = int(missing[0])
        text = "" if path.suffix == ".parquet" else cell_text(path, row, str(column.name))
        _refuse_comment(text, row, path)
        if text:
            raise DataError(
                f"{path} must have no missing values, got {text!r}, which is read as one, in "
                f"column {column.name!r}, row {row + 1}: rename it in the file, e.g. to "
                f"{text.lower() + '_'!r}, or drop the rows"
            )
        raise DataError(
            f"{path} must have no missing values, got {len(missing)} in column {column.name!r}, "
            f"the first in row {missing[0] + 1}: fill them in, or drop the rows"
        )


def _refuse_comment(value: object, row: int, path: Path) -> None:
    """Say it where a comment stands in place of a row."""
    if str(value).lstrip().startswith("#"):
        raise DataError(
            f"{path} must hold a row in every line below its names, got {str(value)!r} in place "
            f"of row {row + 1}: leave comments out of the file"
        )


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _values(frame: pd.DataFrame, target: str, path: Path) -> NDArray[Any]:
    """The target column: numbers, booleans or texts."""
    column = frame[target]
    _refuse_missing(column, path)
    kind = getattr(column.dtype, "kind", "O")
    if kind in "iuf":
        return column.to_numpy({"i": np.int64, "u": np.uint64, "f": np.float64}[kind])
    return column.astype(str).to_numpy(str)


def _targets(values: NDArray[Any], target: str, path: Path) -> NDArray[np.float64]:
    if values.dtype.kind not in "iuf":
        raise DataError(
            f"{path} must hold numbers in the target {target!r} for a regression, got "
            f"{str(values[0])!r}"
        )
    targets = values.astype(np.float64)
    if not np.isfinite(targets).all():
        raise DataError(f"{path} must hold finite numbers in the target {target!r}")
    return targets
