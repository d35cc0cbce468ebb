"""What most system tests do without: it takes longer than what they show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from hpsearch.processes import changed_environment
from tests.harness.figures import drawn_figures
from tests.harness.quick import quick_studies


@pytest.fixture(scope="package", autouse=True)
def quick(known_schema: None, quick_files: None) -> Iterator[None]:
    """For the studies of this process, and files, figures and stores of others."""
    with quick_studies():
        yield


@pytest.fixture
def own_mlflow() -> Iterator[None]:
    """What code of a study tells MLflow in this process is forgotten after the test."""
    import mlflow
    from mlflow.tracking import fluent

    with changed_environment({"MLFLOW_TRACKING_URI": None, "MLFLOW_EXPERIMENT_ID": None}):
        yield
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # of this process
        fluent._active_experiment_id = None


@pytest.fixture(autouse=True)
def figures(request: pytest.FixtureRequest) -> Iterator[None]:
    """Figures are drawn for tests marked `figures`."""
    marked = request.node.get_closest_marker("figures") is not None
    with drawn_figures() if marked else nullcontext():
        yield
