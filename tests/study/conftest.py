"""What is the same for all studies of this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.quick import quick_studies


@pytest.fixture(scope="package", autouse=True)
def quick(known_schema: None, quick_files: None) -> Iterator[None]:
    """No test of this tier looks at what takes long."""
    with quick_studies():
        yield


@pytest.fixture(autouse=True)
def unheard(without_mlflow: None) -> None:
    """MLflow hears of no study."""
