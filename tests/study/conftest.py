"""What is the same for all studies of this process."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def opened_quickly(known_schema: None) -> None:
    """Optuna's storages."""
