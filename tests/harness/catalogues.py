"""Tables of tests that have a row for every member of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Row = TypeVar("Row")


def row(name: str, table: Mapping[str, Row], called: str) -> Row:
    """The row of a catalogue's member; `called` is the table's name and its file's."""
    assert name in table, f"add {name} to {called}"
    return table[name]
