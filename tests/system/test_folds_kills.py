"""A study that stops trials after some folds, killed at any moment, is that of a quiet run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpsearch import run_study, verify_study
from tests.harness.kills import projected, run_killed
from tests.harness.stores import new_home
from tests.harness.study import records, table
from tests.harness.study_files import SMALL

# 10 by hand: HPSEARCH_KILLS=10 scripts/test tests/system/test_folds_kills.py
KILLS = int(os.environ.get("HPSEARCH_KILLS", "2"))
# Long enough that they fall into it, with a state saved every tenth of a second.
EPOCHS = 30 * KILLS
FOLDS = SMALL.replace("folds = 3", "folds = 4, folds_as_needed = true").replace("1e4", "1.0")
FOLDS = FOLDS.replace("epochs = 2\n", f"epochs = {EPOCHS}\n")
FOLDS = FOLDS.replace("epochs = 4\n", f"epochs = {2 * EPOCHS}\n")
FOLDS = FOLDS.replace("epochs = 8\n", f"epochs = {3 * EPOCHS}\n")
FOLDS += "[evaluation]\nevery = 10\n[execution]\nslice_seconds = 0.1\n"


@pytest.mark.timeout(420)
def test_kills_change_nothing(tmp_path: Path) -> None:
    quiet, troubled, path = tmp_path / "quiet", tmp_path / "troubled", tmp_path / "small.toml"
    path.write_text(FOLDS)
    run_study(path, home=new_home(quiet), workers=0)
    run_killed(path, troubled, 2, KILLS)
    assert any(record.folds for record in records(quiet))
    expected, found = table(quiet), table(troubled)
    assert list(expected) == list(found)
    assert [key for key in expected if expected[key] != found[key]] == []
    assert projected(quiet) == projected(troubled)
    assert verify_study("small", home=troubled, trials=2).problems == []
