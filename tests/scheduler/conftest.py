"""Batch files over one small study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SMALL

Write = Callable[[str], Path]

# The study of SMALL in a few seconds.
QUICK = """\
set = ["stages=[{trials=3, epochs=2}]", "confirmation.top=1", "confirmation.seeds=2"]
"""


@pytest.fixture
def write_batch(tmp_path: Path) -> Write:
    """Writes a batch file beside small.toml; gives its path."""
    (tmp_path / "small.toml").write_text(SMALL)

    def write(text: str) -> Path:
        path = tmp_path / "batch.toml"
        path.write_text(text)
        return path

    return write
