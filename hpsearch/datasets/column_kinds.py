"""What the columns of a table hold, by a written rule.

Of cells that are texts, the first of these that fits; what counts are the rows that may be learned
from:

    empty        there is none
    boolean      at most two, and both of one pair: true/false, yes/no, y/n, t/f, on/off, 1/0
    number       all are numbers, but for marks such as "?", which are gaps then; identifiers are
                 whole numbers, all different, whose name says so (id, customer_id, uuid, index),
                 and whole numbers of more than 15 digits, nearly all different; texts such as
                 "00501" are no numbers, as they would lose their zeros
    date         all are dates of one format
    text         three words or more on average, more than 20 different
    identifier   19 of 20 are different, and there are 20 rows or more
    category     all others

Numbers, booleans and dates of a typed file are what they are. What is almost one kind is refused,
with the key to set: a guess would change values without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hpsearch.datasets.csv_format import CsvFormat
from hpsearch.datasets.table_columns import (
    EXACT,
    FALSE,
    KINDS,
    NUMBER,
    TRUE,
    Kind,
    TableColumn,
    numbers_in,
    seconds_of,
    texts_of,
)
from hpsearch.errors import DataError, Problem, unknown_name

if TYPE_CHECKING:
    import pyarrow as pa

# Among numbers, texts that stand for no value.
WEAK_GAPS = ("?", "-", "--", ".", "*", "unknown", "missing", "none", "n.a.", "nil", "#div/0!")
ALMOST = 0.9  # share of the rows from which on a column is meant to be of a kind
IDENTIFIER_NAME = re.compile(r"(^|.*[_\-. ])(id|ids|uuid|guid|index|key|rowid)$", re.IGNORECASE)
CAMEL_ID = re.compile(r".*[a-z]I[Dd]$")
SAID = "set in data.columns"  # why a column is of an asked kind
LEADING_ZERO = r"^[+-]?0[0-9]"
MANY_DIFFERENT, LEAST_ROWS = 0.95, 20
WORDS_OF_TEXT, TEXTS = 3, 20
DATE_FORMATS = (
    "ISO8601",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
LOOKED_AT = 200  # rows, or different dates, before all are looked at
LIKE_A_DATE = re.compile(r"\d{1,4}[-/. ]\w{1,9}[-/., ]+\d{1,4}([T ].*)?|\w{3,9} \d{1,2}, \d{4}")


def understand(
    name: str,
    cells: pa.ChunkedArray,
    form: CsvFormat,
    *,
    kind: Kind | None = None,
    date_format: str | None = None,
) -> TableColumn:
    """What a column holds.

    Args:
        cells: of the rows that may be learned from.
        form: how numbers are written in texts.
        kind: what it must be; None: found out.
        date_format: of its dates, as strptime has it; None: found out.

    Raises:
        DataError: it is almost of a kind; it may be of two; it is not of the kind that it must be.
    """
    if kind is not None:
        return replace(_ASKED[kind](name, cells, form, date_format), why=SAID)
    if cells.null_count == len(cells):
        return TableColumn(name, "empty", why="no row has a value")
    typed = _typed(name, cells)
    if typed is not None:
        return typed
    texts = texts_of(cells)
    for look in (_boolean, _number, _date):
        found = look(name, texts, form, date_format)
        if found is not None:
            return found
    return _words(name, texts)


def _typed(name: str, cells: pa.ChunkedArray) -> TableColumn | None:
    """Of a column with a type of its own; None of texts."""
    import pyarrow as pa

    kind = cells.type
    if pa.types.is_dictionary(kind):
        return _category(name, texts_of(cells), "categories of the file")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return None
    if pa.types.is_boolean(kind):
        return TableColumn(name, "boolean", ("false", "true"), why="booleans of the file")
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return TableColumn(name, "date", why="dates of the file")
    if pa.types.is_integer(kind):
        values = cells.drop_null().to_numpy()
        if _named_identifier(name, values):
            return TableColumn(name, "identifier", why=_NAMED)
        if len(values) and max(int(values.max()), -int(values.min())) > EXACT:
            return TableColumn(name, "identifier", why=_LONG)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return TableColumn(name, "number", why="numbers of the file")
    rule = "must be left out where a column holds neither numbers, texts, booleans nor dates"
    raise DataError(Problem("data.drop", f'is missing "{name}": it {rule}', str(kind)))


_NAMED = "distinct whole numbers, and the column name says so"
_LONG = "whole numbers with more than 15 digits, nearly all different"


def _named_identifier(name: str, values: Any) -> bool:
    named = IDENTIFIER_NAME.match(name) or CAMEL_ID.match(name)
    return bool(named) and len(np.unique(values)) == len(values) > 1


def _boolean(
    name: str, texts: pa.ChunkedArray, form: CsvFormat, date_format: str | None
) -> TableColumn | None:
    for some in (texts[:LOOKED_AT], texts):  # most columns are told by their first rows
        found = some.unique().drop_null()
        if len(found) > 4:  # both, in two spellings
            return None
    words = {str(word).casefold() for word in found.to_pylist()}
    pair = _pair(words)
    if pair is None or (len(words) == 1 and pair[1] in ("1", "t", "y", "on")):
        return None  # one value says too little: 1 is a number, t a text
    why = f"only {' and '.join(sorted(map(str, found.to_pylist())))}"
    return TableColumn(name, "boolean", pair, why=why)


def _pair(words: Collection[str]) -> tuple[str, str] | None:
    """The words for false and true that these are of, in small letters."""
    pairs = zip(FALSE, TRUE, strict=True)
    return next((pair for pair in pairs if words and {*words} <= {*pair}), None)


def _number(
    name: str, texts: pa.ChunkedArray, form: CsvFormat, date_format: str | None
) -> TableColumn | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    values, refused = numbers_in(texts, form)
    n_rows = len(texts) - texts.null_count
    gaps: tuple[str, ...] = ()
    if refused.any():
        strange = texts.filter(pa.array(refused)).unique().to_pylist()
        gaps = tuple(text for text in strange if text.casefold() in WEAK_GAPS)
        rest = [text for text in strange if text not in gaps]
        if rest or refused.sum() == n_rows:
            if n_rows - refused.sum() < ALMOST * n_rows or refused.sum() == n_rows:
                return None
            row = int(pc.index(texts, rest[0]).as_py())
            _refuse_almost_numbers(name, rest[0], row)
    if pc.any(pc.match_substring_regex(texts, LEADING_ZERO)).as_py():
        return None
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return None
    why = "all are numbers" if not gaps else f"numbers, with {', '.join(gaps)} for missing values"
    whole = bool(np.all(np.mod(known[np.isfinite(known)], 1) == 0))
    if whole and _named_identifier(name, known):
        return TableColumn(name, "identifier", why=_NAMED)
    if whole and (np.abs(known) > EXACT).mean() > ALMOST:
        different = len(texts.unique()) / max(len(texts), 1)
        if different >= MANY_DIFFERENT:
            return TableColumn(name, "identifier", why=_LONG)
    return TableColumn(name, "number", gaps=gaps, why=why)


def _refuse_almost_numbers(name: str, text: str, row: int) -> None:
    if text.lstrip().startswith("#"):
        rule = "must hold a row in every line below its names"
        got = f"{text!r} in place of row {row + 1}"
        raise DataError(Problem("data.name", rule, got, "leave comments out of the file"))
    raise DataError(
        Problem(
            "data.columns",
            f"must say what {name!r} holds: nearly all cells are numbers",
            f"{text!r} in row {row + 1}",
            f'set data.csv.missing = ["{text}"] if that means a missing value, or data.columns = '
            f'{{ "{name}" = "category" }}, or data.drop = ["{name}"]',
        )
    )


def _date(
    name: str, texts: pa.ChunkedArray, form: CsvFormat, date_format: str | None
) -> TableColumn | None:
    counted = texts.drop_null().value_counts()
    found = [str(text) for text in counted.field(0).to_pylist()]
    rows = counted.field(1).to_numpy() / (len(texts) - texts.null_count)
    if date_format is None:
        like = np.array([LIKE_A_DATE.fullmatch(text) is not None for text in found])
        if rows[like].sum() < ALMOST:
            return None
    formats = DATE_FORMATS if date_format is None else (date_format,)
    shares: dict[str, float] = {}
    for one in formats:
        fits = ~np.isnan(seconds_of(found[:LOOKED_AT], one))
        if fits.any():
            fits = ~np.isnan(seconds_of(found, one))
            shares[one] = 1.0 if fits.all() else float(rows[fits].sum())
    fitting = [one for one, share in shares.items() if share == 1]
    if len(fitting) > 1:
        fitting = _told_apart(name, fitting, found)
    if fitting:
        return TableColumn(name, "date", date_format=fitting[0], why=f"dates ({fitting[0]})")
    if sum(shares.values()) >= ALMOST:
        best = max(shares, key=lambda one: shares[one])
        wrong = found[int(np.isnan(seconds_of(found, best)).argmax())]
        raise DataError(
            Problem(
                "data.columns",
                f"must say what {name!r} holds: most cells are dates in the format {best}",
                repr(wrong),
                "write all dates in one format, or set data.columns = "
                f'{{ "{name}" = "category" }}, or data.drop = ["{name}"]',
            )
        )
    return None


def _told_apart(name: str, fitting: list[str], found: list[str]) -> list[str]:
    """Formats that give the same dates are one."""
    first = seconds_of(found, fitting[0])
    if all(np.array_equal(first, seconds_of(found, other)) for other in fitting[1:]):
        return fitting[:1]
    raise DataError(
        Problem(
            "data.date_format",
            f"must say which of {' and '.join(fitting)} the dates of {name!r} have",
            repr(found[0]),
            f'e.g. date_format = "{fitting[0]}"',
        )
    )


def _words(name: str, texts: pa.ChunkedArray) -> TableColumn:
    import pyarrow.compute as pc

    known = texts.drop_null()
    n_different = len(known.unique())
    share = n_different / len(known)
    words = float(pc.mean(pc.count_substring_regex(known, r"\S+")).as_py())
    if words >= WORDS_OF_TEXT and n_different > TEXTS:
        return TableColumn(name, "text", why=f"{words:.0f} words on average")
    if share >= MANY_DIFFERENT and len(known) >= LEAST_ROWS:
        why = f"{n_different} different values in {len(known)} rows"
        return TableColumn(name, "identifier", why=why)
    return _category(name, texts, f"{n_different} different texts")


def _category(name: str, texts: pa.ChunkedArray, why: str) -> TableColumn:
    words = sorted(str(word) for word in texts.unique().drop_null().to_pylist())
    return TableColumn(name, "category", tuple(words), why=why)


# A sign of a currency or its three letters before a number, or anything but digits behind it.
_MARKED = (
    r"^[+-]?(?P<before>\p{Sc}|[A-Z]{3} ?)?\s*(?P<number>[+-]?[0-9][0-9.,]*)\s*"
    r"(?P<behind>[^0-9\s][^0-9]{0,11})?$"
)


def marked_number(texts: pa.ChunkedArray, form: CsvFormat) -> str | None:
    """One of the texts, where nearly all are numbers with the same mark, such as "3 kg" or "$3".

    None where they are not. A mark is a sign or three letters of a currency before the number, or
    what stands behind it.

    Args:
        form: how numbers are written.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    counted = texts.drop_null().value_counts()
    rows = counted.field(1).to_numpy()
    parts = pc.extract_regex(counted.field(0), _MARKED)
    before, number, behind = (parts.field(name) for name in ("before", "number", "behind"))
    between = pa.scalar("0", texts.type)  # which no mark has
    marks = pc.binary_join_element_wise(pc.utf8_trim_whitespace(before), behind, between)
    marks = pc.if_else(parts.is_valid(), marks, between)
    of_mark = marks.dictionary_encode()
    shares = np.bincount(of_mark.indices.to_numpy(), rows) / max(1, rows.sum())
    most = int(shares.argmax()) if len(shares) else 0
    if not len(shares) or of_mark.dictionary[most].as_py() == "0" or shares[most] < ALMOST:
        return None
    marked = of_mark.indices.to_numpy() == most
    numbers = pa.chunked_array([number.filter(pa.array(marked))])
    values, refused = numbers_in(numbers, form)
    if refused.any() or pc.any(pc.match_substring_regex(numbers, LEADING_ZERO)).as_py():
        return None
    return str(counted.field(0)[int(marked.argmax())].as_py()) if len({*values}) > 1 else None


