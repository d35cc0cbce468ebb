"""Reading a CSV file: every cell as the text that it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hpsearch.datasets.csv_format import CsvFormat, found_format, opened, undecodable
from hpsearch.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 2**24  # bytes that are read at once; a line must fit into one


def read_csv(path: Path, given: CsvFormat) -> tuple[pa.Table, CsvFormat]:
    """The table as texts, null where there is no value, and how the file is written.

    Raises:
        DataError: its first lines are of another format; it is not text in its encoding.
        OSError, ValueError, EOFError, zlib.error: it can't be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    form, names, head = found_format(path, given)
    assert form.encoding is not None
    try:
        with opened(path) as file:
            if form.encoding in ("utf-8", "utf-8-sig"):
                table = _texts(pa.PythonFile(file, mode="r"), form, names, head)
            else:
                text = file.read().decode(form.encoding)
                table = _texts(pa.BufferReader(text.encode()), form, names, head)
    except (pa.ArrowInvalid, UnicodeError) as error:
        if isinstance(error, UnicodeError) or "UTF8" in str(error):
            raise DataError(undecodable(path, form.encoding)) from error
        raise
    gaps = pa.array(form.gaps)

    def without_gaps(texts: pa.ChunkedArray) -> pa.ChunkedArray:
        trimmed = pc.utf8_trim_whitespace(texts)
        empty = pc.is_in(trimmed, value_set=gaps)
        return pc.if_else(empty, None, trimmed) if pc.any(empty).as_py() else trimmed

    columns = table.columns
    del table
    for place, texts in enumerate(columns):  # one after the other, so that few are there twice
        columns[place] = without_gaps(texts)
    return pa.Table.from_arrays(columns, names=names), form


def _texts(source: pa.NativeFile, form: CsvFormat, names: list[str], head: int) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    return csv.read_csv(
        source,
        csv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=names, skip_rows=head),
        csv.ParseOptions(delimiter=form.separator, newlines_in_values=True),
        csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
