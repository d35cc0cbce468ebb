"""Files as people have them: read right, or refused in one line that names what to set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hpsearch.datasets.csv_format import CsvFormat
from hpsearch.datasets.table import TableFile, TableOptions
from hpsearch.datasets.table_splits import Column
from hpsearch.errors import DataError

ROWS = 30
SIZES = np.arange(ROWS) + 0.5
TABLE = pd.DataFrame(
    {
        "size": SIZES,
        "sold": np.where(np.arange(ROWS) % 2, "yes", "no"),
        "city": np.array(["Köln", "Oslo", "Rome"])[np.arange(ROWS) % 3],
        "kind": np.array(["a", "b"])[np.arange(ROWS) % 2],
    }
)


def read(path: Path, **options: Any) -> TableFile:
    return TableFile(path, TableOptions(**{"target": "kind"} | options))


def sizes(data: TableFile) -> list[float]:
    column = [c.name for c in data.training().columns].index("size")
    both = np.concatenate([data.training().inputs, data.test().inputs])
    return sorted(both[:, column].tolist())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (TABLE.to_csv(index=False, sep=";"), "utf-8"),
        (TABLE.to_csv(index=False, sep=";", decimal=","), "utf-8"),
        (TABLE.to_csv(index=False, sep="\t"), "utf-8"),
        (TABLE.to_csv(index=False, sep="|"), "utf-8"),
        (TABLE.to_csv(index=False), "utf-16"),
        (TABLE.to_csv(index=False), "utf-8-sig"),
        (TABLE.to_csv(index=False, quoting=1), "utf-8"),
        (TABLE.to_csv(index=False).replace(",", " , "), "utf-8"),
        (TABLE.to_csv(index=False).replace("\n", "\r\n"), "utf-8"),
        (TABLE.to_csv(index=False).replace("yes", "TRUE").replace("no", "False"), "utf-8"),
    ],
    ids=[
        "semicolon",
        "decimal-comma",
        "tab",
        "bar",
        "utf-16",
        "mark",
        "quotes",
        "spaces",
        "crlf",
        "booleans",
    ],
)
def test_a_table_is_the_same_however_it_is_written(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    data = read(path)
    train = data.training()
    kinds = {column.name: column.kind for column in train.columns}
    assert kinds == {"size": "number", "sold": "boolean", "city": "category"}
    assert train.columns[2].words == ("Köln", "Oslo", "Rome")
    assert sizes(data) == SIZES.tolist()


def test_keys_say_how_a_file_is_written_where_it_can_not_be_found(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TABLE.to_csv(index=False).encode("latin-1"))
    with pytest.raises(DataError, match=r'set data\.csv\.encoding = "latin-1"'):
        read(path).training()
    data = read(path, csv=CsvFormat(encoding="latin-1"))
    assert data.training().columns[2].words == ("Köln", "Oslo", "Rome")
    path.write_text(TABLE.assign(size="1,234").to_csv(index=False, sep=";"))
    with pytest.raises(DataError, match=r"data\.csv\.decimal must be set: commas in 'size'"):
        read(path).training()
    grouped = read(path, csv=CsvFormat(decimal=".", thousands=","))
    assert sizes(grouped) == [1234.0] * ROWS
    assert sizes(read(path, csv=CsvFormat(decimal=","))) == [1.234] * ROWS


def test_an_empty_column_and_an_identifier_are_no_inputs(tmp_path: Path) -> None:
    table = TABLE.assign(empty=None, customer_id=np.arange(ROWS) + 10**17)
    table.to_csv(tmp_path / "t.csv", index=False)
    assert [c.name for c in read(tmp_path / "t.csv").training().columns] == [
        "size",
        "sold",
        "city",
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.iloc[:1], "must have at least 2 rows and 2 columns, got 1 and 4"),
        (TABLE.rename(columns={"city": "size"}), "columns with different names, got 2 named"),
        (TABLE.assign(kind=["c", *TABLE["kind"][1:]]), "at least 3 rows of each .* got 1 of 'c'"),
        (
            TABLE.assign(city=["31.01.2024"] * 2 + ["2024-01-31"] * 28),
            r"data\.columns must say what 'city' holds: most cells are dates",
        ),
        (
            TABLE.assign(size=[*map(str, range(29)), str(10**17 + 1)]),
            r"got one with 18 digits in column 'size'.*set data\.columns",
        ),
        (TABLE.assign(city=["01/02/2024"] * 15 + ["03/04/2024"] * 15), r"data\.date_format must"),
    ],
)
def test_what_can_not_be_read_right_is_refused_in_one_line(
    tmp_path: Path, table: pd.DataFrame, message: str
) -> None:
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / "t.csv").training()
    assert "\n" not in str(caught.value)


def test_an_asked_kind_counts(tmp_path: Path) -> None:
    table = TABLE.assign(zip=np.arange(ROWS) % 5 + 10000, odd=["12 kg"] * 2 + ["1"] * 28)
    table.to_csv(tmp_path / "t.csv", index=False)
    asked = (("zip", "category"), ("odd", "category"))
    columns = {c.name: c for c in read(tmp_path / "t.csv", columns=asked).training().columns}
    assert columns["zip"].words == ("10000", "10001", "10002", "10003", "10004")
    left = read(tmp_path / "t.csv", drop=("odd", "city")).training().columns
    assert [c.name for c in left] == ["size", "sold", "zip"]
    with pytest.raises(DataError, match=r"data\.columns\.odd must hold numbers, got '12 kg'"):
        read(tmp_path / "t.csv", columns=(("odd", "number"),)).training()


NUMBERED = TABLE.assign(
    bit=np.arange(ROWS) // 2 % 2,
    one=1,
    pair=1 + np.arange(ROWS) // 2 % 2,
    day=20240101 + np.arange(ROWS),
    gap=np.where(np.arange(ROWS) < 4, np.nan, 2001.0 + np.arange(ROWS) % 5),
)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_numbers_are_booleans_and_dates_where_that_is_asked(name: str, tmp_path: Path) -> None:
    """Whatever their type in the file."""
    path = tmp_path / name
    if name.endswith("csv"):
        whole = NUMBERED.assign(gap=NUMBERED["gap"].astype("Int64"))
        whole.to_csv(path, index=False)
    else:
        NUMBERED.to_parquet(path)
    booleans = tuple((column, "boolean") for column in ("bit", "one", "pair"))
    left = ("size", "sold", "city", "gap")
    options = {"columns": (*booleans, ("day", "date")), "date_format": "%Y%m%d", "drop": left}
    data = read(path, **options)
    inputs = np.concatenate([data.training().inputs, data.test().inputs])
    inputs = inputs[inputs[:, 3].argsort()]
    assert [column.kind for column in data.training().columns] == ["boolean"] * 3 + ["date"]
    assert inputs[:, 0].tolist() == NUMBERED["bit"].tolist()
    assert inputs[:, 1].tolist() == [1.0] * ROWS
    assert inputs[:, 2].tolist() == (NUMBERED["pair"] - 1).tolist()
    days = pd.to_datetime(NUMBERED["day"].astype(str)).astype("datetime64[s]").astype("int64")
    assert inputs[:, 3].tolist() == days.tolist()
    years = {"columns": (("gap", "date"),), "date_format": "%Y", "drop": ("day",)}
    read_years = read(path, **years).training()
    place = [column.name for column in read_years.columns].index("gap")
    assert set(read_years.inputs[:, place]) - {np.nan} >= {978307200.0}  # 2001-01-01
    assert 1 <= np.isnan(read_years.inputs[:, place]).sum() <= 4


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_numbers_that_are_no_dates_or_booleans_name_what_to_set(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    NUMBERED.to_csv(path, index=False) if name.endswith("csv") else NUMBERED.to_parquet(path)
    rule = r"data\.columns\.day must hold dates; numbers are read by data\.date_format, got '2024"
    with pytest.raises(DataError, match=rule):
        read(path, columns=(("day", "date"),)).training()
    with pytest.raises(DataError, match=r"data\.columns\.size must hold 2 values, got 2\d, such"):
        read(path, columns=(("size", "boolean"),)).training()


def test_nan_of_a_typed_file_is_a_gap(tmp_path: Path) -> None:
    table = TABLE.assign(size=np.where(np.arange(ROWS) == 3, np.nan, SIZES), w=np.nan)
    table.to_parquet(tmp_path / "t.parquet")
    train = read(tmp_path / "t.parquet").training()
    assert [column.name for column in train.columns] == ["size", "sold", "city"]
    for options in ({"columns": "numbers", "drop": ("sold", "city")}, {"weight": "w"}):
        with pytest.raises(DataError, match="must have no missing values in column"):
            read(tmp_path / "t.parquet", **options).training()


def test_a_given_mark_between_thousands_stays(tmp_path: Path) -> None:
    table = TABLE.assign(size=["1.100,5"] * ROWS)
    table.to_csv(tmp_path / "t.csv", index=False, sep=";")
    for thousands in (None, "."):
        assert (
            sizes(read(tmp_path / "t.csv", csv=CsvFormat(thousands=thousands))) == [1100.5] * ROWS
        )


def test_pairs_with_commas_turn_no_decimals_into_texts(tmp_path: Path) -> None:
    TABLE.assign(pair="1,2").to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match=r"data\.csv\.decimal must be set: 'pair' has decimal"):
        read(tmp_path / "t.csv").training()
    assert sizes(read(tmp_path / "t.csv", csv=CsvFormat(decimal="."))) == SIZES.tolist()


def test_classes_keep_their_leading_zeros(tmp_path: Path) -> None:
    TABLE.assign(kind=["007", "7", "012"] * 10).to_csv(tmp_path / "t.csv", index=False)
    assert read(tmp_path / "t.csv").training().classes == ("007", "012", "7")


def test_a_long_line_of_names_and_empty_lines_before_it_are_read(tmp_path: Path) -> None:
    wide = pd.DataFrame(np.arange(5 * 600.0).reshape(5, -1)).add_prefix("a_long_name_" * 10)
    text = wide.assign(kind=[0.5, 1, 2, 3, 4]).to_csv(index=False)
    assert len(text.partition("\n")[0]) > 2**16
    (tmp_path / "t.csv").write_text(f"\n\n{text}")
    assert read(tmp_path / "t.csv").training().inputs.shape == (4, 600)


def test_names_that_differ_by_spaces_are_refused(tmp_path: Path) -> None:
    TABLE.rename(columns={"city": "size "}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match="columns with different names, got 2 named 'size'"):
        read(tmp_path / "t.csv").training()


def test_a_date_format_is_that_of_the_times_too(tmp_path: Path) -> None:
    days = [f"{day:02d}/{1 + day % 12:02d}/2024" for day in range(1, 13)]
    table = TABLE.iloc[:12].assign(day=days, kind=["a", "b"] * 6)
    table.to_csv(tmp_path / "t.csv", index=False)
    order = Column("order", "day")
    with pytest.raises(DataError, match=r"data\.date_format must say"):
        read(tmp_path / "t.csv", column=order).training()
    keys = read(tmp_path / "t.csv", column=order, date_format="%d/%m/%Y").training().keys
    assert keys is not None
