"""The columns of a table: what each holds, and its cells as numbers.

A table of any cells becomes one array (N, D) of float64, which splits, digests and workers handle
like any other inputs:

    number     the number
    boolean    0 or 1
    category   the place of the text among `words`, which are sorted; UNKNOWN for another text
    date       seconds since 1970
    text       the number of its characters; the texts themselves lie beside the array

A cell without a value is NaN. What a model makes of this is the affair of `preparation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hpsearch.datasets.csv_format import CsvFormat
from hpsearch.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Kind = Literal["number", "boolean", "category", "date", "text", "identifier", "empty"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NO_INPUTS = ("identifier", "empty")  # kinds that say nothing of other rows
UNKNOWN = -1.0
EXACT = 2**53  # whole numbers up to here are floats without loss
TRUE = ("true", "yes", "y", "t", "on", "1")
FALSE = ("false", "no", "n", "f", "off", "0")


@dataclass(frozen=True)
class TableColumn:
    """What a column of a table holds.

    Attributes:
        name: in the first line of the file.
        kind: see above; identifiers and empty columns are no inputs.
        words: the values of a category or boolean, sorted; a boolean's are false and true.
        date_format: of dates written as text, as strptime has it, or "ISO8601".
        gaps: texts among numbers that stand for no value.
        why: what made it this kind, in words.
    """

    name: str
    kind: Kind
    words: tuple[str, ...] = ()
    date_format: str = ""
    gaps: tuple[str, ...] = ()
    why: str = ""

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> TableColumn:
        """As `to_json` gave it."""
        return cls(**content | {key: tuple(content[key]) for key in ("words", "gaps")})

    def to_json(self) -> dict[str, Any]:
        """All that is needed to read new rows."""
        return asdict(self)


def encode(
    column: TableColumn, cells: pa.ChunkedArray, form: CsvFormat, where: str
) -> NDArray[np.float64]:
    """The cells of a column as numbers, (N,).

    Args:
        cells: texts, or numbers, booleans and dates of their own types.
        form: how numbers are written in texts.
        where: the file, for messages.

    Raises:
        DataError: a cell is not what the column holds.
    """
    return _ENCODERS[column.kind](column, cells, form, where)


def texts_of(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells as texts; whole numbers have no decimals, whatever type they are of."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells = pa.chunked_array([chunk.dictionary_decode() for chunk in cells.chunks], None)
        kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return cells
    if pa.types.is_floating(kind):
        values = cells.to_pylist()
        return pa.chunked_array([[None if v is None or v != v else _text(v) for v in values]])
    if pa.types.is_boolean(kind):
        return pc.if_else(cells, "True", "False")
    try:
        return pc.cast(cells, pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise DataError(
            f"a column must hold numbers, texts, booleans or dates, got {kind}: leave it out with "
            "data.drop"
        ) from error


def table_of_frame(frame: pd.DataFrame, gaps: Sequence[str]) -> pa.Table:
    """A data frame as a table; missing values of any kind are null.

    Args:
        gaps: texts that stand for no value.

    Raises:
        DataError: a column holds what is neither number, text, boolean nor date.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = []
    for name in frame.columns:
        try:
            cells = pa.chunked_array([pa.Array.from_pandas(frame[name])])
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # numbers and texts in one column
            texts = [None if v is None or v != v else str(v) for v in frame[name].tolist()]
            cells = pa.chunked_array([pa.array(texts, pa.string())])
        if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
            trimmed = pc.utf8_trim_whitespace(cells)
            cells = pc.if_else(pc.is_in(trimmed, value_set=pa.array(gaps)), None, trimmed)
        columns.append(cells)
    return pa.Table.from_arrays(columns, names=[str(name) for name in frame.columns])


def _text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)


