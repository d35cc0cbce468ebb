"""Tables as CSV that a spreadsheet opens without running what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\n")  # what spreadsheets take for a formula's start
TEXTS = ("object", "str", "string", "category")  # types of columns that may hold texts


def csv_text(table: pd.DataFrame, *, float_format: str | None = None) -> str:
    """A table without its index as CSV; texts that a spreadsheet would run begin with a '.

    Numbers stay as they are, negative ones too.

    Args:
        float_format: of floats, e.g. "%.6g"; None: all their digits.

    Source: OWASP, "CSV Injection".
    """
    quoted = table.copy()
    for place, kind in enumerate(table.dtypes):  # by place: two columns may have one name
        if str(kind) in TEXTS:
            quoted.isetitem(place, table.iloc[:, place].astype(object).map(_quoted).to_list())
    quoted.columns = [_quoted(name) for name in table.columns]
    return quoted.to_csv(index=False, float_format=float_format)


def _quoted(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Python's csv module writes a carriage return bare, and what follows it would be a new row.
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(FORMULA) else text
