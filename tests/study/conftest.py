"""What is the same for all studies of this process."""

from __future__ import annotations

import pytest

from hpsearch.analysis import test_rows


@pytest.fixture(scope="session", autouse=True)
def quick_session(
    known_schema: None, blank_figures: pytest.MonkeyPatch, projected_here: None
) -> None:
    """Optuna's storages, files and figures; and a projector would be a process."""


@pytest.fixture(autouse=True)
def quick(without_mlflow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow hears of no study. The errors of test scores are of few resamples: those of 200 are
    tested where they are reckoned."""
    monkeypatch.setattr(test_rows, "RESAMPLES", 8)
