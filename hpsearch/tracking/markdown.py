"""Text of others in Markdown, shown as it is: names, choices, comments and errors."""

from __future__ import annotations

import re

SPECIAL = re.compile(r"[\\`*\[\]|~$]|^[#+=-]|(?<![^\W_])_|_(?![^\W_])")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def plain(text: object) -> str:
    """A text in one line, without any meaning in Markdown or HTML."""
    line = " ".join(str(text).split())
    escaped = SPECIAL.sub(lambda found: f"\\{found[0]}", line)
    return re.sub("[&<>]", lambda found: ENTITIES[found[0]], escaped)


def code(name: object) -> str:
    """A name in the letters of code."""
    text = str(name)
    fits = text.strip() == text != "" and text.isprintable() and not set("`|") & set(text)
    return f"`{text}`" if fits else plain(text)
