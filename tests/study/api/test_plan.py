"""What a study file asks for, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import plan_study
from hpsearch.errors import DataError, StudyFileError
from hpsearch.study.plan import course
from hpsearch.study.probe import probe
from hpsearch.studyfile.reading import read_study
from tests.harness.study import records, run
from tests.harness.study_files import ALONE


def test_the_counts_are_those_of_the_study(study_file: Path, home: Path) -> None:
    # Small enough rates that no trial diverges.
    options = ["space.learning_rate.high=0.1"]
    run(study_file, home, *options)
    plan = plan_study(study_file, overrides=options, trials=0)
    trained = sum(m.epoch for r in records(home) for m in r.members)
    stages = plan.table()[plan.table()["phase"].str.startswith("stage")]
    assert stages["total_epochs"].sum() == trained
    assert stages["new"].sum() == len(records(home))
    assert [phase.promoted for phase in plan.phases] == [0, 4, 3, 0, 0]
    again = plan.phases[3]
    assert (again.runs, again.epochs, again.members) == (2 * 3, 8, 3)
    assert (plan.phases[4].runs, plan.phases[4].members) == (2, 1)
    assert plan.seconds is None


def test_the_first_epoch_of_what_is_fitted_whole_is_not_multiplied(study_file: Path) -> None:
    path = study_file.with_name("svc.toml")
    text = ALONE.replace("TRAINER", "sklearn.svm.SVC").replace("x = {", "C = {")
    path.write_text(text.replace("low = 0.0", "low = 0.1").replace("epochs = 2", "epochs = 50"))
    text = path.read_text().replace("shots = 6", "shots = 100")
    path.write_text(text)
    found = probe(read_study(path), trials=3, seconds=5.0)
    assert sum(cost.later for cost in found.costs) < sum(cost.first for cost in found.costs) / 2


def test_trials_that_fail_in_the_probe_are_told(tmp_path: Path) -> None:
    (tmp_path / "broken_trainer.py").write_text(
        "def train(params, data, seed):\n    raise OSError('no luck')\n    yield {}\n"
    )
    path = tmp_path / "own.toml"
    path.write_text(ALONE.replace("TRAINER", "broken_trainer:train"))
    plan = plan_study(path, trials=2)
    assert plan.probe is not None
    assert all("no luck" in cost.failed for cost in plan.probe.costs)


def test_a_wrong_file_and_too_little_data_are_said(study_file: Path) -> None:
    with pytest.raises(StudyFileError):
        plan_study(study_file, overrides=["seed=-1"])
    with pytest.raises(DataError):
        plan_study(study_file, overrides=["data.shots=5000"])


def test_promoted_are_no_more_than_there_are(study_file: Path) -> None:
    read = read_study(study_file, ["stages=[{trials=2, epochs=1}, {trials=3, epochs=2}]"])
    assert [(p.promoted, p.new) for p in course(read.file).phases[:2]] == [(0, 2), (2, 1)]
