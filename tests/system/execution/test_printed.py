"""What a trainer prints is kept in its trial's log."""

from __future__ import annotations

from pathlib import Path

from hpsearch import run_study
from hpsearch.records.run_folder import RunFolder
from tests.harness.stores import new_home

CHATTY = """\
import os
import sys


def train(params, data, seed):
    assert os.getcwd() != "/"
    os.chdir("/")
    sys.stdout.buffer.write(b"bytes\\n")
    print(f"seen {data.n_classes} classes")
    for epoch in range(10):
        print("epoch", epoch, file=sys.stderr)
        if params["limit"] == epoch:
            raise ValueError("that was the limit")
        yield {"validation_accuracy": 0.5}
"""

STUDY = """\
name = "chatty"
objective = { metric = "validation_accuracy", direction = "maximize" }
data = { name = "digits", shots = 4 }
space = { trainer = "chatty:train", limit = { choices = [1, 20] } }
stages = [{ trials = 2, epochs = 3 }]
sampler = { name = "grid" }
confirmation = { top = 1, seeds = 2, test_seeds = 1, default = false }
"""


def test_a_function_s_prints_and_exception_are_the_trial_s_log(tmp_path: Path) -> None:
    (tmp_path / "chatty.py").write_text(CHATTY)
    (tmp_path / "chatty.toml").write_text(STUDY)
    run_study(tmp_path / "chatty.toml", home=new_home(tmp_path / "home"), workers=0)
    folder = RunFolder(tmp_path / "home/studies/chatty/1")
    failed, whole = folder.read_all("trial")
    assert (failed.outcome, whole.outcome) == ("failed", "complete")
    assert failed.files == whole.files == ["log.txt"]
    logs = [folder.files.record("trial", n).log.read_text() for n in range(2)]
    assert all("bytes\nseen 10 classes\nepoch 0\nepoch 1\n" in log for log in logs)
    assert "ValueError: that was the limit" in logs[0]
    assert "Traceback" not in logs[1]
