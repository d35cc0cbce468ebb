"""What follows where a trial does not end well: policies and retries."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.api.verify import verify_study
from hpsearch.errors import StudyFailed
from hpsearch.records.run_folder import RunFolder
from tests.harness.study import run
from tests.harness.study_files import ALONE
from tests.harness.study_mistakes import message

OWN = """
import math, pathlib

def train(params, data, seed, state=None):
    epoch = state or 0
    while True:
        epoch += 1
        if params["x"] == 0.75 and epoch == 2:
            marker = pathlib.Path(__file__).with_name(f"raised-{seed}")
            if params["how"] == "fails" or not marker.exists():
                marker.touch()
                raise OSError("the disk was away")
        yield {"validation_accuracy": math.inf if params["x"] == 0.5 else params["x"]}, epoch
"""
LISTED = "".join(f"[[enqueue]]\nx = {x}\n" for x in (0.25, 0.5, 0.75, 0.375))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trial 1 diverges, and trial 2 fails in epoch 2, once or always."""
    monkeypatch.syspath_prepend(tmp_path)
    module = "fate_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)
    (tmp_path / f"{module}.py").write_text(OWN)
    text = ALONE.replace("TRAINER", f"{module}:train").replace("trials = 2", "trials = 4")
    text = text.replace("x = {", 'how = "fails"\nx = {')
    path = tmp_path / "own.toml"
    path.write_text(text + '[sampler]\nname = "listed"\n' + LISTED)
    return path


@pytest.mark.parametrize(("key", "number"), [("diverged", 1), ("failed", 2)])
def test_a_study_stops_where_it_is_told_to_and_goes_on_where_it_no_longer_is(
    own: Path, home: Path, key: str, number: int
) -> None:
    for _ in range(2):  # the second start finds the trial in the records
        with pytest.raises(StudyFailed) as caught:
            run(own, home, f"outcomes.{key}=stop")
        assert f"outcomes.{key} = 'stop' and trial {number} ended" in str(caught.value)
    assert run(own, home).counts == {"complete": 2, "diverged": 1, "failed": 1}


def test_a_trial_that_raised_once_is_tried_again_from_its_state(own: Path, home: Path) -> None:
    once = ["space.how=once", "outcomes.retries=1", "execution.slice_seconds=1e-6"]
    assert run(own, home, *once).counts == {"complete": 3, "diverged": 1}
    record = RunFolder(home / "studies/own/1").read("trial", 2)
    assert record is not None
    assert [(a["event"], a["epoch"]) for a in record.attempts] == [("raised", 1)] * 3
    log = home / "studies/own/1/trials/00002/log.txt"
    assert log.read_text().count("OSError: the disk was away") == 3
    assert verify_study("own", home=home, trials=4).problems == []


def test_policies_are_checked(own: Path) -> None:
    assert "outcomes.failed: must be one of continue, stop, got 'stpo' (did you mean 'stop'?)" in (
        message(own, "outcomes.failed=stpo")
    )
    assert "outcomes.lost_attempts" in message(own, "outcomes.lost_attempts=1")
    assert "limits.seconds" in message(own, "limits.seconds=0")
