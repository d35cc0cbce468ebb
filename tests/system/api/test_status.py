"""How far studies are that other processes run, or ran until they were killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpsearch import run_study, study_status
from hpsearch.errors import StudyFailed
from hpsearch.processes import alive, birth
from tests.harness.study_files import SMALL


@pytest.mark.usefixtures("without_mlflow")
def test_a_study_is_running_until_it_is_killed(study_file: Path, home: Path) -> None:
    command = [sys.executable, "-m", "hpsearch", "study", str(study_file), "--home", str(home)]
    command += ["--set", "stages.2.epochs=100000", "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not list(home.glob("studies/small/1/stages/1.json")):
            time.sleep(0.05)
        (row,) = study_status("small", home=home).to_dict("records")
        assert row["state"] == "running"
        assert f"process {process.pid} on {socket.gethostname()}" in row["holder"]
        assert row["stage"] == 3
        assert row["best_epochs"] == 4
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (row,) = study_status("small/1", home=home).to_dict("records")
    assert (row["state"], row["holder"]) == ("interrupted", "")


def test_a_number_that_another_process_had_before_is_not_alive() -> None:
    mine = birth(os.getpid())
    assert alive(os.getpid(), mine)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    born = birth(ended.pid)
    ended.wait()
    assert not alive(ended.pid, born)
    if Path("/proc/self/stat").exists():
        assert born != mine
        assert not alive(os.getpid(), born)
    assert alive(os.getpid(), "")  # of a system that does not tell


@pytest.mark.usefixtures("without_mlflow")
def test_a_study_that_failed_says_why_until_it_is_started_again(
    tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "bad.toml"
    head, _, rest = SMALL.partition("[network]")
    stages = rest.partition("[[stages]]")[2]
    space = '[space]\ntrainer = "bad_trainer:train"\nx = { low = 0.0, high = 1.0 }\n'
    path.write_text(f"{head}{space}[[stages]]{stages}")
    code = tmp_path / "bad_trainer.py"
    code.write_text("def train(params, data, seed):\n    raise OSError('no luck')\n    yield {}\n")
    with pytest.raises(StudyFailed):
        run_study(path, home=home, workers=0)
    (row,) = study_status(home=home).to_dict("records")
    assert row["state"] == "failed"
    assert "no luck" in row["reason"]
    assert row["failed"] == 10  # budget.failures


def test_a_finished_study(finished: Path) -> None:
    (row,) = study_status(home=finished).to_dict("records")
    assert (row["study"], row["run"], row["state"], row["holder"]) == ("small", 1, "finished", "")
    assert (row["stage"], row["stages"], row["trials"], row["planned"]) == (3, 3, 21, 21)
    assert row["complete"] + row["pruned"] + row["diverged"] == 21
    result = json.loads((finished / "studies/small/1/artifacts/result.json").read_text())
    best = max(top["score"] for top in result["result"]["top"] if top["epochs"] == 8)
    assert (row["best"], row["best_epochs"]) == (best, 8)
