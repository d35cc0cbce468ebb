"""Names of params as MLflow takes them: word characters, / . - : and spaces, and no
path that stands for another one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

LONGEST = 250  # characters; MLflow's limit
REFUSED = re.compile(r"[^/\w.\- :]")


def stored_names(names: Iterable[str]) -> dict[str, str]:
    """The name in MLflow of each name; of most it is the same.

    What MLflow refuses becomes "_"; of two names that then are one, the second ends in "_2".
    """
    given = list(names)
    stored = {name: name for name in given if _accepted(name)}
    for name in given:
        if name not in stored:
            safe, number = _safe(name), 1
            candidate = safe
            while candidate in stored.values():
                number += 1
                candidate = f"{safe}_{number}"
            stored[name] = candidate
    return stored


def _accepted(name: str) -> bool:
    if REFUSED.search(name) or not name or len(name) > LONGEST:
        return False
    path = posixpath.normpath(name)
    return path == name != "." and not path.startswith(("/", ".."))


def _safe(name: str) -> str:
    text = REFUSED.sub("_", name)[: LONGEST - len("__1000")]
    if not _accepted(text):
        text = f"_{text.replace('/', '_')}"
    return text