def numbers_in(
    texts: pa.ChunkedArray, form: CsvFormat
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Texts as numbers (N,), NaN where they are none, and which of them are no numbers (N,).

    Null is NaN, and not among these.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = _plain(texts, form)
    try:
        values = pc.cast(plain, pa.float64())
        refused = np.zeros(len(texts), np.bool_)
    except pa.ArrowInvalid:
        fits = pc.match_substring_regex(plain, NUMBER)
        refused = pc.fill_null(pc.invert(fits), False).to_numpy()
        digits = pc.utf8_ltrim(pc.if_else(fits, plain, None), "+")
        values = pc.cast(digits, pa.float64())
    return values.to_numpy().astype(np.float64, copy=False), refused


NUMBER = r"^[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|(?i:inf|infinity))$"


def _plain(texts: pa.ChunkedArray, form: CsvFormat) -> pa.ChunkedArray:
    """Numbers with a point before their fraction, and no marks between thousands."""
    import pyarrow.compute as pc

    if form.thousands:
        grouped = rf"^[+-]?[0-9]{{1,3}}(\{form.thousands}[0-9]{{3}})+(\D[0-9]*)?$"
        matches = pc.match_substring_regex(texts, grouped)
        texts = pc.if_else(
            pc.fill_null(matches, False),
            pc.replace_substring(texts, form.thousands, ""),
            texts,
        )
    if form.decimal not in (None, "."):
        pattern = rf"^([+-]?[0-9]*)\{form.decimal}([0-9]+([eE][+-]?[0-9]+)?)$"
        # A point is no mark of numbers then: "1.5" is a text.
        dotted = pc.fill_null(pc.match_substring(texts, "."), False)
        swapped = pc.replace_substring_regex(texts, pattern, r"\1.\2")
        texts = pc.if_else(dotted, pc.binary_join_element_wise(texts, "?", ""), swapped)
    return texts


def _encode_number(
    column: TableColumn, cells: pa.ChunkedArray, form: CsvFormat, where: str
) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(cells.type):
        return np.full(len(cells), np.nan)
    if pa.types.is_temporal(cells.type):
        _refuse(column, cells, 0, where, "numbers")
    if _is_text(cells.type):
        texts = texts_of(cells)
        if column.gaps:
            empty = pc.is_in(texts, value_set=pa.array(column.gaps))
            texts = pc.if_else(pc.fill_null(empty, False), None, texts)
        values, refused = numbers_in(texts, form)
        if refused.any():
            _refuse(column, texts, int(refused.argmax()), where, "numbers")
        refuse_rounded(column.name, texts, values, where)
    else:
        values = pc.cast(cells, pa.float64(), safe=False).to_numpy().astype(np.float64, copy=False)
        if pa.types.is_integer(cells.type) and (np.abs(values) > EXACT).any():
            refuse_rounded(column.name, pc.cast(cells, pa.string()), values, where)
    endless = np.isinf(values)
    if endless.any():
        row = int(endless.argmax())
        raise DataError(
            f"{where} must hold finite numbers, got {values[row]} in column {column.name!r}, row "
            f"{row + 1}"
        )
    return values


def refuse_rounded(
    name: str, texts: pa.ChunkedArray, values: NDArray[np.float64], where: str
) -> None:
    """Refuse whole numbers with more digits than a float keeps."""
    for row in np.flatnonzero(np.abs(values) > EXACT):
        text = str(texts[int(row)].as_py())
        if text.lstrip("+-").isdigit() and int(text) != int(values[row]):
            raise DataError(
                f"{where} must hold whole numbers of at most 15 digits in a column of numbers, "
                f"got one with {len(text.lstrip('+-'))} digits in column {name!r}, row {row + 1}: "
                f'set data.columns = {{ "{name}" = "identifier" }}, or "category", or write it as '
                "1.5e22"
            )


def _encode_boolean(
    column: TableColumn, cells: pa.ChunkedArray, form: CsvFormat, where: str
) -> NDArray[np.float64]:
    import pyarrow as pa

    if pa.types.is_boolean(cells.type):
        return _encode_number(column, cells, form, where)
    meanings = dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0)
    if column.words:  # of two words of one's own
        meanings |= {column.words[0].casefold(): 0.0, column.words[1].casefold(): 1.0}
    found, places = _distinct(texts_of(cells))
    codes = np.array([np.nan if w is None else meanings.get(w.casefold(), UNKNOWN) for w in found])
    values = codes[places]
    if (values == UNKNOWN).any():
        what = " or ".join(column.words) or "true or false"
        _refuse(column, cells, int((values == UNKNOWN).argmax()), where, what)
    return values


def _encode_category(
    column: TableColumn, cells: pa.ChunkedArray, form: CsvFormat, where: str
) -> NDArray[np.float64]:
    found, places = _distinct(texts_of(cells))
    known = {word: float(place) for place, word in enumerate(column.words)}
    codes = np.array([np.nan if word is None else known.get(word, UNKNOWN) for word in found])
    values: NDArray[np.float64] = codes[places]
    return values


def _encode_date(
    column: TableColumn, cells: pa.ChunkedArray, form: CsvFormat, where: str
) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(cells.type):
        return np.full(len(cells), np.nan)
    if pa.types.is_temporal(cells.type):
        moments = pc.cast(cells, pa.timestamp("us"), safe=False)
        micro = pc.cast(moments, pa.int64()).to_numpy()
        return np.asarray(micro, np.float64) / 1e6
    if not _is_text(cells.type) and not column.date_format:  # whole numbers may be of a format
        _refuse(column, cells, 0, where, "dates")
    found, places = _distinct(texts_of(cells))
    seconds = seconds_of(found, column.date_format or "ISO8601")
    values = seconds[places]
    wrong = np.isnan(values) & np.array([word is not None for word in found])[places]
    if wrong.any():
        _refuse(column, cells, int(wrong.argmax()), where, f"dates ({column.date_format})")
    return values


