"""Batch files over one small study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

WriteBatch = Callable[[str], Path]

# The study of SMALL in a few seconds.
QUICK = """\
set = ["stages=[{trials=3, epochs=2}]", "confirmation.top=1", "confirmation.seeds=2"]
"""
