"""Limits of a trial: real functions that sleep or allocate, in real worker processes."""

from __future__ import annotations

import os
from pathlib import Path

import optuna
import pytest

from hpsearch import plan_study, reproduce_trial, run_study, verify_study
from hpsearch.errors import StudyFileError, WorkerError
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.history import OUTCOME
from tests.harness.kills import gone
from tests.harness.study import run, stored

# Sleeps or allocates where x is large; what it started is in the file beside it.
GREEDY = """
import os, subprocess, sys, time

def train(params, data, seed, state=None):
    epoch, big = state or 0, params["x"] > 0.5
    while True:
        epoch += 1
        if big and params["how"] == "sleeps":
            time.sleep(600)
        if big and params["how"] == "sleeps later" and epoch > 1:
            time.sleep(600)
        if big and params["how"] == "allocates":
            held = bytearray(600_000_000)
            held[::4096] = bytes(len(held[::4096]))
            time.sleep(600)
        if big and params["how"] == "starts another":
            code = "held = bytearray(600_000_000); held[::4096] = bytes(len(held[::4096]));"
            code += "import time; time.sleep(600)"
            child = subprocess.Popen([sys.executable, "-c", code])
            with open(params["note"], "a") as file:
                file.write(f"{child.pid}\\n")
            time.sleep(600)
        yield {"validation_accuracy": 1 - params["x"] + epoch / 100}, epoch
"""
FILE = """
name = "greedy"
objective = {{ metric = "validation_accuracy", direction = "maximize" }}
[data]
name = "digits"
shots = 4
split = {{ kind = "k-fold", folds = 2 }}
[space]
trainer = "{module}:train"
how = "{how}"
note = "{note}"
x = {{ low = 0.0, high = 1.0 }}
[[enqueue]]
x = 0.25
[[enqueue]]
x = 0.75
[[enqueue]]
x = 0.375
[sampler]
name = "listed"
[[stages]]
trials = 3
epochs = 2
[confirmation]
top = 1
seeds = 2
test_seeds = 1
default = false
[limits]
{limits}
"""


def greedy(folder: Path, how: str, limits: str) -> Path:
    module = "greedy_" + "".join(c if c.isalnum() else "_" for c in folder.name)
    (folder / f"{module}.py").write_text(GREEDY)
    path = folder / "greedy.toml"
    path.write_text(FILE.format(module=module, how=how, limits=limits, note=folder / "note"))
    return path


@pytest.fixture(autouse=True)
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)


def trials(home: Path) -> list[TrialRecord]:
    return list(RunFolder(home / "studies/greedy/1").read_all("trial"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_trial_that_takes_too_long_is_stopped_and_the_others_go_on(
    tmp_path: Path, home: Path, workers: int
) -> None:
    path = greedy(tmp_path, "sleeps", "seconds = 2.0")
    result = run(path, home, workers=workers)
    assert result.counts == {"complete": 2, "failed": 1}
    slow = trials(home)[1]
    assert (slow.outcome, slow.limit) == ("failed", "seconds")
    assert "the trial exceeded limits.seconds = 2: 2." in slow.reason
    assert "raise limits.seconds" in slow.reason
    # Optuna's samplers take it for worse than all others, as ours do.
    (_, told, _) = stored(home, "greedy").trials
    assert told.state == optuna.trial.TrialState.PRUNED
    assert told.user_attrs[OUTCOME] == "infeasible"
    if workers == 1:
        verified = verify_study("greedy", home=home, trials=3)
        assert verified.problems == []
        assert sorted(one.trial for one in verified.again) == [0, 2]
        with pytest.raises(StudyFileError, match=r"limits\.seconds stopped trial 1"):
            reproduce_trial("greedy", 1, home=home)


def test_epochs_before_are_kept_and_counted(tmp_path: Path, home: Path) -> None:
    path = greedy(tmp_path, "sleeps later", "seconds = 2.0")
    run(path, home, "execution.slice_seconds=1e-6", workers=1)
    slow = trials(home)[1]
    assert slow.limit == "seconds"
    assert slow.members[0].epoch == 1


@pytest.mark.parametrize("how", ["allocates", "starts another"])
def test_a_trial_that_takes_too_much_memory_is_stopped(
    tmp_path: Path, home: Path, how: str
) -> None:
    path = greedy(tmp_path, how, "memory_mb = 600")
    result = run(path, home, workers=1)
    assert result.counts == {"complete": 2, "failed": 1}
    large = trials(home)[1]
    assert (large.outcome, large.limit) == ("failed", "memory_mb")
    assert "exceeded limits.memory_mb = 600: " in large.reason
    if how == "starts another":
        pids = [int(line) for line in (tmp_path / "note").read_text().split()]
        assert pids
        assert all(gone(pid) for pid in pids if pid != os.getpid())


def test_a_limit_that_no_trial_can_meet_is_said_at_once(tmp_path: Path, home: Path) -> None:
    path = greedy(tmp_path, "sleeps", "memory_mb = 20")
    with pytest.raises(WorkerError, match=r"limits\.memory_mb must be more than a worker"):
        run(path, home, workers=1)
    # A limit is no part of what the trials were drawn by.
    assert run(path, home, "limits.memory_mb=2000", "limits.seconds=2", workers=1).counts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "got --workers 0, training in this process: take at least one worker"),
        ({"executor": "dask://host:8786"}, r"got a Dask cluster \(tcp://host:8786\)"),
    ],
)
def test_what_can_t_be_stopped_is_refused_before_anything_is_made(
    tmp_path: Path, nowhere: Path, options: dict[str, object], message: str
) -> None:
    path = greedy(tmp_path, "sleeps", "seconds = 2.0")
    with pytest.raises(StudyFileError, match=message) as caught:
        run_study(path, home=nowhere, **options)  # type: ignore[arg-type]
    assert caught.value.exit_code == 2
    assert not nowhere.exists()


def test_a_plan_s_probe_keeps_to_the_limits(tmp_path: Path) -> None:
    path = greedy(tmp_path, "sleeps", "seconds = 2.0")
    narrow = ["space.x={low=0.6, high=1.0}", "enqueue=[{x=0.7},{x=0.8},{x=0.9}]"]
    plan = plan_study(path, overrides=narrow, trials=2)
    assert plan.probe is not None
    assert all("limits.seconds = 2" in cost.failed for cost in plan.probe.costs)