def _asked_number(
    name: str, cells: pa.ChunkedArray, form: CsvFormat, date_format: str | None
) -> TableColumn:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = texts_of(cells)
    if texts.null_count == len(texts):
        return TableColumn(name, "number")
    _, refused = numbers_in(texts, form)
    strange = texts.filter(pa.array(refused)).unique().to_pylist()
    gaps = tuple(text for text in strange if text.casefold() in WEAK_GAPS)
    rest = [text for text in strange if text not in gaps]
    if rest:
        row = int(pc.index(texts, rest[0]).as_py())
        hint = f'if it means a missing value: data.csv.missing = ["{rest[0]}"]'
        raise DataError(
            Problem(f"data.columns.{name}", "must hold numbers", _at(rest[0], row), hint)
        )
    return TableColumn(name, "number", gaps=gaps)


def _asked_boolean(
    name: str, cells: pa.ChunkedArray, form: CsvFormat, date_format: str | None
) -> TableColumn:
    words = sorted(map(str, texts_of(cells).unique().drop_null().to_pylist()))
    pair = _pair({word.casefold() for word in words})
    if pair is not None:
        return TableColumn(name, "boolean", pair)
    if len(words) != 2:
        shown = ", ".join(map(repr, words[:3]))
        raise DataError(
            Problem(f"data.columns.{name}", "must hold 2 values", f"{len(words)}, such as {shown}")
        )
    return TableColumn(name, "boolean", (words[0], words[1]))


