"""What most system tests do without: it takes longer than what they show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.harness.figures import drawn_figures
from tests.harness.quick import quick_studies


@pytest.fixture(scope="package", autouse=True)
def quick(known_schema: None, quick_files: None) -> Iterator[None]:
    """For the studies of this process, and files, figures and stores of others."""
    with quick_studies():
        yield


@pytest.fixture(autouse=True)
def figures(request: pytest.FixtureRequest) -> Iterator[None]:
    """Figures are drawn for tests marked `figures`."""
    marked = request.node.get_closest_marker("figures") is not None
    with drawn_figures() if marked else nullcontext():
        yield
