"""How a CSV file is written: found by itself where that is safe, else an error names the key."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from hpsearch.errors import DataError, Problem

LOOKED_AT = 2**16  # bytes of the beginning
SEPARATORS = (",", ";", "\t", "|")
# Longer marks first: UTF-16's is the beginning of UTF-32's.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Cells that hold no value, beside the empty cell: those of pandas, so that a model that is served
# reads a file as the study did.
MISSING = (
    *("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "#N/A", "<NA>"),
    *("#NA", "#N/A N/A", "-NaN", "-nan", "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN"),
)


@dataclass(frozen=True)
class CsvFormat:
    """How cells are written; None: found in the file.

    Attributes:
        separator: between two cells.
        decimal: the mark before a number's fraction.
        thousands: the mark between groups of three digits; "": there is none.
        encoding: of the text, as Python names it.
        missing: texts that stand for no value, beside the empty cell; None: MISSING.
    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] | None = None

    @property
    def gaps(self) -> tuple[str, ...]:
        """All cells that hold no value."""
        return ("", *(MISSING if self.missing is None else self.missing))


def found_format(path: Path, given: CsvFormat) -> tuple[CsvFormat, list[str], int]:
    """The encoding and the separator of a file, where they are not given.

    Returns:
        The format, the names of the columns, and how many lines they and what is empty before
        them take.

    Raises:
        DataError: it is not text in the encoding; its cells may be separated by several marks; its
            first lines are no table.
    """
    with opened(path) as file:
        beginning, whole = b"", False
        while not whole and b"\n" not in beginning.lstrip(b"\r\n\t "):  # a long line of names
            more = file.read(LOOKED_AT)
            beginning, whole = beginning + more, len(more) < LOOKED_AT
    mark = next((name for mark, name in MARKS.items() if beginning.startswith(mark)), "utf-8")
    encoding = given.encoding or mark
    text = _decoded(beginning, encoding, whole=whole, path=path)
    if not whole:  # the last line may be cut
        text = text.rpartition("\n")[0]
    separator = given.separator or _separator(path, text)
    rows = _rows(text, separator)
    form = replace(given, encoding=encoding, separator=separator)
    if not rows:
        return form, [], 1
    names = [name.strip() for name in rows[0]]
    if any("\n" in name for name in names):
        raise DataError(f"{path} must have its columns' names in one line, got a name in two")
    _check_rows(path, names, rows[1:], separator)
    empty = next(n for n, line in enumerate(text.splitlines()) if line.strip())
    return form, names, empty + 1


def _decoded(beginning: bytes, encoding: str, *, whole: bool, path: Path) -> str:
    try:
        decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    except LookupError as error:
        rule = "must be an encoding that Python knows, such as utf-8 or latin-1"
        raise DataError(Problem("data.csv.encoding", rule, repr(encoding))) from error
    try:
        return decoder.decode(beginning, final=whole)
    except UnicodeError as error:
        raise DataError(undecodable(path, encoding)) from error


def undecodable(path: Path, encoding: str) -> str:
    """What is wrong with a file that is no text in this encoding."""
    if encoding not in ("utf-8", "utf-8-sig"):
        return f"{path} must be text in {encoding}, got another: set data.csv.encoding"
    with opened(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                byte = line[error.start]
                shown = line.decode("latin-1")[max(0, error.start - 10) : error.start + 10].strip()
                return (
                    f"{path} must be text in UTF-8, got the byte 0x{byte:02x} in line {number}, "
                    f"which in Latin-1 reads {shown!r}: save it as UTF-8, or set "
                    'data.csv.encoding = "latin-1"'
                )
    return f"{path} must be text in UTF-8"


def _separator(path: Path, text: str) -> str:
    """The one mark that cuts all lines into the same number of cells, and the most of them."""
    widths: dict[str, int] = {}
    for separator in SEPARATORS:
        rows = _rows(text, separator)
        lengths = {len(row) for row in rows}
        if len(lengths) == 1 and (width := lengths.pop()) > 1:
            widths[separator] = width
    if len(widths) == 1:
        return next(iter(widths))
    names = _names(text)
    # Of several the one that the line of names has: numbers have commas, names seldom do.
    likely = [s for s in widths if s in names and not any(o in names for o in widths if o != s)]
    if len(likely) == 1:
        return likely[0]
    if len(widths) > 1:
        marks = " and ".join(repr(separator) for separator in widths)
        rule = "must be set if several characters split every line equally well"
        raise DataError(Problem("data.csv.separator", rule, f"{marks} in {path}"))
    return max(SEPARATORS, key=names.count)  # lines of several lengths; what is wrong is said next


def _names(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _rows(text: str, separator: str) -> list[list[str]]:
    try:
        read = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return [row for row in read if row]
    except csv.Error:  # no text at all; its reader says what it makes of it
        return []


def _check_rows(path: Path, names: list[str], rows: list[list[str]], separator: str) -> None:
    lengths = {len(row) for row in rows}
    if names[0].lstrip().startswith("#") and lengths != {len(names)}:
        raise DataError(
            f"{path} must have the names of its columns in line 1, got a comment: "
            "leave lines that begin with # out of the file"
        )
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names) and row[0].lstrip().startswith("#"):
            refuse_comment(row[0], number - 1, path)
    mark = {",": "comma", ";": "semicolon", "\t": "tab"}.get(separator, repr(separator))
    if names[-1] == "" and len(names) > 1:
        raise DataError(f"{path} must have no {mark} at the end of a line, got one in line 1")
    if len(names) + 1 in lengths and all(row[-1] == "" for row in rows if len(row) > len(names)):
        raise DataError(
            f"{path} must have no {mark} at the end of a line, got one in lines below line 1"
        )
    refuse_names(path, names)


def refuse_names(path: Path, names: list[str]) -> None:
    """Refuse columns without a name or of one name, of which a table by name has only one."""
    if any(not name.strip() for name in names):
        raise DataError(
            f"{path} must have a name for every column, got one without: if it is the saved "
            "index, save the table with to_csv(index=False)"
        )
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise DataError(
            f"{path} must have columns with different names, got {count} named {name!r}"
        )


def refuse_comment(value: object, row: int, path: Path) -> None:
    """Say it where a comment stands in place of a row."""
    if str(value).lstrip().startswith("#"):
        raise DataError(
            f"{path} must hold a row in every line below its names, got {str(value)!r} in place "
            f"of row {row + 1}: leave comments out of the file"
        )


def opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """The bytes of a file, unpacked."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")