_NUMBERS_ALONE = re.compile(NUMBER)


def _asked_date(
    name: str, cells: pa.ChunkedArray, form: CsvFormat, date_format: str | None
) -> TableColumn:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_temporal(cells.type):
        return TableColumn(name, "date")
    texts = texts_of(cells)
    if texts.null_count == len(texts):
        return TableColumn(name, "date", date_format=date_format or "")
    found = _date(name, texts, form, date_format)
    if found is None:
        row = int(pc.index(texts.is_valid(), True).as_py())
        rule = "must hold dates of one format"
        hint = 'e.g. data.date_format = "%d/%m/%Y"'
        if _NUMBERS_ALONE.fullmatch(texts[row].as_py()):
            rule = "must hold dates; numbers are read by data.date_format"
            hint = 'e.g. date_format = "%Y%m%d" for 20240131; write seconds as dates in the file'
        raise DataError(Problem(f"data.columns.{name}", rule, _at(texts[row].as_py(), row), hint))
    return found


def _at(text: object, row: int) -> str:
    return f"{text!r} in row {row + 1}"


_Asked = Callable[[str, "pa.ChunkedArray", CsvFormat, "str | None"], TableColumn]
_ASKED: Mapping[Kind, _Asked] = {
    "number": _asked_number,
    "boolean": _asked_boolean,
    "category": lambda name, cells, form, _: _category(name, texts_of(cells), ""),
    "date": _asked_date,
    "text": lambda name, cells, form, _: TableColumn(name, "text"),
    "identifier": lambda name, cells, form, _: TableColumn(name, "identifier"),
    "empty": lambda name, cells, form, _: TableColumn(name, "empty"),
}


