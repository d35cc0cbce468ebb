"""Stages on fewer rows, and folds as needed, killed at any moment, are those of a quiet run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpsearch import run_study, verify_study
from tests.harness.kills import projected, run_killed
from tests.harness.stores import new_home
from tests.harness.study import records, table
from tests.harness.study_files import SMALL

# 10 by hand: HPSEARCH_KILLS=10 scripts/test tests/system/test_stage_kills.py
KILLS = int(os.environ.get("HPSEARCH_KILLS", "2"))
# Long enough that they fall into it, with a state saved every tenth of a second.
EPOCHS = 30 * KILLS
SLICED = "[evaluation]\nevery = 10\n[execution]\nslice_seconds = 0.1\n"
ROWS = SMALL.replace("shots = 6", "shots = 40").replace("high = 1e6", "high = 10.0")
ROWS = ROWS.replace("epochs = 2\n", f"epochs = {EPOCHS}\nrows = 60\n")
ROWS = ROWS.replace("epochs = 4\n", f"epochs = {EPOCHS}\nrows = 120\n")
ROWS = ROWS.replace("epochs = 8\n", f"epochs = {EPOCHS}\n")
FOLDS = SMALL.replace("folds = 3", "folds = 4, folds_as_needed = true").replace("1e6", "1.0")
FOLDS = FOLDS.replace("epochs = 2\n", f"epochs = {EPOCHS}\n")
FOLDS = FOLDS.replace("epochs = 4\n", f"epochs = {2 * EPOCHS}\n")
FOLDS = FOLDS.replace("epochs = 8\n", f"epochs = {3 * EPOCHS}\n")


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("text", "what"), [(ROWS, "rows"), (FOLDS, "folds")], ids=["rows", "folds"]
)
def test_kills_change_nothing(tmp_path: Path, text: str, what: str) -> None:
    quiet, troubled, path = tmp_path / "quiet", tmp_path / "troubled", tmp_path / "small.toml"
    path.write_text(text + SLICED)
    run_study(path, home=new_home(quiet), workers=0)
    run_killed(path, troubled, 2, KILLS)
    assert any(getattr(record, what) for record in records(quiet))
    expected, found = table(quiet), table(troubled)
    assert list(expected) == list(found)
    assert [key for key in expected if expected[key] != found[key]] == []
    assert projected(quiet) == projected(troubled)
    assert verify_study("small", home=troubled, trials=2).problems == []
