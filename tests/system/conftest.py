"""What most system tests do without: it takes longer than what they show."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def quick(known_schema: None, blank_figures: pytest.MonkeyPatch, projected_here: None) -> None:
    """Optuna, files, figures and MLflow in this process; files and figures in others."""


@pytest.fixture(autouse=True)
def figures(marked_figures: None) -> None:
    """Drawn where a test says so."""
