"""User code that ends its process, leaves things running, or is deaf to signals."""

from __future__ import annotations

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
