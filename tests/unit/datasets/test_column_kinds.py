"""What columns hold, and their cells as numbers: by the written rule, from cells as texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hpsearch.datasets.column_kinds import found_decimal, marked_number, understand
from hpsearch.datasets.csv_format import CsvFormat
from hpsearch.datasets.table_columns import TableColumn, decode, encode
from hpsearch.errors import DataError

PLAIN = CsvFormat(decimal=".", thousands="")
WORDS = [f"{a} {b} {c}" for a in ("old", "new") for b in ("red", "blue", "grey") for c in "abcde"]


def cells(values: Sequence[str | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


def kind(values: Sequence[str | None], name: str = "x", form: CsvFormat = PLAIN) -> str:
    return understand(name, cells(values), form).kind


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["1", "2.5", "-3e4", None], "number"),
        (["1", "?", "3", "unknown"], "number"),
        (["0", "1", "0"], "boolean"),
        (["yes", "No", "YES", None], "boolean"),
        (["True", "False"], "boolean"),
        (["00501", "10001", "94105"], "category"),
        (["red", "blue", "red"], "category"),
        (["2024-01-31", "2023-02-01", None], "date"),
        (["2024-01-31 10:15:00", "2023-02-01T11:00"], "date"),
        (["31.01.2024", "01.02.2023"], "date"),
        (["31/01/2024", "01/02/2023"], "date"),
        (["01/31/2024", "01/02/2023"], "date"),
        ([None, None], "empty"),
        (WORDS, "text"),
        ([f"A{i:05d}" for i in range(40)], "identifier"),
        ([str(10**17 + i * 7 + 1) for i in range(40)], "identifier"),
        (["12 kg", "13 kg", "14 lb"], "category"),
    ],
)
def test_a_column_is_what_its_cells_are(values: list[str | None], wanted: str) -> None:
    assert kind(values) == wanted


@pytest.mark.parametrize(
    ("values", "example"),
    [
        (["12 %", "3.5%", None, "7 %"], "12 %"),
        (["3 kg", "4 kg", "10kg"], "3 kg"),
        (["$3.50", "$4"], "$3.50"),
        (["-3 °C", "5 °C"], "-3 °C"),
        (["EUR 5", "EUR 6.1"], "EUR 5"),
        (["12 km per hour", "3 km per hour"], "12 km per hour"),
        (["3 kg"] + ["4 kg"] * 20 + ["light"], "3 kg"),
        (["12 kg", "12 lb", "4 oz"], None),  # not the same mark
        (["heavy"] * 3 + ["3 kg", "4 kg"], None),
        (["3 kg", "3 kg"], None),  # which says nothing as a number, too
        (["007 a", "008 a"], None),  # would lose its zeros
        (["Q1", "Q2", "#3", "#4"], None),
        (["5-10", "10-15"], None),
        (["red", "blue"], None),
        ([None], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("large", [False, True])
def test_numbers_with_a_mark_are_seen(
    values: list[str | None], example: str | None, large: bool
) -> None:
    texts = cells(values).cast(pa.large_string()) if large else cells(values)
    assert marked_number(texts, PLAIN) == example


def test_numbers_with_a_mark_are_read_as_the_file_writes_numbers() -> None:
    german = CsvFormat(decimal=",", thousands=".")
    assert marked_number(cells(["1.200,50 €", "3 €"]), german) == "1.200,50 €"
    assert marked_number(cells(["1.2 €", "3 €"]), german) is None


@pytest.mark.parametrize("name", ["id", "customer_id", "customerId", "Row ID", "uuid", "index"])
def test_different_whole_numbers_are_an_identifier_where_the_name_says_so(name: str) -> None:
    values = [str(i) for i in range(100, 130)]
    assert kind(values, name) == "identifier"
    assert kind([*values, values[0]], name) == "number"
    assert kind(values, "size") == kind(values, "paid") == "number"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1"] * 20 + ["12 kg"], r"data.columns must say what 'x' holds: nearly .*'12 kg' in row"),
        (["2024-01-31"] * 10 + ["31.02.2024"], "most cells are dates in the format ISO8601, got"),
        ([f"2024-01-{i:02d}" for i in range(10, 20)] + ["20.01.2024"], "dates in the format ISO"),
        (["01/02/2024", "03/04/2024"], r"data.date_format must say which of %d/%m/%Y and %m/%d"),
    ],
)
def test_what_is_almost_of_a_kind_is_refused_with_the_key(values: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        understand("x", cells(values), PLAIN)


def test_dates_that_mean_the_same_in_two_formats_are_read() -> None:
    assert understand("x", cells(["01/01/2024", "02/02/2024"]), PLAIN).kind == "date"


@pytest.mark.parametrize(
    ("values", "form", "wanted"),
    [
        (["1", None, "2.5"], PLAIN, [1, math.nan, 2.5]),
        (["1,5", "1.234,25"], CsvFormat(decimal=",", thousands="."), [1.5, 1234.25]),
        (["1,234", "1,234,567.5"], CsvFormat(decimal=".", thousands=","), [1234, 1234567.5]),
        (["+1", "-.5e3"], PLAIN, [1, -500]),
        (["no", "yes", "no"], PLAIN, [0, 1, 0]),
        (["b", "a", None, "c"], PLAIN, [1, 0, math.nan, 2]),
        (["1970-01-02", None], PLAIN, [86400, math.nan]),
        (["1969-12-31T23:59:59.5"], PLAIN, [-0.5]),
    ],
)
def test_cells_become_numbers(
    values: list[str | None], form: CsvFormat, wanted: list[float]
) -> None:
    column = understand("x", cells(values), form)
    got = encode(column, cells(values), form, "t.csv")
    assert np.array_equal(got, np.array(wanted, float), equal_nan=True)


def test_a_text_that_was_never_seen_is_unknown_and_a_number_in_its_place_is_refused() -> None:
    colour = understand("x", cells(["red", "blue"]), PLAIN)
    assert encode(colour, cells(["green", "red"]), PLAIN, "t.csv").tolist() == [-1, 1]
    size = understand("x", cells(["1", "2"]), PLAIN)
    with pytest.raises(DataError, match="hold numbers in column 'x', got 'b' in row 2"):
        encode(size, cells(["1", "b"]), PLAIN, "t.csv")


def test_typed_cells_are_the_texts_that_they_would_be(tmp_path: Any) -> None:
    zips = TableColumn("zip", "category", ("1", "2"))
    for typed in ([2, 1], [2.0, 1.0]):
        array = pa.chunked_array([pa.array(typed)])
        assert encode(zips, array, PLAIN, "t").tolist() == [1, 0]


def test_rows_decode_to_what_they_were() -> None:
    table: dict[str, list[str | None]] = {
        "size": ["1.5", None],
        "colour": ["red", "blue"],
        "sold": ["yes", None],
        "day": ["31.01.2024", "01.02.2024"],
    }
    columns = [understand(name, cells(values), PLAIN) for name, values in table.items()]
    inputs = np.stack([encode(c, cells(table[c.name]), PLAIN, "t") for c in columns], axis=1)
    rows = decode(columns, inputs, {})
    assert rows == {**table, "size": [1.5, None]}


@pytest.mark.parametrize(
    ("texts", "decimal", "thousands"),
    [
        (["1.5", "2"], ".", ""),
        (["1,5", "2,25"], ",", "."),
        (["1.234,5", "1.000,0"], ",", "."),
        (["1,234.5", "7"], ".", ","),
        (["1,234,567"], ".", ","),
        (["Paris, Texas", "Rome, Georgia"], ".", ""),
    ],
)
def test_the_decimal_mark_is_found(texts: list[str], decimal: str, thousands: str) -> None:
    form = found_decimal(CsvFormat(), {"x": cells(texts)})
    assert (form.decimal, form.thousands) == (decimal, thousands)


@pytest.mark.parametrize(
    "texts", [{"x": cells(["1,234", "5,678"])}, {"x": cells(["1,5"]), "y": cells(["1,234.5"])}]
)
def test_a_comma_that_may_mean_either_is_refused_with_the_key(
    texts: dict[str, pa.ChunkedArray],
) -> None:
    with pytest.raises(DataError, match=r"data\.csv\.decimal must be set"):
        found_decimal(CsvFormat(), texts)
