"""TOML as this program writes it: values, keys and flat tables that tomllib reads back equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit

COMMENT_COLUMN = 49


def toml_value(value: Any) -> str:
    """A value as TOML writes it on one line; floats so that they read back to the same bits.

    Args:
        value: a boolean, number, text, date or time, or a list or table of such values.
    """
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_pairs(value))} }}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    text: str = tomlkit.item(value).as_string()
    return text


def toml_key(name: str) -> str:
    """A key as TOML writes it: bare where that is possible."""
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else toml_value(name)


def toml_table(name: str, values: Mapping[str, Any]) -> str:
    """A table with its heading, a key a line."""
    return "\n".join([f"[{toml_key(name)}]", *_pairs(values)])


def noted(line: str, note: str) -> str:
    """A line with a comment at the usual column; without one where the note is ""."""
    return f"{line:<{COMMENT_COLUMN - 1}} # {' '.join(note.split())}" if note else line


def _pairs(values: Mapping[str, Any]) -> list[str]:
    return [f"{toml_key(key)} = {toml_value(value)}" for key, value in values.items()]
