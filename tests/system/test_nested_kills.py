"""A nested study killed at any moment, with any number of workers, is that of a quiet run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpsearch import run_study, show_study, verify_study
from tests.harness.kills import projected, run_killed
from tests.harness.stores import new_home
from tests.harness.study import table
from tests.harness.study_files import NESTED

# 10 by hand: HPSEARCH_KILLS=10 scripts/test tests/system/test_nested_kills.py
KILLS = int(os.environ.get("HPSEARCH_KILLS", "1"))
# Long enough that they fall into it.
EPOCHS = 40 if KILLS == 1 else 100 * KILLS
LONG = NESTED.replace("epochs = 4\n", f"epochs = {EPOCHS}\n")
LONG = LONG.replace("epochs = 2\n", f"epochs = {EPOCHS // 4}\n")
LONG += "[evaluation]\nevery = 10\n[execution]\nslice_seconds = 0.1\n"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores of an undisturbed run, beside its file."""
    folder = tmp_path_factory.mktemp("quiet")
    (folder / "nested.toml").write_text(LONG)
    run_study(folder / "nested.toml", home=new_home(folder / "home"), workers=0)
    return folder / "home"


@pytest.mark.timeout(420)
@pytest.mark.parametrize("workers", [2, 1][: 1 + (KILLS > 1)])
def test_kills_change_nothing(tmp_path: Path, quiet: Path, workers: int) -> None:
    troubled = tmp_path / "troubled"
    run_killed(quiet.parent / "nested.toml", troubled, workers, KILLS)
    expected, found = table(quiet, "nested"), table(troubled, "nested")
    assert list(expected) == list(found)
    assert [key for key in expected if expected[key] != found[key]] == []
    calm, result = (show_study("nested", home=home).result for home in (quiet, troubled))
    assert result.outer is not None
    assert result.outer == calm.outer
    assert (result.best_number, result.test) == (calm.best_number, calm.test)
    assert projected(quiet) == projected(troubled)
    assert verify_study("nested", home=troubled, trials=1).problems == []
