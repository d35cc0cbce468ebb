"""What is the same for all stores that these tests open."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="package", autouse=True)
def quick(quick_files: None) -> None:
    """New stores are copies; MLflow reads its migrations once."""
