"""The studies of programs that come along, with a tiny budget."""

from __future__ import annotations

import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from hpsearch import best_configuration, run_study
from tests.harness.study_files import REPOSITORY

pytestmark = pytest.mark.usefixtures("without_mlflow")
FEW = ("confirmation.top=1", "confirmation.seeds=2", "confirmation.test_seeds=1")


def test_a_python_script_is_searched_tested_and_run_by_hand(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = REPOSITORY / "studies" / "program.toml"
    few = [*FEW, "stages.0.trials=3", "stages.1.trials=2", "stages.1.epochs=3"]
    report = run_study(path, overrides=few, home=home, workers=2)
    assert report.repeats == ["program repeats to the last digit (one trial was run twice)"]
    assert report.result.test_score is not None
    assert 0.7 < report.result.test_score.mean <= 1
    monkeypatch.chdir(tmp_path)
    line = best_configuration("program", form="command", home=home)
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    number = report.result.best_number
    (top,) = (entry for entry in report.result.top if entry["number"] == number)
    last = done.stdout.splitlines()[-1]
    assert f'"epoch": {top["epochs"]}' in last


def test_the_lowest_point_of_a_shell_script_is_found(home: Path) -> None:
    path = REPOSITORY / "studies" / "program_shell.toml"
    report = run_study(path, overrides=["stages.0.trials=16"], home=home, workers=2)
    best = report.result
    assert best.validation.mean < 5  # the mean of the box is 100
    x, y = best.best_params["x"], best.best_params["y"]
    assert best.validation.mean == pytest.approx((1 - x) ** 2 + 10 * (y - x**2) ** 2)
    assert best.untested


def test_a_pytorch_script_trains_no_epoch_twice(home: Path) -> None:
    if find_spec("torch") is None:
        pytest.skip("PyTorch is not here (pip install torch): its study was not run")
    path = REPOSITORY / "studies" / "program_torch.toml"
    few = [*FEW, "stages.0.trials=3", "stages.1.trials=2", "stages.2.trials=1"]
    few += ["stages.0.epochs=1", "stages.1.epochs=2", "stages.2.epochs=3"]
    report = run_study(path, overrides=few, home=home, workers=2)
    assert report.result.test_score is not None
    folder = Path(report.result.folder).parent
    for log in folder.glob("trials/*/log.txt"):
        epochs = [line for line in log.read_text().splitlines() if line.startswith('{"epoch"')]
        assert len(set(epochs)) == len(epochs)
