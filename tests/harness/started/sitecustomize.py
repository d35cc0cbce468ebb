"""Runs first in every Python process that tests start, whose PYTHONPATH names this folder.

Figures are one pixel there, and files need not outlive the machine: both take longer than what
most tests show. tests/conftest.py does the same in the process of the tests.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

# The smallest PNG there is.
BLANK = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)
DRAWING = {
    "hpsearch.reports.arms": ("draw_arms", "write_png"),
    "hpsearch.reports.confusion": ("_draw",),
    "hpsearch.reports.figures": ("draw_search",),
    "hpsearch.reports.png_charts": ("draw_png", "svg_of"),
}


def draw_nothing(place: object, *drawn: object) -> bytes:
    if isinstance(place, Path):
        place.write_bytes(BLANK)
    return BLANK


class _Undrawn:
    """Finds the modules that draw, and has them draw nothing."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in DRAWING else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                for function in DRAWING[name]:
                    setattr(module, function, draw_nothing)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, _Undrawn)
    os.fsync = lambda fd: None
