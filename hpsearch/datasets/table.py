"""A table in a CSV or Parquet file: a row an example, one column the target."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.base import Dataset, Examples, numbered
from hpsearch.datasets.column_kinds import found_decimal, refuse_strange, understand
from hpsearch.datasets.csv_file import read_csv
from hpsearch.datasets.csv_format import CsvFormat, refuse_comment, refuse_names
from hpsearch.datasets.splits import hold_out
from hpsearch.datasets.table_columns import (
    NO_INPUTS,
    Kind,
    TableColumn,
    encode,
    refuse_rounded,
    texts_of,
)
from hpsearch.datasets.table_splits import (
    Column,
    hold_out_groups,
    hold_out_last,
    refuse_earlier,
    refuse_shared,
)
from hpsearch.errors import DataError, Problem, unknown_name

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
# Without a test file of its own: rows held out, the same for every study of the file, whatever
# its seed, so that no study learns from the test rows of another.
TEST_FRACTION, TEST_SEED = 0.2, 0
NUMBERS = "numbers"  # every column is a number without gaps, and is learned from as it is


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
        columns: "auto"; "numbers": all are numbers, without gaps, and stay as they are; or the
            kinds of those that are not what "auto" makes of them.
        drop: columns that are no inputs.
        csv: how the file is written.
        date_format: of dates, as strptime has it; None: found out.
        weight: a column of how much each row counts; it is no input.
    """

    target: str | None = None
    test: Path | None = None
    test_fraction: float | None = None
    task: str | None = None
    column: Column | None = None
    columns: str | tuple[tuple[str, Kind], ...] = "auto"
    drop: tuple[str, ...] = ()
    csv: CsvFormat = field(default_factory=CsvFormat)
    date_format: str | None = None
    weight: str | None = None

    @property
    def prepared(self) -> bool:
        """Whether its columns are prepared for a trainer."""
        return self.columns != NUMBERS


@dataclass(frozen=True)
class ReadTable:
    """A file as it was read.

    Attributes:
        cells: texts, or values of the file's own types; null where there is none.
        form: how numbers are written in texts.
    """

    path: Path
    cells: pa.Table
    form: CsvFormat

    @property
    def names(self) -> list[str]:
        """Of its columns."""
        return list(self.cells.column_names)

    def column(self, name: str) -> pa.ChunkedArray:
        """The cells of a column, (N,)."""
        return self.cells.column(name)


def read_table(path: Path, csv: CsvFormat) -> ReadTable:
    """The cells of a file; read once for as long as it does not change.

    Raises:
        DataError: it is no table, or none of this format.
    """
    if not path.name.endswith(ENDINGS):
        raise DataError(f"{path} must end with one of {', '.join(ENDINGS)}")
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"{path} must be a readable table, got {error.strerror}") from error
    return _read_table(path, csv, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)  # texts of numbers are thrice as large as the numbers
def _read_table(path: Path, csv: CsvFormat, changed: int, size: int) -> ReadTable:
    try:
        if path.suffix == ".parquet":
            read = ReadTable(path, _read_parquet(path), CsvFormat())
        else:
            cells, form = read_csv(path, csv)
            texts = dict(zip(cells.column_names, cells.columns, strict=True))
            read = ReadTable(path, cells, found_decimal(form, texts))
    # ValueError is the readers' own errors, too; EOFError and zlib.error come of a cut file.
    except (OSError, ValueError, ImportError, EOFError, zlib.error) as error:
        if isinstance(error, DataError):
            raise
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path} must be a readable table, got {type(error).__name__}: {reason}"
        ) from error
    return read


def _forget_cells() -> None:
    """Give the memory of what was read last back."""
    import pyarrow as pa

    _read_table.cache_clear()
    pa.default_memory_pool().release_unused()


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        refuse_names(path, schema.names)
        index = (schema.pandas_metadata or {}).get("index_columns", [])
        names = [name for name in schema.names if name not in index]
        # One after the other: all at once would take several times the memory of the table.
        columns = [
            _with_gaps(file.read(columns=[name], use_threads=False).column(name)) for name in names
        ]
    return pa.Table.from_arrays(columns, names=names)