def seconds_of(texts: Sequence[str | None], date_format: str) -> NDArray[np.float64]:
    """Dates as seconds since 1970, (N,); NaN where a text is no date of this format."""
    import pandas as pd

    read = pd.to_datetime(
        pd.Series([*texts], dtype=object), format=date_format, errors="coerce", utc=True
    )
    micro = read.to_numpy("datetime64[us]")
    values = micro.astype(np.int64).astype(np.float64) / 1e6
    values[np.isnat(micro)] = np.nan
    return values


def _encode_text(
    column: TableColumn, cells: pa.ChunkedArray, form: CsvFormat, where: str
) -> NDArray[np.float64]:
    import pyarrow.compute as pc

    lengths = pc.utf8_length(texts_of(cells))
    values: NDArray[np.float64] = lengths.to_numpy().astype(np.float64)
    return values


def _distinct(texts: pa.ChunkedArray) -> tuple[list[str | None], NDArray[np.intp]]:
    """The different texts, the last of them None, and which of them each row is, (N,)."""
    encoded = texts.combine_chunks().dictionary_encode()
    if hasattr(encoded, "combine_chunks"):
        encoded = encoded.combine_chunks()
    found: list[str | None] = encoded.dictionary.to_pylist()
    places = encoded.indices.fill_null(len(found)).to_numpy().astype(np.intp)
    return [*found, None], places


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_dictionary(kind)
        or pa.types.is_null(kind)
    )


def _refuse(column: TableColumn, cells: pa.ChunkedArray, row: int, where: str, what: str) -> None:
    raise DataError(
        f"{where} must hold {what} in column {column.name!r}, got {cells[row].as_py()!r} in row "
        f"{row + 1}"
    )


_ENCODERS = {
    "number": _encode_number,
    "boolean": _encode_boolean,
    "category": _encode_category,
    "date": _encode_date,
    "text": _encode_text,
}


def decode(
    columns: Sequence[TableColumn],
    inputs: NDArray[np.float64],
    texts: Mapping[int, NDArray[Any]],
) -> dict[str, list[Any]]:
    """Rows (N, D) as they were before `encode`, by column: numbers, or texts; None for a gap."""
    found: dict[str, list[Any]] = {}
    for place, column in enumerate(columns):
        values = inputs[:, place]
        known = texts[place].tolist() if column.kind == "text" else values.tolist()
        found[column.name] = [
            None if np.isnan(value) else _cell(column, cell)
            for value, cell in zip(values, known, strict=True)
        ]
    return found


def _cell(column: TableColumn, value: Any) -> Any:
    if column.kind in ("boolean", "category"):
        return column.words[int(value)] if value != UNKNOWN else None
    if column.kind == "date":
        moment = datetime.fromtimestamp(value, UTC).replace(tzinfo=None)
        iso = column.date_format in ("", "ISO8601")
        return moment.isoformat() if iso else moment.strftime(column.date_format)
    return value


def data_frame(
    columns: Sequence[TableColumn],
    inputs: NDArray[np.float64],
    texts: Mapping[int, NDArray[Any]],
) -> pd.DataFrame:
    """Rows (N, D) as a data frame with the columns' names and kinds.

    Numbers are float64, booleans pandas' own with gaps, categories of the words that are known
    (another text is a gap), dates datetime64 and texts str; gaps are NaN, NaT or "".
    """
    import pandas as pd

    made: dict[str, Any] = {}
    for place, column in enumerate(columns):
        values = inputs[:, place]
        known = ~np.isnan(values)
        if column.kind == "category":
            codes: NDArray[np.int64] = np.where(known, values, UNKNOWN).astype(np.int64)
            made[column.name] = pd.Categorical.from_codes(codes, pd.Index(column.words))
        elif column.kind == "boolean":
            made[column.name] = pd.array(np.where(known, values, 0) == 1, dtype="boolean")
            made[column.name][~known] = pd.NA
        elif column.kind == "date":
            made[column.name] = pd.to_datetime(pd.Series(values), unit="s").to_numpy()
        elif column.kind == "text":
            made[column.name] = pd.Series(texts[place], dtype=object).to_numpy()
        else:
            made[column.name] = values
    return pd.DataFrame(made)
