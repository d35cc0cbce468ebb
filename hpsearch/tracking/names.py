"""Names of params and metrics as MLflow takes them: word characters, / . - : and spaces, and no
path that stands for another one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

LONGEST = 250  # MLflow's limit
LONGEST_OF_METRICS = LONGEST - len("best/" + "_epoch")  # which is put around a metric's name
REFUSED = re.compile(r"[^/\w.\- :]")


def stored_names(names: Iterable[str], longest: int = LONGEST) -> dict[str, str]:
    """The name in MLflow of each name; of most it is the same.

    What MLflow refuses becomes "_"; of two names that then are one, the second ends in "_2".
    """
    given = list(names)
    stored = {name: name for name in given if _accepted(name, longest)}
    for name in given:
        if name not in stored:
            safe, number = _safe(name, longest), 1
            candidate = safe
            while candidate in stored.values():
                number += 1
                candidate = f"{safe}_{number}"
            stored[name] = candidate
    return stored


def _accepted(name: str, longest: int) -> bool:
    if REFUSED.search(name) or not name or len(name) > longest:
        return False
    path = posixpath.normpath(name)
    return path == name != "." and not path.startswith(("/", ".."))


def _safe(name: str, longest: int) -> str:
    text = REFUSED.sub("_", name)[: longest - len("__1000")]
    if not _accepted(text, longest):
        text = f"_{text.replace('/', '_')}"
    return text
