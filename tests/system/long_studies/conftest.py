"""Studies in this process that take too long for the fast tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def unheard(without_mlflow: None) -> None:
    """MLflow hears of no study."""
