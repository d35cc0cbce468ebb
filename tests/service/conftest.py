"""A finished study with all its stores, made once and only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import run_study
from tests.conftest import SMALL


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the small study, run to its end in this process."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.toml").write_text(SMALL)
    run_study(folder / "small.toml", home=folder / "home", workers=0)
    return folder / "home"
