"""Two runs of one study, looked up in their records."""

from __future__ import annotations

from pathlib import Path

from hpsearch import study_trials
from tests.harness.study import run
from tests.harness.study_files import SMALL


def test_the_trials_are_the_same_bits_in_another_run(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    run(tmp_path / "small.toml", tmp_path / "home", "execution.slice_seconds=0.001", workers=1)
    first, second = (study_trials("small", home=h) for h in (finished, tmp_path / "home"))
    assert first.to_csv(index=False) == second.to_csv(index=False)
    assert list(first.columns[:9]) == [
        *("trial", "outcome", "drawn_in_stage", "batch", "epochs", "curves"),
        *("score_2", "score_4", "score_8"),
    ]
    assert len(first) == 21
    assert first["hidden"].dtype == "int64"
