"""A clock that is set while a study runs."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path

import pytest

from hpsearch import verify_study
from tests.harness.study import records, run, table

HOURS = 3600.0
SHORT = ("stages=[{trials=4, epochs=2}]", "budget.total_seconds=600")


def test_a_clock_that_jumps_by_hours_changes_nothing(
    study_file: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = run(study_file, tmp_path / "quiet", *SHORT)
    now, asked = time.time, count()
    jumps = (-9 * HOURS, 0.0, 5 * HOURS)
    monkeypatch.setattr(time, "time", lambda: now() + jumps[next(asked) % 3])
    result = run(study_file, home, *SHORT)
    monkeypatch.undo()
    assert next(asked) > 12  # each trial has asked for the time
    assert (result.counts, result.ended) == (quiet.counts, "")
    assert table(home) == table(tmp_path / "quiet")
    for record in records(home):
        marks = [at for _, at in record.marks]
        assert marks == sorted(marks)
        assert record.started <= record.ended
    assert verify_study("small", home=home, trials=1).problems == []
