"""Records that somebody changed who knows how they are sealed."""

from __future__ import annotations

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
