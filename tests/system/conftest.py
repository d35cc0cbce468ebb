"""What most system tests do without: it takes longer than what they show."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def quick(known_schema: None, blank_figures: None) -> None:
    """Optuna's storages, files and figures in this process; files and figures in others."""
