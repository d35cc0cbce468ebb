"""User code that ends its process, leaves things running, or is deaf to signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hpsearch import run_study
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from tests.harness.kills import gone

CODE = """
import os, signal, sys, threading, time

def train(params, data, seed):
    how = params["how"]
    if how == "exits":
        sys.exit(3)
    if how == "exits at once":
        os._exit(3)
    if how == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "leaves a thread":
        threading.Thread(target=time.sleep, args=(600,)).start()
    if how == "forks":
        if os.fork() == 0:
            with open(params["note"], "w") as file:
                file.write(str(os.getpid()))
            time.sleep(600)
            os._exit(0)
    if how == "is deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield {"validation_accuracy": 0.5}
"""
FILE = """
name = "endings"
objective = {{ metric = "validation_accuracy", direction = "maximize" }}
[data]
name = "digits"
shots = 4
[space]
trainer = "endings_code:train"
note = "{note}"
how = {{ choices = {ways} }}
[sampler]
name = "grid"
[[stages]]
trials = {n}
epochs = 1
[confirmation]
top = 1
seeds = 2
test_seeds = 1
"""
FAIL = ["exits", "exits at once", "crashes"]
GO_ON = ["leaves a thread", "forks", "is deaf", "does nothing"]


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.timeout(180)
def test_each_costs_its_own_trial_at_most(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "endings_code.py").write_text(CODE)
    path, note, ways = tmp_path / "endings.toml", tmp_path / "forked", FAIL + GO_ON
    quoted = "[" + ", ".join(f'"{way}"' for way in ways) + "]"
    path.write_text(FILE.format(note=note, ways=quoted, n=len(ways)))
    run_study(path, home=home, workers=2)
    records = list(RunFolder(home / "studies/endings/1").read_all("trial"))
    outcomes = {record.params["how"]: record.outcome for record in records}
    assert outcomes == {
        **dict.fromkeys(FAIL, Outcome.FAILED),
        **dict.fromkeys(GO_ON, Outcome.COMPLETE),
    }
    reasons = {record.params["how"]: record.reason for record in records}
    assert "SystemExit: 3" in reasons["exits"]
    assert all(reasons[way] for way in FAIL)
    assert gone(int(note.read_text()))  # what it forked ended with the study


CHANGES = """
import faulthandler, os, signal, sys

def train(params, data, seed):
    faulthandler.enable(file=sys.stderr)
    sys.stdout.buffer.write(b"as bytes\\n")
    print("caf\\udce9.txt", file=sys.stderr)  # a file's name that is no UTF-8
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.environ["MINE"] = os.environ.get("MINE", "") + "x"
    os.environ.pop("THEIRS", None)
    yield {"validation_accuracy": 1 / len(os.environ["MINE"])}
"""
CALLS = """
import mlflow

def train(params, data, seed):
    mlflow.log_metric("mine", 1.0)
    mlflow.log_text("some words", "words.txt")
    yield {"validation_accuracy": 0.5}
"""


SHELL = {  # which is set up for runs of another project
    "MLFLOW_EXPERIMENT_NAME": "of the shell",
    "MLFLOW_RUN_ID": "0123456789abcdef0123456789abcdef",
    "MLFLOW_EXPERIMENT_ID": "17",
}


def written(folder: Path, module: str, code: str) -> Path:
    (folder / f"{module}.py").write_text(code)
    text = FILE.format(note="", ways='["a", "b", "c"]', n=3)
    (folder / "endings.toml").write_text(text.replace("endings_code", module))
    return folder / "endings.toml"


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.parametrize("workers", [0, 1])
def test_each_trial_finds_the_surroundings_of_the_first(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("THEIRS", "1")
    path = written(tmp_path, f"changes_much_{workers}", CHANGES)
    answers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    report = run_study(path, home=home, workers=workers)
    assert os.environ["THEIRS"] == "1"
    assert "MINE" not in os.environ
    assert answers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    folder = RunFolder(home / "studies/endings/1")
    records = list(folder.read_all("trial"))
    assert [record.scores[1] for record in records] == [1.0] * 3
    for record in records:
        log = folder.files.record("trial", record.number).log.read_text()
        assert "as bytes" in log
        assert "caf\\udce9.txt" in log
    assert report.code_warnings == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", ""])
def test_no_call_of_mlflow_reaches_the_shell_s_store(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = written(tmp_path, "calls_mlflow_plainly", CALLS)
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    environment = os.environ | SHELL | ({"MLFLOW_TRACKING_URI": address} if address else {})
    done = subprocess.run(
        [*command, "--workers", "2"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "must train in the final test" not in done.stdout + done.stderr
    assert list((tmp_path / "here").iterdir()) == []
    files = RunFolder(home / "studies/endings/1").files
    for number in range(3):  # files too, which MLflow would put into the current folder
        member = files.record("trial", number).member(0)
        assert (member / "mlflow.db").is_file()
        assert len([*member.glob("mlflow-artifacts/*/*/artifacts/words.txt")]) == 1
