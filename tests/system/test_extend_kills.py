"""An extension that is killed at any moment ends with the table of a quiet one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from hpsearch import run_study, verify_study
from tests.harness.kills import projected, run_killed
from tests.harness.stores import new_home
from tests.harness.study import table
from tests.harness.study_files import TINY

# 10 by hand, with one worker too: HPSEARCH_KILLS=10 scripts/test tests/system/test_extend_kills.py
KILLS = int(os.environ.get("HPSEARCH_KILLS", "1"))
SLICED = "[evaluation]\nevery = 10\n[execution]\nslice_seconds = 0.1\n"
FIRST = TINY + SLICED
# Long enough that the kills fall into it.
LAST = f"[[stages]]\ntrials = 4\nepochs = {600 if KILLS == 1 else 1500 * KILLS}\n[confirmation]\n"
LONG = FIRST.replace("[confirmation]\n", LAST).replace("trials = 5", "trials = 8")
LONG = LONG.replace("high = 10.0", "high = 20.0").replace('"adam"]', '"adam", "rmsprop"]')


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run in first/, and what a quiet extension makes of it in home/."""
    folder = tmp_path_factory.mktemp("quiet")
    (folder / "small.toml").write_text(FIRST)
    run_study(folder / "small.toml", home=new_home(folder / "first"), workers=0)
    shutil.copytree(folder / "first", folder / "home")
    (folder / "small.toml").write_text(LONG)
    run_study(folder / "small.toml", home=folder / "home", workers=0, extend=True)
    return folder


@pytest.mark.timeout(420)
@pytest.mark.parametrize("workers", [2, 1][: 1 + (KILLS > 1)])
def test_kills_change_nothing_in_an_extension(tmp_path: Path, quiet: Path, workers: int) -> None:
    home = tmp_path / "home"
    shutil.copytree(quiet / "first", home)
    run_killed(quiet / "small.toml", home, workers, KILLS, ["--extend"])
    expected, found = table(quiet / "home"), table(home)
    assert list(expected) == list(found)
    assert [key for key in expected if expected[key] != found[key]] == []
    assert verify_study("small", trials=1, home=home).problems == []
    assert projected(quiet / "home") == projected(home)
