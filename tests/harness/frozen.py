"""What is loaded stays, and is not looked through again and again for garbage."""

from __future__ import annotations

import gc

gc.set_threshold(100_000, 50, 100)


def pytest_collection_finish() -> None:
    """So does all that the tests' modules loaded."""
    import hypothesis  # noqa: F401  it asks who refers to an object, which nothing frozen tells

    gc.freeze()
