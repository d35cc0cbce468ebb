"""`explain` on small studies."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.api.explain import explain_study
from hpsearch.api.plan import plan_study
from hpsearch.api.verify import verify_study
from hpsearch.errors import StudyFileError
from hpsearch.records.run_folder import RunFolder
from tests.harness.study import run

STUDY = """
name = "fair"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 6
split = { kind = "k-fold", folds = 2 }
[network]
name = "two-layer"
[space]
trainer = "sgd"
learning_rate = { low = 1e-3, high = 0.3, log = true }
hidden = { low = 8, high = 32 }
batch_size = { choices = [5, 12] }
[[stages]]
trials = 8
epochs = 3
[confirmation]
top = 1
seeds = 2
test_seeds = 1
"""


@pytest.fixture
def fair(tmp_path: Path, home: Path) -> Path:
    path = tmp_path / "fair.toml"
    path.write_text(STUDY)
    run(path, home)
    return path


def test_every_step_is_run_on_the_repeats_of_the_confirmation(fair: Path, home: Path) -> None:
    found = explain_study("fair", home=home, workers=0)
    result = run(fair, home)
    folder = RunFolder(home / "studies" / "fair" / "1")
    changed = [name for step in found.steps for name in step.changed]
    assert sorted(changed) == ["batch_size", "hidden", "learning_rate"]
    records = list(folder.read_all("path"))
    assert len(records) == 2 * 2  # configurations between the ends, repeats
    assert found.trainings == 2 * 2 * 2  # and folds
    planned = plan_study(fair, trials=0).explaining
    assert planned is not None
    assert (planned.configurations, planned.trainings) == (2, found.trainings)  # at most
    confirmed = list(folder.read_all("confirmation"))
    for record in records:
        (same,) = (r for r in confirmed if r.seed_number == record.seed_number)
        assert [m.entropy for m in record.members] == [m.entropy for m in same.members]
        assert [m.split for m in record.members] == [m.split for m in same.members]
    assert found.steps[-1].score == result.validation
    assert result.default is not None
    gains = [step.gain.mean for step in found.steps if step.gain]
    assert result.default.gain is not None
    assert sum(gains) == pytest.approx(result.default.gain.mean)
    assert "From the defaults to the winner" in found.page.read_text()
    assert (folder.artifacts / "ablation.csv").exists()
    assert (folder.files.figures / "ablation.png").exists()
    assert list(found.table()["step"]) == [1, 2, 3]
    assert verify_study("fair", home=home, trials=0).problems == []


def test_what_was_run_is_not_run_again(fair: Path, home: Path) -> None:
    few = explain_study("fair", home=home, workers=0, trainings=4)
    assert len(few.steps) == 2
    folder = RunFolder(home / "studies" / "fair" / "1")
    before = [r.to_json() for r in folder.read_all("path")]
    told: list[object] = []
    again = explain_study("fair", home=home, workers=0, on_event=told.append)
    assert len(again.steps) == 3
    assert again.steps[0] == few.steps[0]
    assert [r.to_json() for r in folder.read_all("path")][: len(before)] == before


def test_a_study_without_defaults_is_told_what_to_do(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "fair.toml"
    path.write_text(STUDY + "default = false\n")
    run(path, home)
    with pytest.raises(StudyFileError, match=r"confirmation\.default = false"):
        explain_study("fair", home=home)
    with pytest.raises(StudyFileError, match="must be one of"):
        explain_study("other", home=home)
