"""A finished study that the tests of the service look at, made once, and copies of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hpsearch import run_study
from tests.conftest import SMALL

TINY = SMALL.replace("trials = 14", "trials = 5").replace("trials = 8", "trials = 4")
TINY = TINY.replace("trials = 6", "trials = 3").replace("high = 1e4", "high = 10.0")


@pytest.fixture(scope="session")
def finished_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores after one small study; to be read only."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.toml").write_text(TINY)
    run_study(folder / "tiny.toml", home=folder / "home", workers=0)
    return folder / "home"


@pytest.fixture
def copied_home(finished_home: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt; its MLflow artifacts stay where the original has them."""
    shutil.copytree(finished_home, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the small study, run to its end in this process."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.toml").write_text(SMALL)
    run_study(folder / "small.toml", home=folder / "home", workers=0)
    return folder / "home"
