"""Records and archives that somebody changed who knows how they are sealed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hpsearch.records.sealed import read_sealed, write_sealed


def tamper(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a sealed file says, and seal it again."""
    content = read_sealed(path)
    assert content is not None
    change(content)
    write_sealed(path, content)


def rewritten(archive: Path, to: Path, name: str, content: bytes, *, called: str = "") -> Path:
    """The archive with another content of a file, under another name."""
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(to, "w") as target:
        for info in source.infolist():
            changed = info.filename == name
            target.writestr(
                called if changed and called else info, content if changed else source.read(info)
            )
    return to
