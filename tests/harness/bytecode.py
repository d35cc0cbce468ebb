"""Bytecode is kept of the tests' own modules, which pytest compiles slowly, and of no other."""

from __future__ import annotations

import sys


def pytest_collection_finish() -> None:
    """A module that a test rewrites within a second, at the same size, would keep its old one."""
    sys.dont_write_bytecode = True
