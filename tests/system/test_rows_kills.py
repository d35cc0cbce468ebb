"""A study whose stages have fewer rows, killed at any moment, is that of a quiet run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpsearch import run_study, verify_study
from tests.harness.kills import projected, run_killed
from tests.harness.stores import new_home
from tests.harness.study import table
from tests.harness.study_files import SMALL

# 10 by hand: HPSEARCH_KILLS=10 scripts/test tests/system/test_rows_kills.py
KILLS = int(os.environ.get("HPSEARCH_KILLS", "2"))
# Long enough that they fall into it, with a state saved every tenth of a second.
EPOCHS = 30 * KILLS
ROWS = SMALL.replace("shots = 6", "shots = 40").replace("high = 1e4", "high = 10.0")
ROWS = ROWS.replace("epochs = 2\n", f"epochs = {EPOCHS}\nrows = 60\n")
ROWS = ROWS.replace("epochs = 4\n", f"epochs = {EPOCHS}\nrows = 120\n")
ROWS = ROWS.replace("epochs = 8\n", f"epochs = {EPOCHS}\n")
ROWS += "[evaluation]\nevery = 10\n[execution]\nslice_seconds = 0.1\n"


@pytest.mark.timeout(420)
def test_kills_change_nothing(tmp_path: Path) -> None:
    quiet, troubled, path = tmp_path / "quiet", tmp_path / "troubled", tmp_path / "small.toml"
    path.write_text(ROWS)
    run_study(path, home=new_home(quiet), workers=0)
    run_killed(path, troubled, 2, KILLS)
    expected, found = table(quiet), table(troubled)
    assert list(expected) == list(found)
    assert [key for key in expected if expected[key] != found[key]] == []
    assert projected(quiet) == projected(troubled)
    assert verify_study("small", home=troubled, trials=2).problems == []
