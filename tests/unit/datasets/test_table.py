"""Tables: what is read of them, what is sealed as test set, and what is refused and how."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow.parquet import write_table

from hpsearch.datasets.selection import Selection, open_pool, open_test
from hpsearch.datasets.split_kinds import KFold
from hpsearch.datasets.table import TableFile, TableOptions, _read_table
from hpsearch.errors import DataError

Write = Callable[..., Path]
ROWS = 30


def frame(**columns: Any) -> pd.DataFrame:
    """Rows with two inputs, classes in words, and a number to predict."""
    rng = np.random.default_rng(0)
    words = np.array(["red", "green", "blue"])[np.arange(ROWS) % 3]
    made = {"size": np.arange(ROWS), "weight": rng.normal(size=ROWS), "colour": words}
    return pd.DataFrame(made | columns)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_table(table: pd.DataFrame, name: str = "table.csv") -> Path:
        path = tmp_path / name
        if name.endswith(".parquet"):
            table.to_parquet(path)
        else:
            table.to_csv(path, index=False)
        return path

    return write_table


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.parquet"])
def test_inputs_are_all_columns_but_the_target(write: Write, name: str) -> None:
    table = frame()
    data = TableFile(write(table, name), TableOptions("colour"))
    train, test = data.training(), data.test()
    got = np.concatenate([train.inputs, test.inputs])
    wanted = table[["size", "weight"]].to_numpy(np.float64)
    assert got.dtype == np.float64
    assert np.array_equal(got[np.argsort(got[:, 0])], wanted)


def test_classes_in_words_are_numbered_in_sorted_order(write: Write) -> None:
    table = frame()
    train = TableFile(write(table), TableOptions("colour")).training()
    assert (train.classes, train.n_classes) == (("blue", "green", "red"), 3)
    assert train.labels.dtype == np.int64
    words = table["colour"].to_numpy()[train.inputs[:, 0].astype(int)]
    assert [train.classes[label] for label in train.labels] == words.tolist()


@pytest.mark.parametrize(
    ("column", "task", "classes"),
    [
        (np.arange(ROWS) % 2, None, ("0", "1")),
        (np.arange(ROWS) % 2 * 10 - 5, None, ("-5", "5")),
        (np.arange(ROWS) % 2 == 0, None, ("False", "True")),
        (np.arange(ROWS) % 2 / 2, "classification", ("0.0", "0.5")),
        (np.arange(ROWS) / 2, None, ()),
        (np.arange(ROWS), "regression", ()),
    ],
    ids=["ints", "any-ints", "booleans", "floats-as-classes", "floats", "ints-as-numbers"],
)
def test_decimals_are_predicted_as_numbers_and_all_else_as_classes(
    write: Write, column: np.ndarray, task: str | None, classes: tuple[str, ...]
) -> None:
    train = TableFile(write(frame(colour=column)), TableOptions("colour", task=task)).training()
    assert train.classes == classes
    assert train.regression == (not classes)
    assert train.labels.dtype == (np.int64 if classes else np.float64)


def test_the_test_set_is_a_fifth_of_each_class_the_same_for_every_seed(write: Write) -> None:
    path = write(frame())
    tests = []
    for seed in (0, 1):
        selection = Selection(str(path), table=TableOptions("colour"), seed=seed)
        pool, final = open_pool(selection), open_test(selection)
        ((train, held),) = final.splits
        assert len(train) + len(held) == ROWS
        assert np.bincount(final.examples.labels[held]).tolist() == [2, 2, 2]
        learned, sealed = pool.examples.inputs[:, 0], final.examples.inputs[held, 0]
        assert not np.intersect1d(learned, sealed).size
        tests.append(sealed.tolist())
    assert tests[0] == tests[1]


def test_a_file_of_test_rows_is_the_test_set_whatever_the_order_of_its_columns(
    write: Write,
) -> None:
    table = frame()
    other = table.iloc[:4][["colour", "weight", "size"]].assign(comment="none")
    data = TableFile(write(table), TableOptions("colour", write(other, "test.csv")))
    assert len(data.training().labels) == ROWS
    test = data.test()
    assert np.array_equal(test.inputs, table[["size", "weight"]].to_numpy()[:4])
    assert [test.classes[label] for label in test.labels] == ["red", "green", "blue", "red"]


def test_numbers_are_split_without_classes(write: Write) -> None:
    path = write(frame(colour=np.linspace(0, 1, ROWS)))
    pool = open_pool(Selection(str(path), table=TableOptions("colour"), split=KFold(4)))
    assert pool.examples.regression
    sizes = [(len(train), len(held)) for train, held in pool.splits]
    assert sizes == [(18, 6)] * 4


HOLE = frame()["weight"].mask(np.arange(ROWS) == 16)


@pytest.mark.parametrize(
    ("table", "described", "message"),
    [
        (frame(), {"target": None}, "data.target must be the column to predict, one of size"),
        (frame(), {"target": "color"}, r"data.target must be one of .* mean 'colour'\?"),
        (
            frame(weight=HOLE),
            {"columns": "numbers"},
            "no missing values in column 'weight', got 1, the first in row 17",
        ),
        (frame(colour=HOLE), {}, "no missing values in column 'colour', got 1"),
        (
            frame(weight=["1"] * 4 + ["?"] + ["2"] * 25),
            {"columns": "numbers"},
            r"numbers in column 'weight', got '\?' in row 5",
        ),
        (
            frame(weight=["1"] * 4 + ["1 kg"] + ["2"] * 25),
            {},
            r"data.columns must say what 'weight' holds: .* got .1 kg. in row 5: .*csv.missing",
        ),
        (frame(size=np.inf), {}, "must hold finite numbers, got inf in column 'size', row 1"),
        (frame(colour="red"), {}, "at least 2 classes, got only 'red'"),
        (frame(colour=np.arange(ROWS)), {}, 'numbers to predict: task = "regression"'),
        (frame(), {"task": "regression"}, "must hold numbers in the target 'colour'"),
        (frame()[["colour"]], {}, "at least 2 rows and 2 columns, got 30 and 1"),
        (frame().reset_index().rename(columns={"index": ""}), {}, r"to_csv\(index=False\)"),
    ],
)
def test_what_can_not_be_learned_from_is_refused(
    write: Write, table: pd.DataFrame, described: dict[str, Any], message: str
) -> None:
    path = write(table)
    with pytest.raises(DataError, match=message):
        TableFile(path, TableOptions(**{"target": "colour"} | described)).training()


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (frame()[["size", "colour"]], "must have the columns of .*: 'weight' is missing"),
        (frame(colour="pink"), "must hold classes of the training data, got 'pink'"),
        (frame(colour=HOLE), "must have no missing values"),
        (frame(weight="heavy"), "must hold numbers in column 'weight', got 'heavy' in row 1"),
    ],
)
def test_test_rows_that_do_not_fit_are_refused(
    write: Write, test: pd.DataFrame, message: str
) -> None:
    data = TableFile(write(frame()), TableOptions("colour", write(test, "test.csv")))
    data.training()
    with pytest.raises(DataError, match=message):
        data.test()


@pytest.mark.parametrize(("name", "content"), [("t.csv", b""), ("t.parquet", b"PAR1")])
def test_a_file_that_is_no_table_is_said_in_one_line(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="must be a readable table, got") as caught:
        TableFile(tmp_path / name, TableOptions("y")).training()
    assert "\n" not in str(caught.value)


CSV = frame().to_csv(index=False)
HEAD, _, BODY = CSV.partition("\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"# measured, in May, 2024, twice\n{CSV}".encode(), "in line 1, got a comment"),
        (f"{HEAD}\n# first day\n{BODY}".encode(), "got '# first day' in place of row 1"),
        (CSV.replace("\n", ",\n").encode(), "no comma at the end of a line, got one in line 1"),
        (f"{HEAD}\n{BODY}".replace("e\n", "e,\n").encode(), "got one in lines below line 1"),
        (CSV.replace("green", "grün").encode("latin-1"), "byte 0xfc in line 3, which in Latin-1"),
        (
            CSV.replace("weight", "size").encode(),
            "columns with different names, got 2 named 'siz",
        ),
        (CSV.replace("weight", "colour").encode(), "got 2 named 'colour'"),
        (CSV.replace("green", "NA").encode(), "missing values in column 'colour', got 10"),
        (
            CSV.replace("\n4,", f"\n{10**22 + 1},").encode(),
            "one with 23 digits in column 'size', row 5",
        ),
        (
            CSV.replace("red", "dark red").replace("blue", "dark  red", 1).encode(),
            "'dark  red' and 'dark red'",
        ),
    ],
)
def test_a_csv_file_of_another_kind_is_refused_with_cause_and_place(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        TableFile(path, TableOptions("colour")).training()
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value) or caught.value.problem is not None
    zipped = tmp_path / "table.csv.gz"
    zipped.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=message):
        TableFile(zipped, TableOptions("colour")).training()


def test_parquet_columns_with_points_in_their_names_are_told_apart(tmp_path: Path) -> None:
    rows = np.arange(30.0)
    table = pd.DataFrame({"a": rows, "a.b": rows + 1, "b": rows + 2, "y": [0, 1] * 15})
    table.to_parquet(tmp_path / "t.parquet")
    data = TableFile(tmp_path / "t.parquet", TableOptions("y"))
    train = data.training()
    assert [column.name for column in train.columns] == ["a", "a.b", "b"]
    assert np.array_equal(train.inputs - train.inputs[:, :1], [[0, 1, 2]] * len(train.inputs))


def test_the_cells_of_a_file_are_forgotten_once_its_rows_are_there(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": np.arange(30.0), "y": [0, 1] * 15})
    table.to_csv(tmp_path / "t.csv", index=False)
    data = TableFile(tmp_path / "t.csv", TableOptions("y"))
    for rows in (data.training, data.test):
        rows()
        assert _read_table.cache_info().currsize == 0


def test_two_columns_of_one_name_are_refused_in_parquet_too(tmp_path: Path) -> None:
    numbers = pa.array(range(ROWS))
    table = pa.Table.from_arrays([numbers, numbers, numbers], names=["x", "y", "x"])
    write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="got 2 named 'x'"):
        TableFile(tmp_path / "t.parquet", TableOptions("y")).training()


def test_whole_targets_of_64_bits_without_a_sign_keep_their_value(write: Write) -> None:
    big = 2**63 + np.arange(ROWS, dtype=np.uint64) % 3
    train = TableFile(write(frame(colour=big)), TableOptions("colour")).training()
    assert train.classes == tuple(str(2**63 + i) for i in range(3))


def test_what_looks_like_another_kind_and_is_none_is_read(tmp_path: Path) -> None:
    text = CSV.replace("size", "#size").replace("red", "a;b").replace("green", "grün")
    (tmp_path / "table.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    train = TableFile(tmp_path / "table.csv", TableOptions("colour")).training()
    assert train.classes == ("a;b", "blue", "grün")
    assert train.inputs.shape[1] == 2


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must end with one of"):
        TableFile(tmp_path / "table.xlsx", TableOptions("y")).training()


def test_shots_of_numbers_are_refused(write: Write) -> None:
    path = write(frame(colour=np.linspace(0, 1, ROWS)))
    with pytest.raises(DataError, match=r"data\.shots must be left out where numbers"):
        open_pool(Selection(str(path), table=TableOptions("colour"), shots=2))


def test_too_few_rows_of_a_class_are_named_by_the_class(write: Write) -> None:
    path = write(frame())
    with pytest.raises(DataError, match="at most 8, the examples of class blue, got 9"):
        open_pool(Selection(str(path), table=TableOptions("colour"), split=KFold(9)))
