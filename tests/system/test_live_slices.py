"""Functions that can't be paused, in real worker processes: what is written while they run."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hpsearch.errors import StudyStopped
from hpsearch.processes import children
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.study import records, run, table
from tests.harness.study_files import ALONE

EPOCHS = 5
SECONDS = 0.2  # of an epoch
# A score that depends on all epochs before it; each may take its time.
SLOW = """
import os, random, time

def train(params, data, seed):
    rng = random.Random(seed)
    score = params["x"]
    while True:
        time.sleep(float(os.environ.get("EPOCH_SECONDS", 0)))
        score += rng.random()
        print("score", score)
        yield {"validation_accuracy": score}
"""
LIVE = "execution.slice_seconds=0.3"


@pytest.fixture
def slow_study(tmp_path: Path) -> Path:
    """Two trials of one member, and little beside them."""
    (tmp_path / "own_slow.py").write_text(SLOW)
    text = ALONE.replace("TRAINER", "own_slow:train").replace("test_seeds = 2", "test_seeds = 1")
    text = text.replace('{ kind = "k-fold", folds = 3 }', '{ kind = "hold-out" }')
    path = tmp_path / "own.toml"
    path.write_text(text.replace("epochs = 2", f"epochs = {EPOCHS}"))
    return path


@contextmanager
def watched(home: Path, act: Callable[[int, int], None]) -> Iterator[None]:
    """Slow epochs; `act` is called with a trial's number and epoch each time its members grow."""
    over, seen = threading.Event(), dict[str, int]()

    def look() -> None:
        while not over.wait(0.05):
            for path in home.glob("studies/own/1/trials/**/record.json"):
                record = json.loads(path.read_text())
                epoch = min(member["epoch"] for member in record["members"])
                if epoch != seen.get(str(path), 0):
                    seen[str(path)] = epoch
                    act(record["number"], epoch)

    watcher = threading.Thread(target=look)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EPOCH_SECONDS", str(SECONDS))
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def test_the_record_of_a_function_without_a_state_grows_while_it_runs(
    slow_study: Path, tmp_path: Path
) -> None:
    home, grown = tmp_path / "home", list[tuple[int, int]]()
    with watched(home, lambda *place: grown.append(place)):
        run(slow_study, home, LIVE, workers=1)
    for number in range(2):
        epochs = [epoch for trial, epoch in grown if trial == number]
        assert epochs == sorted(epochs)
        assert epochs[-1] == EPOCHS
        assert len(epochs) >= 3
    run(slow_study, tmp_path / "whole", workers=0)
    assert table(home, "own") == table(tmp_path / "whole", "own")
    folder = RunFolder(home / "studies" / "own" / "1")
    lines = [json.loads(line) for line in folder.files.slices.read_text().splitlines()]
    trials = [line for line in lines if line["kind"] == "trial"]
    assert [line["trials"] for line in trials] == [[0], [1]]  # a line a slice
    for line, record in zip(trials, records(home, "own"), strict=True):
        assert line["seconds"] == pytest.approx(record.wall_seconds, abs=0.01)
        assert record.wall_seconds > EPOCHS * SECONDS
        assert [member.pauses for member in record.members] == [[]]
        log = folder.files.record("trial", record.number).log.read_text()
        assert log.count("score") == EPOCHS


# Three epochs at once, then one that takes long, until the file `seen` is there.
UNEVEN = """
import os, pathlib, time

folder = pathlib.Path(__file__).parent

def train(params, data, seed):
    for epoch in range(1, 6):
        if epoch == 4:
            (folder / f"third-{time.time()}").touch()
            until = time.time() + float(os.environ.get("EPOCH_SECONDS", 0)) * 40
            while time.time() < until and not (folder / "seen").exists():
                time.sleep(0.05)
        yield {"validation_accuracy": epoch}
"""


def test_epochs_are_written_though_the_next_one_takes_long(
    slow_study: Path, tmp_path: Path
) -> None:
    (tmp_path / "own_slow.py").write_text(UNEVEN)
    two_members = '{ kind = "k-fold", folds = 2 }'
    text = slow_study.read_text().replace('{ kind = "hold-out" }', two_members)
    slow_study.write_text(text.replace("trials = 2", "trials = 1"))
    waited: list[float] = []

    def look(number: int, epoch: int) -> None:
        if epoch == 3:
            ends = [float(path.name.partition("-")[2]) for path in tmp_path.glob("third-*")]
            waited.append(time.time() - max(ends))
            (tmp_path / "seen").touch()

    with watched(tmp_path / "home", look):
        run(slow_study, tmp_path / "home", "execution.slice_seconds=2.0", workers=2)
    (seconds,) = waited
    assert seconds < 5.0  # told after one at most, written after one more


def test_a_worker_that_is_killed_in_the_middle_changes_nothing(
    slow_study: Path, tmp_path: Path
) -> None:
    home, killed = tmp_path / "home", list[int]()

    def kill_once(number: int, epoch: int) -> None:
        if number == 0 and 2 <= epoch < EPOCHS and not killed:
            killed.append(epoch)
            for process in children():
                os.kill(process, signal.SIGKILL)

    with watched(home, kill_once):
        run(slow_study, home, LIVE, workers=1)
    (first, second) = records(home, "own")
    (pauses,) = [member.pauses for member in first.members]
    assert pauses is not None
    assert [attempt["epoch"] for attempt in first.attempts] == pauses  # it went on from there
    assert pauses[0] >= killed[0] >= 2
    assert [member.pauses for member in second.members] == [[]]
    run(slow_study, tmp_path / "whole", workers=0)
    assert table(home, "own") == table(tmp_path / "whole", "own")


def test_a_study_that_is_stopped_in_the_middle_goes_on_from_what_was_written(
    slow_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpsearch.execution.dispatch.LANDING_SECONDS", 0.01)
    home, reached = Home(tmp_path / "home"), list[int]()
    home.create()
    read = read_study(slow_study, [LIVE])
    opened = open_run(read, home, fresh=False)
    with (
        watched(home.path, lambda number, epoch: reached.append(epoch)),
        pytest.raises(StudyStopped),
    ):
        Study(read, opened, home.storage_url, 1, stop=lambda: bool(reached)).execute()
    opened.close()
    (record,) = (r for r in records(home.path, "own") if r.members[0].epoch)
    assert 0 < record.members[0].epoch < EPOCHS
    run(slow_study, home.path, workers=1)
    run(slow_study, tmp_path / "whole", workers=0)
    assert table(home.path, "own") == table(tmp_path / "whole", "own")
