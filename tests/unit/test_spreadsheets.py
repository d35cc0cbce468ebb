"""Tables that people open in a spreadsheet."""

import io

import numpy as np
import pandas as pd
import pytest

from hpsearch.spreadsheets import csv_text


@pytest.mark.parametrize("kind", ["object", "string", "category"])
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted(text: str, kind: str) -> None:
    table = pd.DataFrame({text: pd.Series([text, "plain"], dtype=kind)})
    read = pd.read_csv(io.StringIO(csv_text(table), newline=""))
    assert list(read.columns) == [f"'{text}"]
    assert read.iloc[:, 0].tolist() == [f"'{text}", "plain"]


def test_what_is_no_formula_is_as_pandas_writes_it() -> None:
    table = pd.DataFrame(
        {"a": [-0.5, np.nan], "b": ["x=1", None], "c": [-1, "it's"], "d": [True, False]}
    )
    assert csv_text(table) == table.to_csv(index=False)
    assert csv_text(table, float_format="%.3g") == table.to_csv(index=False, float_format="%.3g")


def test_a_carriage_return_begins_no_row_with_a_formula() -> None:
    assert csv_text(pd.DataFrame({"a": ["x\r=1", "\r\n=1"]})) == 'a\n"x\n=1"\n"\'\n=1"\n'


def test_two_columns_of_one_name_keep_their_values() -> None:
    table = pd.DataFrame([["=a", "b"]], columns=["x", "x"])
    assert csv_text(table) == "x,x\n'=a,b\n"
