"""What processes that are started from here need to know."""

from __future__ import annotations

import os
from pathlib import Path


def child_environment() -> dict[str, str]:
    """This process's environment, in which `python -m hpsearch...` finds this very package."""
    package = str(Path(__file__).parents[1])
    path = filter(None, [package, os.environ.get("PYTHONPATH")])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
