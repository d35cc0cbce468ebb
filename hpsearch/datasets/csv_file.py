"""Reading a CSV file: commas between cells, names in its first line, UTF-8.

What is no such file is often read all the same, as another table than was meant; so its beginning
is looked at first, and what is wrong there is said as it is.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from hpsearch.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

LOOKED_AT = 2**16  # bytes of the beginning
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_csv(path: Path) -> pd.DataFrame:
    """The table as pandas reads it.

    Raises:
        DataError: its first lines are of another format; it is not UTF-8.
        OSError, ValueError, EOFError, zlib.error: pandas can't read it.
    """
    import pandas as pd

    _check_beginning(path)
    try:
        return pd.read_csv(path)
    except UnicodeDecodeError as error:
        raise DataError(_not_utf_8(path)) from error


def cell_text(path: Path, row: int, column: str) -> str:
    """What stands in a cell that pandas takes for missing, "" if nothing does.

    Args:
        row: from 0, without the line of names.
    """
    import pandas as pd

    texts = pd.read_csv(path, dtype=str, keep_default_na=False, nrows=row + 1).iloc[row]
    first = str(texts.iloc[0])
    return first if first.lstrip().startswith("#") else str(texts[column])


def _check_beginning(path: Path) -> None:
    with _opened(path) as file:
        beginning = file.read(LOOKED_AT)
        whole = len(beginning) < LOOKED_AT
    if beginning.startswith(UTF_16):
        raise DataError(f"{path} must be text in UTF-8, got UTF-16: save it as UTF-8")
    rows = _rows(beginning, whole=whole)
    if rows:
        _check_rows(path, rows[0], rows[1:])


def _rows(beginning: bytes, *, whole: bool) -> list[list[str]]:
    text = beginning.decode("utf-8-sig", errors="replace")
    if not whole:  # the last line may be cut
        text = text.rpartition("\n")[0]
    try:
        return [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error:  # no text at all; pandas says what it makes of it
        return []


def _check_rows(path: Path, names: list[str], rows: list[list[str]]) -> None:
    lengths = {len(row) for row in rows}
    if names[0].lstrip().startswith("#") and lengths != {len(names)}:
        raise DataError(
            f"{path} must have the names of its columns in line 1, got a comment: "
            "leave lines that begin with # out of the file"
        )
    if len(names) == 1:
        for separator, what in OTHER_SEPARATORS.items():
            if separator in names[0]:
                raise DataError(
                    f"{path} must have commas between its cells, got {what}: write it anew with "
                    f"read_csv(path, sep={separator!r}).to_csv(path, index=False)"
                )
    if names[-1] == "" and len(names) > 1:
        raise DataError(f"{path} must have no comma at the end of a line, got one in line 1")
    if len(names) + 1 in lengths and all(row[-1] == "" for row in rows if len(row) > len(names)):
        raise DataError(
            f"{path} must have no comma at the end of a line, got one in lines below line 1"
        )
    refuse_twice(path, names)


def refuse_twice(path: Path, names: list[str]) -> None:
    """Refuse columns of one name, of which a table by name has only one."""
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1 and name:
        raise DataError(
            f"{path} must have one column of each name, got {count} of the name {name!r}"
        )


def _not_utf_8(path: Path) -> str:
    with _opened(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                byte = line[error.start]
                shown = line.decode("latin-1")[max(0, error.start - 10) : error.start + 10].strip()
                return (
                    f"{path} must be text in UTF-8, got the byte 0x{byte:02x} in line {number}, "
                    f"which in Latin-1 reads {shown!r}: save it as UTF-8"
                )
    return f"{path} must be text in UTF-8"


def _opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")
