"""Which devices each worker is given, by made-up lists of devices."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpsearch.errors import StudyFileError, WorkerError
from hpsearch.execution import gpus
from hpsearch.execution.gpus import (
    GpuShare,
    find_gpus,
    in_slot,
    listed,
    slot_environment,
    slots_of,
)
from hpsearch.studyfile.tables.execution import Execution, gpu_slots, slots_here

NAMES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HPSEARCH_GPU")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any device, and the folder where its drivers would tell of some."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gpus, "NVIDIA", tmp_path / "nvidia")
    monkeypatch.setattr(gpus, "AMD", tmp_path / "amd")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvidia-smi
    return tmp_path


@pytest.mark.parametrize(
    ("devices", "share", "slots"),
    [
        (["0", "1"], GpuShare(), ("0", "1")),
        (["0", "1"], GpuShare(per_gpu=2), ("0", "1", "0", "1")),  # two workers do not share
        (["0", "1", "5", "6"], GpuShare(per_trial=2), ("0,1", "5,6")),
        (["GPU-1b", "MIG-3"], GpuShare(), ("GPU-1b", "MIG-3")),
    ],
)
def test_devices_are_shared_out(
    devices: list[str], share: GpuShare, slots: tuple[str, ...]
) -> None:
    assert slots_of(devices, share) == slots


def test_devices_that_do_not_make_up_whole_slots_are_refused() -> None:
    with pytest.raises(WorkerError, match=r"multiple of execution.gpus_per_trial = 2, got 3: 0"):
        slots_of(["0", "1", "2"], GpuShare(per_trial=2))


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("CUDA_VISIBLE_DEVICES", "4,5", ("4", "5")),
        ("CUDA_VISIBLE_DEVICES", "GPU-1b, 2,-1,3", ("GPU-1b", "2")),  # as CUDA reads it
        ("HIP_VISIBLE_DEVICES", "1", ("1",)),
        ("ROCR_VISIBLE_DEVICES", "6,7", ("0", "1")),  # as HIP numbers them
    ],
)
def test_all_are_those_that_this_process_sees(
    name: str, value: str, found: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert find_gpus() == found


@pytest.mark.parametrize("value", ["", "-1", "NoDevFiles"])
def test_no_device_is_an_error_in_one_line(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if value != "NoDevFiles":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    with pytest.raises(WorkerError, match="must find a GPU, got none") as error:
        find_gpus()
    assert "\n" not in str(error.value)
    assert slots_here(Execution(gpus="all")) == ()


def test_drivers_tell_of_devices(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for node, number in (("0", "0"), ("1", "51234"), ("2", "51235")):  # the first: a processor
        (bare / "amd" / node).mkdir(parents=True)
        (bare / "amd" / node / "gpu_id").write_text(f"{number}\n")
    assert find_gpus() == ("0", "1")
    for address in ("0000:01:00.0", "0000:41:00.0", "0000:81:00.0"):
        (bare / "nvidia" / address).mkdir(parents=True)
    assert find_gpus() == ("0", "1", "2")
    assert slot_environment("1") == dict.fromkeys((NAMES[0], NAMES[1], NAMES[3]), "1")


def test_a_machine_of_apple_has_one_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert find_gpus() == ("mps",)
    assert slot_environment("mps") == {"HPSEARCH_GPU": "mps"}


def test_a_listing_gives_numbers_and_where_devices_are_divided_ids() -> None:
    plain = "GPU 0: NVIDIA H200 (UUID: GPU-a)\nGPU 1: NVIDIA H200 (UUID: GPU-b)\n"
    assert listed(plain) == ("0", "1")
    parts = (
        "  MIG 1g.18gb     Device  0: (UUID: MIG-c)\n  MIG 1g.18gb     Device  1: (UUID: MIG-d)\n"
    )
    first, second = plain.splitlines(keepends=True)
    assert listed(first + parts + second) == ("MIG-c", "MIG-d", "GPU-b")
    assert listed(first + second + parts) == ("GPU-a", "MIG-c", "MIG-d")
    assert listed("No devices found.\n") == ()


def test_a_slot_is_seen_in_its_block_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with in_slot("1"):
        assert {name: os.environ.get(name) for name in NAMES} == {
            "CUDA_VISIBLE_DEVICES": "1",
            "HIP_VISIBLE_DEVICES": None,
            "ROCR_VISIBLE_DEVICES": None,
            "HPSEARCH_GPU": "1",
        }
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert "HPSEARCH_GPU" not in os.environ
    with in_slot(""):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_there_are_no_more_workers_than_slots() -> None:
    execution = Execution(gpus=[0, 1], per_gpu=2)
    assert gpu_slots(execution, 4, "") == ("0", "1", "0", "1")
    assert gpu_slots(Execution(), 64, "") == ()
    with pytest.raises(StudyFileError, match=r"at most 4, .* devices for \(0, 1\), got 5"):
        gpu_slots(execution, 5, "")
    with pytest.raises(StudyFileError, match="set CUDA_VISIBLE_DEVICES where the Dask workers"):
        gpu_slots(execution, None, "tcp://host:8786")