def refuse_strange(columns: Mapping[str, str], names: list[str]) -> None:
    """Refuse kinds of columns that are not there, and kinds that there are not.

    Raises:
        DataError: lists those that there are.
    """
    for name, kind in columns.items():
        if name not in names:
            raise DataError(unknown_name("data.columns", name, names))
        if kind not in KINDS:
            raise DataError(unknown_name(f"data.columns.{name}", kind, KINDS))


def found_decimal(form: CsvFormat, texts: Mapping[str, pa.ChunkedArray]) -> CsvFormat:
    """How numbers are written in a file, where it is not given.

    A comma is the decimal mark where cells such as "3,5" or "1.234,5" are there, and a mark of
    thousands where cells such as "1,234.5" or "1,234,567" are. Cells such as "1,234" alone may be
    either.

    Raises:
        DataError: nothing tells which it is.
    """
    import pyarrow.compute as pc

    if form.decimal is not None:
        return replace(form, thousands=form.thousands or "")
    decimal = thousands = unsure = None
    for name, column in texts.items():
        commas = column.filter(pc.fill_null(pc.match_substring(column, ","), False))
        if not len(commas) or len(commas) < len(column) * 0.01:
            continue
        numeric = commas.filter(pc.match_substring_regex(commas, r"^[+-]?[0-9.,]+$"))
        if len(numeric) < ALMOST * len(commas):
            continue
        if pc.any(pc.match_substring_regex(numeric, _GROUPS)).as_py():
            thousands = thousands or name
        elif pc.any(pc.match_substring_regex(numeric, _FRACTION)).as_py():
            decimal = decimal or name
        else:
            unsure = unsure or name
    dotted = next((name for name, column in texts.items() if _has_points(column)), None)
    if decimal and dotted:
        rule = f"must be set: {decimal!r} has decimal commas, {dotted!r} decimal points"
        raise DataError(Problem("data.csv.decimal", rule))
    if decimal and thousands:
        rule = f"must be set: {decimal!r} has decimal commas, {thousands!r} groups of thousands"
        raise DataError(Problem("data.csv.decimal", rule))
    if unsure and not decimal and not thousands and form.thousands is None:
        rule = f"must be set: commas in {unsure!r} could be decimal or between thousands"
        hint = 'decimal = ",", or decimal = "." with thousands = ","'
        raise DataError(Problem("data.csv.decimal", rule, hint=hint))
    if decimal:
        mark = "." if form.thousands is None else form.thousands
        return replace(form, decimal=",", thousands=mark)
    return replace(form, decimal=".", thousands="," if thousands else form.thousands or "")


def _has_points(column: pa.ChunkedArray) -> bool:
    """Whether nearly all cells are numbers, some of them with a point before a fraction."""
    import pyarrow.compute as pc

    known = column.drop_null()
    points = pc.match_substring_regex(known, r"^[+-]?[0-9]*\.([0-9]{1,2}|[0-9]{4,})$")
    if not len(known) or not pc.any(points).as_py():
        return False
    return bool(pc.mean(pc.match_substring_regex(known, NUMBER)).as_py() >= ALMOST)


_GROUPS = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]*$|^[+-]?[0-9]{1,3}(,[0-9]{3}){2,}$"
_FRACTION = (
    r"^[+-]?([0-9]*|[0-9]{1,3}(\.[0-9]{3})+),([0-9]{1,2}|[0-9]{4,})$|"
    r"^[+-]?([0-9]{4,}|0+|[0-9]{1,3}(\.[0-9]{3})+),[0-9]+$"
)
