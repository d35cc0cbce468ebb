"""The format of what is written: its number, and what makes an older one of it.

Records, study.json and export archives carry `format`. A format changes when code that knows the
old one would read the new one wrongly. Then FORMAT counts on, and CONVERSIONS gets a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hpsearch.errors import FormatError

FORMAT = 2
KEY = "format"
Content = dict[str, Any]


def stamped(content: Mapping[str, Any]) -> Content:
    """The content with its format, first."""
    return {KEY: FORMAT, **content}


def _to_1(content: Content) -> Content:
    """Before formats were written the content was that of format 1.

    Rows of narrowed ranges had their branch as text alone; `RangeRow.from_dict` reads it.
    """
    return content


def _to_2(content: Content) -> Content:
    """From format 2 on a digest follows the content; the content is the same."""
    return content


# By format: what makes content of the next one of it. Applied in turn.
CONVERSIONS: tuple[Callable[[Content], Content], ...] = (_to_1, _to_2)


def converted(content: Mapping[str, Any], name: str) -> Content:
    """The content as today's format has it, without its number.

    Args:
        name: what it was read from, for the error.

    Raises:
        FormatError: it was written by a newer hpsearch.
    """
    found = dict(content)
    number = found.pop(KEY, 0)
    if not isinstance(number, int) or not 0 <= number <= FORMAT:
        raise FormatError(
            f"{name} must have a format up to {FORMAT}, got {number!r}: a newer version of "
            "hpsearch wrote it; install that version. Nothing was changed"
        )
    for convert in CONVERSIONS[number:]:
        found = convert(found)
    return found
