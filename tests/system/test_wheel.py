"""What pip installs has the documents and the examples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.commands import call
from tests.harness.documents import REPOSITORY

PARTS = ("hpsearch", "docs", "studies", "pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE")


def _install(folder: Path) -> Path:
    """Install a copy of the tree, as building one writes into it."""
    for path in (*map(REPOSITORY.joinpath, PARTS), *REPOSITORY.glob("*.md")):
        copied = folder / "tree" / path.name
        if path.is_dir():
            shutil.copytree(path, copied, ignore=shutil.ignore_patterns("__pycache__", "mlruns"))
        else:
            shutil.copy(path, copied)
    target = folder / "installed"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-compile", "--target"]
    done = subprocess.run(
        [*command, str(target), str(folder / "tree")], capture_output=True, text=True
    )
    if re.search(r"No matching distribution found for setuptools", done.stderr):
        pytest.skip("the build needs a newer setuptools, and no network has one")
    assert done.returncode == 0, done.stderr
    return target


def test_an_installed_wheel_has_the_pages_and_an_example_that_runs(tmp_path: Path) -> None:
    installed = _install(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    place = tmp_path / "elsewhere"
    place.mkdir()

    def called(*words: str) -> str:
        done = call(*words, cwd=place, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "own_trainer  Your own training function" in called("init", "--example")
    assert called("init", "--example", "own_trainer") == "own_trainer.toml\nown_trainer.py\n"
    assert "epochs, summed" in called("plan", "own_trainer.toml", "--trials", "0")
    page = called("docs", "gallery", "--print", "--to", "pages").strip()
    assert page == str(place / "pages/docs/gallery.html")
    assert '<img src="../studies/figures/quickstart.png"' in Path(page).read_text()
    assert (place / "pages/studies/figures/quickstart.png").is_file()
    shipped = installed / "hpsearch/shipped/files"
    for path in (REPOSITORY / "docs").rglob("*.md"):
        assert (shipped / path.relative_to(REPOSITORY)).read_bytes() == path.read_bytes()
