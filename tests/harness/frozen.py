"""What is loaded stays, and is not looked through again and again for garbage."""

from __future__ import annotations

import gc

gc.set_threshold(100_000, 50, 100)


def pytest_collection_finish() -> None:
    """So does all that the tests' modules loaded."""
    _register_generators()
    gc.freeze()


def _register_generators() -> None:
    """Have Hypothesis register its generators, which it does at its first test.

    It warns when the garbage collector names no object that refers to one, and the collector
    names nothing that is frozen.
    """
    from hypothesis import given, settings
    from hypothesis import strategies as st

    @settings(derandomize=True, database=None, max_examples=1)
    @given(st.none())
    def first(nothing: None) -> None:
        del nothing

    first()