def _with_gaps(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Null in place of NaN, and texts of one type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(cells.type) and pc.any(pc.is_nan(cells)).as_py():
        return pc.if_else(pc.is_nan(cells), None, cells)
    return pc.cast(cells, pa.string()) if pa.types.is_string_view(cells.type) else cells


class TableFile(Dataset):
    """Inputs are all columns but the target and what rows are split by, as float64.

    Classes are numbered in sorted order. What the columns hold is found out from the rows that
    may be learned from alone.

    Args:
        path: a file with one of ENDINGS.
        options: what its columns are, and which rows test.
    """

    def __init__(self, path: Path, options: TableOptions) -> None:
        self.path, self.target, self.task = path, options.target, options.task
        self.test_path, self.column, self.options = options.test, options.column, options
        self.weight = options.weight
        given = options.test_fraction
        self.test_fraction = TEST_FRACTION if given is None else given
        self.name, self.summary = str(path), f"a table to predict {self.target}"

    def training(self) -> Examples:
        whole = self._whole()
        _forget_cells()  # a worker has its rows now
        return whole if self.test_path else whole.rows(self._sides(whole)[0])

    def test(self) -> Examples:
        tested = self._tested(self._whole())
        _forget_cells()
        return tested

    def _tested(self, whole: Examples) -> Examples:
        if self.test_path is None:
            return whole.rows(self._sides(whole)[1])
        columns = self.looked_at()[2]
        names = read_table(self.path, self.options.csv).names
        form = replace(read_table(self.path, self.options.csv).form, separator=None, encoding=None)
        table = read_table(self.test_path, form)  # numbers as in the other file
        for name in names:
            if name not in table.names and name not in self.options.drop:
                raise DataError(
                    f"{self.test_path} must have the columns of {self.path}: {name!r} is missing"
                )
        self._refuse_leak(whole, table)
        tested = self._inputs(table, [c for c in columns if c.kind not in NO_INPUTS])
        values = _values(table, str(self.target), plain=not self.options.prepared)
        if whole.regression:
            labels: NDArray[Any] = _targets(values, str(self.target), self.test_path)
        else:
            labels = numbered(values, whole.classes, self.test_path)
        return replace(
            tested,
            labels=labels,
            n_classes=whole.n_classes,
            classes=whole.classes,
            keys=self._keys(table),
            weights=self._weights(table),
        )

    def where(self) -> str:
        return str(self.path)

    def looked_at(
        self,
    ) -> tuple[ReadTable, NDArray[np.intp], list[TableColumn], Examples | None]:
        """The file, its rows that may be learned from, what its columns hold, and the targets.

        These are all columns but the target and what rows are split by. Where no target is named
        all rows may be looked at, and there are no targets.
        """
        table = read_table(self.path, self.options.csv)
        self._check(table)
        labels = None if self.target is None else self._labels(table)
        rows = np.arange(table.cells.num_rows)
        if self.test_path is None and labels is not None:
            rows = self._sides(replace(labels, keys=self._keys(table)))[0]
        return table, rows, self._columns(table, rows), labels

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
        others = (self.target, column, self.weight, *self.options.drop)
        return [name for name in others if name is not None]

    def _check(self, table: ReadTable) -> None:
        """Refuse a table that is too small, and columns that are not there."""
        names = table.names
        if table.cells.num_rows < 2 or len(names) < 2:
            raise DataError(
                f"{self.path} must have at least 2 rows and 2 columns, got {table.cells.num_rows} "
                f"and {len(names)}"
            )
        if self.target is not None and self.target not in names:
            raise DataError(unknown_name("data.target", self.target, names))
        others = [name for name in names if name != self.target]
        if self.column is not None and self.column.name not in others:
            raise DataError(unknown_name(self.column.key, self.column.name, others))
        split = None if self.column is None else self.column.name
        weighing = [name for name in others if name != split]
        if self.weight is not None and self.weight not in weighing:
            raise DataError(unknown_name("data.weight", self.weight, weighing))
        for name in self.options.drop:
            if name not in others:
                raise DataError(unknown_name("data.drop", name, others))
        if not isinstance(self.options.columns, str):
            inputs = [name for name in names if name not in self._no_inputs]
            refuse_strange(dict(self.options.columns), inputs)

    def _keys(self, table: ReadTable) -> NDArray[Any] | None:
        if self.column is None:
            return None
        cells = table.column(self.column.name)
        _refuse_missing(self.column.name, cells, table.path)
        if self.column.role == "order":
            return _times(table, self.column.name, self.options.date_format)
        return np.array(texts_of(cells).to_pylist(), str)

    def _weights(self, table: ReadTable) -> NDArray[np.float64] | None:
        if self.weight is None:
            return None
        cells = table.column(self.weight)
        _refuse_missing(self.weight, cells, table.path)
        number = TableColumn(self.weight, "number")
        weights = encode(number, cells, table.form, str(table.path))
        negative = np.flatnonzero(weights < 0)
        if len(negative):
            row = int(negative[0])
            rule = "must name a column of numbers that are 0 or more"
            got = f"{weights[row]:g} in row {row + 1} of {table.path}"
            raise DataError(Problem("data.weight", rule, got))
        return weights

    def _refuse_leak(self, whole: Examples, table: ReadTable) -> None:
        """Refuse a file of test rows that the split would not have held out."""
        assert self.test_path is not None
        keys = self._keys(table)
        if self.column is None or keys is None or whole.keys is None:
            return
        refuse = refuse_earlier if self.column.role == "order" else refuse_shared
        refuse(whole.keys, keys, self.test_path)

    def _whole(self) -> Examples:
        """All rows of the file."""
        table, _, columns, labels = self.looked_at()
        if labels is None:
            rule = f"must be the column to predict, one of {', '.join(table.names)}"
            raise DataError(Problem("data.target", rule))
        inputs = self._inputs(table, [c for c in columns if c.kind not in NO_INPUTS])
        return replace(
            inputs,
            labels=labels.labels,
            n_classes=labels.n_classes,
            classes=labels.classes,
            keys=self._keys(table),
            weights=self._weights(table),
        )

    def _columns(self, table: ReadTable, rows: NDArray[np.intp]) -> list[TableColumn]:
        """What its columns hold, by the rows that may be learned from."""
        asked = self.options.columns
        kinds = {} if isinstance(asked, str) else dict(asked)
        names = [name for name in table.names if name not in self._no_inputs]
        if asked == NUMBERS:
            return [TableColumn(name, "number") for name in names]
        every = len(rows) == table.cells.num_rows
        return [
            understand(
                name,
                table.column(name) if every else table.column(name).take(rows),
                table.form,
                kind=kinds.get(name),
                date_format=self.options.date_format,
            )
            for name in names
        ]

    def _inputs(self, table: ReadTable, columns: Sequence[TableColumn]) -> Examples:
        """The inputs of all rows of a file, (N, D), without labels."""
        if not columns:
            others = ", ".join(self._no_inputs)
            left = ", ".join(f"{c.name} ({c.kind}: {c.why})" for c in self.looked_at()[2])
            raise DataError(
                f"{table.path} must have a column of inputs beside {others}"
                + (f", got {left}: change this in data.columns" if left else "")
            )
        inputs = np.empty((table.cells.num_rows, len(columns)))
        texts = {}
        for place, column in enumerate(columns):
            cells = table.column(column.name)
            try:
                inputs[:, place] = encode(column, cells, table.form, str(table.path))
            except DataError as error:
                if not self.options.prepared:
                    raise
                raise DataError(
                    f"{error}: set data.csv.missing if it means a missing value, or data.columns "
                    f'= {{ "{column.name}" = "category" }}, or data.drop'
                ) from error
            if not self.options.prepared:
                _refuse_missing(column.name, cells, table.path)
            if column.kind == "text":
                texts[place] = texts_of(cells).fill_null("").to_numpy()
        kept = tuple(columns) if self.options.prepared else ()
        return Examples(inputs, np.empty(0), 0, columns=kept, form=table.form, texts=texts)

    def _labels(self, table: ReadTable) -> Examples:
        """The targets, without inputs."""
        target = str(self.target)
        values = _values(table, target, plain=not self.options.prepared)
        nothing = np.empty((len(values), 0))
        if self.task == "regression" or (self.task is None and values.dtype.kind == "f"):
            return Examples(nothing, _targets(values, target, self.path), 0)
        return self._classified(nothing, values)

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
            hint = "write them the same way in the file"
            raise DataError(Problem("data.target", rule, f"{other!r} and {name!r}", hint))


def _times(table: ReadTable, name: str, date_format: str | None) -> NDArray[Any]:
    """Numbers as they are, dates as seconds."""
    cells = table.column(name)
    found = understand(name, cells, table.form, date_format=date_format)
    if found.kind in ("number", "identifier", "boolean"):
        number = TableColumn(name, "number")
        return encode(number, cells, table.form, str(table.path))
    if found.kind != "date":
        rule = "must name a column of numbers or of dates such as 2024-01-31"
        got = f"{name!r} in {table.path}, which holds {cells[0].as_py()!r}"
        raise DataError(Problem("data.split.order", rule, got))
    return encode(found, cells, table.form, str(table.path))


def _refuse_missing(name: str, cells: pa.ChunkedArray, path: Path) -> None:
    if cells.null_count:
        rows = np.flatnonzero(cells.is_null().to_numpy())
        raise DataError(
            f"{path} must have no missing values in column {name!r}, got {len(rows)}, the first "
            f"in row {rows[0] + 1}: fill them in, or drop the rows"
        )


def _values(table: ReadTable, target: str, *, plain: bool) -> NDArray[Any]:
    """The target column: numbers, booleans or texts.

    Args:
        plain: whole numbers may begin with zeros, which they lose.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = table.column(target)
    if pa.types.is_string(cells.type):
        for row in np.flatnonzero(cells.is_null().to_numpy())[:1]:
            others = (table.column(name)[int(row)].as_py() for name in table.names)
            refuse_comment(next((text for text in others if text), ""), int(row), table.path)
    _refuse_missing(target, cells, table.path)
    kind = cells.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.asarray(cells.to_numpy())
    texts = texts_of(cells)
    whole_numbers = r"^[+-]?[0-9]+$" if plain else r"^[+-]?(0|[1-9][0-9]*)$"
    if pc.all(pc.match_substring_regex(texts, whole_numbers)).as_py():
        for whole in (pa.int64(), pa.uint64()):
            try:
                return np.asarray(pc.cast(pc.utf8_ltrim(texts, "+"), whole).to_numpy())
            except pa.ArrowInvalid:
                continue
    number = understand(target, texts, table.form)
    if number.kind in ("number", "identifier") and not number.gaps:
        values = encode(replace(number, kind="number"), texts, table.form, str(table.path))
        if number.kind == "number":
            refuse_rounded(target, texts, values, str(table.path))
            return values
    if {str(word).lower() for word in texts.unique().to_pylist()} <= {"true", "false"}:
        return np.array([str(text).capitalize() for text in texts.to_pylist()])
    return np.array(texts.to_pylist(), str)


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
