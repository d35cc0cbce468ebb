"""What pip installs has the documents and the examples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.documents import REPOSITORY

PARTS = ("hpsearch", "docs", "studies", "pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing but hpsearch, from a copy of the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    for path in (*map(REPOSITORY.joinpath, PARTS), *REPOSITORY.glob("*.md")):
        copied = folder / "tree" / path.name
        if path.is_dir():
            shutil.copytree(path, copied, ignore=shutil.ignore_patterns("__pycache__", "mlruns"))
        else:
            shutil.copy(path, copied)
    made = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    done = _pip(made, "install", "--no-deps", "--no-compile", str(folder / "tree"))
    if re.search(r"No matching distribution found for setuptools", done.stderr):
        pytest.skip("the build needs a newer setuptools, and no network has one")
    assert done.returncode == 0, done.stderr
    return made


def _pip(environment: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call pip of these tests for another environment."""
    command = [sys.executable, "-m", "pip", "--python", str(environment / "bin/python"), *words]
    return subprocess.run(command, capture_output=True, text=True)


def _packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python3*/site-packages")
    return found


# The commands of a reader in one process: each of their own would load hpsearch again.
COMMANDS = """
import hpsearch, hpsearch.cli
print(hpsearch.__file__)
for words in (
    "init --example",
    "init --example own_trainer",
    "plan own_trainer.toml --trials 0",
    "docs gallery --print --to pages",
):
    print("$", words)
    hpsearch.cli.app(words.split(), standalone_mode=False)
"""


def test_an_installed_wheel_has_the_pages_and_an_example_that_runs(
    environment: Path, tmp_path: Path
) -> None:
    installed = _packages(environment)
    place = tmp_path / "elsewhere"
    place.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        capture_output=True,
        text=True,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )
    assert done.returncode == 0, done.stderr
    loaded, *printed = re.split(r"^\$ .*\n", done.stdout, flags=re.MULTILINE)
    assert Path(loaded.strip()).is_relative_to(installed)
    listed, made, plan, page = printed
    assert "own_trainer  Your own training function" in listed
    assert made == "own_trainer.toml\nown_trainer.py\n"
    assert "epochs, summed" in plan
    assert page.strip() == str(place / "pages/docs/gallery.html")
    assert '<img src="../studies/figures/quickstart.png"' in Path(page.strip()).read_text()
    assert (place / "pages/studies/figures/quickstart.png").is_file()
    shipped = installed / "hpsearch/shipped/files"
    for path in (REPOSITORY / "docs").rglob("*.md"):
        assert (shipped / path.relative_to(REPOSITORY)).read_bytes() == path.read_bytes()
    plugin = "hpsearch/trainers/programs/mlflow_plugin"
    here = [path for path in (REPOSITORY / plugin).rglob("*") if "__pycache__" not in path.parts]
    there = [path for path in (installed / plugin).rglob("*") if "__pycache__" not in path.parts]
    assert {p.relative_to(REPOSITORY) for p in here} == {p.relative_to(installed) for p in there}
    assert len(here) == 4


def test_an_uninstalled_wheel_leaves_nothing(environment: Path, tmp_path: Path) -> None:
    copied = tmp_path / "environment"
    shutil.copytree(environment, copied, symlinks=True)
    assert (copied / "bin/hpsearch").is_file()
    assert (_packages(copied) / "hpsearch/__init__.py").is_file()
    done = _pip(copied, "uninstall", "--yes", "hpsearch")
    assert done.returncode == 0, done.stderr
    assert [*_packages(copied).iterdir()] == []
    assert not (copied / "bin/hpsearch").exists()
