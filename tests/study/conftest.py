"""What is the same for all studies of this process."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def quick(known_schema: None, blank_figures: None, without_mlflow: None) -> None:
    """Optuna's storages, files and figures; and a projector would be a process."""
