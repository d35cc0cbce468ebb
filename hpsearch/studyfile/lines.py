"""Where a key stands in the text of a study file."""

from __future__ import annotations

import re

HEADING = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?$")
ASSIGNED = re.compile(r"""\s*(?P<key>[\w-]+|"[^"]*"|'[^']*')\s*=""")


def line_of(text: str, key: str) -> int | None:
    """The line of the study file on which a hyperparameter's entry begins, from 1.

    Args:
        text: the study file as written.
        key: its path, e.g. "space.learning_rate", or "space.learning_rate.0" of one range of a
            list.

    Returns:
        None where it stands in no table of its own name, e.g. where --set gave it.
    """
    table, _, name = key.partition(".")
    name = name.rpartition(".")[0] if name.rpartition(".")[2].isdigit() else name
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if heading := HEADING.match(line):
            inside = re.sub(r"""[\s"']""", "", heading[1])
            if inside == f"{table}.{name}":
                return number
        assigned = ASSIGNED.match(line) if inside == table else None
        if assigned is not None and assigned["key"].strip("\"'") == name:
            return number
    return None
