"""GPUs as slots of real worker processes; the devices are made up."""

from __future__ import annotations

import itertools
import os
import signal
from collections import defaultdict
from pathlib import Path

import pytest

from hpsearch import run_study
from hpsearch.errors import StudyFileError, WorkerError
from hpsearch.execution.base import WorkerLost
from hpsearch.execution.executors import ProcessExecutor
from hpsearch.execution.gpus import find_gpus
from hpsearch.execution.making import make_executor
from tests.harness.gpus import devices
from tests.harness.study import records
from tests.harness.study_files import ALONE


def test_each_worker_has_its_devices_and_who_replaces_it_the_same() -> None:
    with ProcessExecutor(2, ("0", "2,3")) as pool:
        for _ in range(2):
            calls = [pool.submit(devices, 0.3) for _ in range(4)]
            assert {call.result() for call in calls} == {"0", "2,3"}
            with pytest.raises(WorkerLost):
                pool.submit(signal.raise_signal, signal.SIGKILL).result()
        apart = pool.submit_with(os.getpid, apart=True).result()
        assert apart not in {pool.submit(os.getpid).result() for _ in range(2)}
        assert pool.submit_with(devices, apart=True).result() in ("0", "2,3")


def test_without_workers_this_process_has_the_devices_of_the_first() -> None:
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    assert make_executor(0, slots=("5", "6")).submit(devices).result() == "5"
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == before


# It notes when it has which device; its metric is the device.
OWN = """
import os, pathlib, time, uuid

def train(params, data, seed):
    device = os.environ["CUDA_VISIBLE_DEVICES"]
    folder = pathlib.Path(__file__).parent
    began = time.time()
    (folder / f"first-{device}").touch()
    while len(list(folder.glob("first-*"))) < 2 and time.time() < began + 60:
        time.sleep(0.05)  # until the other worker is there too
    time.sleep(0.2)
    note = folder / f"note-{uuid.uuid4().hex}"
    note.write_text(f"{device} {began} {time.time()}")
    while True:
        yield {"validation_accuracy": float(device)}
"""


@pytest.fixture
def own_study(tmp_path: Path) -> Path:
    """Four trials in two batches, and little beside them."""
    (tmp_path / "own_gpu.py").write_text(OWN)
    text = ALONE.replace("TRAINER", "own_gpu:train").replace("test_seeds = 2", "test_seeds = 1")
    text = text.replace('{ kind = "k-fold", folds = 3 }', '{ kind = "hold-out" }')
    path = tmp_path / "own.toml"
    path.write_text(text.replace("trials = 2", "trials = 6"))
    return path


def test_no_two_trials_have_one_device_at_a_time(own_study: Path, home: Path) -> None:
    run_study(own_study, home=home, overrides=["execution.gpus=[3, 7]"])
    spans = defaultdict(list)
    for note in own_study.parent.glob("note-*"):
        device, *times = note.read_text().split()
        spans[device].append(tuple(map(float, times)))
    assert set(spans) == {"3", "7"}
    for of_one in spans.values():
        for (_, ended), (began, _) in itertools.pairwise(sorted(of_one)):
            assert ended <= began
    members = [record.members[0] for record in records(home, "own")]
    scores = {member.history["validation_accuracy"][0] for member in members}
    assert scores == {3.0, 7.0}


def test_what_cannot_be_had_is_refused_before_anything_is_made(
    own_study: Path, nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StudyFileError, match=r"at most 2, .* \(3, 7\), got 3"):
        run_study(own_study, home=nowhere, overrides=["execution.gpus=[3, 7]"], workers=3)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(WorkerError, match="must find a GPU, got none: CUDA_VISIBLE_DEVICES is ''"):
        run_study(own_study, home=nowhere, overrides=["execution.gpus='all'"])
    assert not nowhere.exists()


def test_the_driver_is_asked_which_devices_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    listing = tmp_path / "nvidia-smi"
    listing.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-a)'\necho 'GPU 1: A (UUID: GPU-b)'\n")
    listing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert find_gpus() == ("0", "1")
    monkeypatch.setattr("hpsearch.execution.gpus.NVIDIA", tmp_path / "none")
    monkeypatch.setattr("hpsearch.execution.gpus.AMD", tmp_path / "none")
    monkeypatch.setattr("hpsearch.execution.gpus.LISTING_SECONDS", 0.5)
    listing.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(WorkerError, match="got none"):
        find_gpus()
