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


def test_an_installed_wheel_has_the_pages_and_an_example_that_runs(tmp_path: Path) -> None:
    installed = _install(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    place = tmp_path / "elsewhere"
    place.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        capture_output=True,
        text=True,
        cwd=place,
        env=environment,
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
