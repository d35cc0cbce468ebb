"""The correlation of short and long trainings, over all trials of a study."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import kendalltau, spearmanr

from hpsearch.study.plan import course
from hpsearch.studyfile.reading import read_study
from tests.harness.study import records, run, stored
from tests.harness.study_files import CALM

CONTROLS = [*CALM, "stages.1.controls=3", "stages.2.controls=2"]


def test_the_plan_counts_controls(study_file: Path, home: Path) -> None:
    run(study_file, home, *CONTROLS)
    parts = course(read_study(study_file, CONTROLS).file).phases
    trained = sum(member.epoch for record in records(home) for member in record.members)
    assert sum(part.total_epochs for part in parts[:3]) == trained
    assert [(part.runs, part.controls) for part in parts[:3]] == [(14, 0), (11, 3), (8, 2)]


def test_the_correlation_is_scipys_over_all_trials_with_both_scores(
    study_file: Path, home: Path
) -> None:
    result = run(study_file, home, *CONTROLS)
    curves = [trial.intermediate_values for trial in stored(home).trials]
    assert len(result.fidelity) == 2
    for found, (short, long) in zip(result.fidelity, ((2, 4), (4, 8)), strict=True):
        pairs = [(c[short], c[long]) for c in curves if short in c and long in c]
        assert (found["epochs"], found["then"], found["n"]) == (short, long, len(pairs))
        assert found["rho"] == pytest.approx(spearmanr(*zip(*pairs, strict=True)).statistic)
        assert found["tau"] == pytest.approx(kendalltau(*zip(*pairs, strict=True)).statistic)
        assert found["low"] < found["rho"] < found["high"]
        assert found["promoted"] + found["controls"] + found["new"] == found["n"]
    assert [(f["promoted"], f["controls"], f["new"]) for f in result.fidelity] == [
        (4, 3, 4 + 3),
        (3, 2, 3),
    ]
