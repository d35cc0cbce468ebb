"""Names of params as MLflow takes them: word characters, / . - : and spaces, and no path that
stands for another one."""

from __future__ import annotations

import hashlib
import posixpath
import re

LONGEST = 250  # characters; MLflow's limit
REFUSED = re.compile(r"[^/\w.\- :]")


def stored_name(name: str) -> str:
    """The name in MLflow; of most it is the same.

    What MLflow refuses becomes "_", and four digits of a digest keep it apart from other names: a
    parameter has one name, whichever others a trial has.
    """
    if _accepted(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:4]
    safe = REFUSED.sub("_", name)[: LONGEST - len("__0000")]
    if not _accepted(f"{safe}_"):
        safe = f"_{safe.replace('/', '_')}"
    return f"{safe}_{digest}"


def _accepted(name: str) -> bool:
    if REFUSED.search(name) or not name or len(name) > LONGEST:
        return False
    path = posixpath.normpath(name)
    return path == name != "." and not path.startswith(("/", ".."))
