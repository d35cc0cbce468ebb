"""GPUs as slots: which devices each worker process sees, so that no two share one by accident.

    slots_of(find_gpus(), GpuShare(per_gpu=2))      # ("0", "1", "0", "1") of two devices

A worker is given its devices by its environment, before anything is loaded in it, and what it
starts inherits them. The libraries of a trainer number them from 0.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hpsearch.errors import WorkerError
from hpsearch.processes import GPU_SLOT, changed_environment

VISIBLE = "CUDA_VISIBLE_DEVICES"
# AMD's: what HIP lists. Not ROCR_VISIBLE_DEVICES too, of which HIP sees a part: it would choose
# a device of those that are left, by a number that is none of theirs any more.
VISIBLE_TO_HIP = "HIP_VISIBLE_DEVICES"
ROCR = "ROCR_VISIBLE_DEVICES"
MPS = "mps"  # the only device of an Apple computer, which no variable chooses

NVIDIA = Path("/proc/driver/nvidia/gpus")
AMD = Path("/sys/class/kfd/kfd/topology/nodes")
LISTING_SECONDS = 20.0  # for nvidia-smi, which may wake the driver
LISTED = re.compile(r"^GPU (\d+):.*?\(UUID: ([^)]+)\)|^\s+MIG .*\(UUID: ([^)]+)\)", re.MULTILINE)


@dataclass(frozen=True)
class GpuShare:
    """How devices are shared out: several workers a device, or several devices a worker.

    Attributes:
        per_gpu: workers of one device.
        per_trial: devices of one worker.
    """

    per_gpu: int = 1
    per_trial: int = 1


def slots_of(devices: Sequence[str], share: GpuShare) -> tuple[str, ...]:
    """The devices of each worker, joined by commas; the first workers have devices of their own.

    Raises:
        WorkerError: the devices can't be shared out evenly.
    """
    if len(devices) % share.per_trial:
        raise WorkerError(
            f"the number of GPUs must be a multiple of execution.gpus_per_trial = "
            f"{share.per_trial}, got {len(devices)}: {', '.join(devices)}"
        )
    starts = range(0, len(devices), share.per_trial)
    groups = [",".join(devices[start : start + share.per_trial]) for start in starts]
    return tuple(groups * share.per_gpu)


def find_gpus() -> tuple[str, ...]:
    """The devices that this process may use.

    Those of CUDA_VISIBLE_DEVICES, or HIP_VISIBLE_DEVICES, where it is set; else those of this
    machine: NVIDIA's, parts of them (MIG) by their ids, AMD's, or Apple's one.

    Raises:
        WorkerError: there are none.
    """
    for name in (VISIBLE, VISIBLE_TO_HIP):
        named = os.environ.get(name)
        if named is not None:
            found = _named(named)
            where = f"{name} is {named!r}"
            break
    else:
        found = _nvidia() or _amd() or _apple()
        where = "nvidia-smi -L and the drivers list none"
    if not found:
        raise WorkerError(
            f'execution.gpus = "all" must find a GPU, got none: {where}; name the devices, e.g. '
            "execution.gpus = [0], or leave the key out to train without a GPU"
        )
    return found


def _named(text: str) -> tuple[str, ...]:
    """The devices of such a variable; the libraries read none after one that is not there."""
    found: list[str] = []
    for device in (part.strip() for part in text.split(",")):
        if not device or device.startswith("-") or device in found:
            break
        found.append(device)
    return tuple(found)


def _nvidia() -> tuple[str, ...]:
    try:
        listing = subprocess.run(
            ["nvidia-smi", "-L"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LISTING_SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        count = len(list(NVIDIA.glob("*")))
        return tuple(str(number) for number in range(count))
    return listed(listing)


def listed(listing: str) -> tuple[str, ...]:
    """The devices that `nvidia-smi -L` lists: by number; where some are divided, all by id."""
    numbers, ids = list[str](), list[str]()
    whole = ""  # a device of which no part was listed yet
    divided = False
    for number, device, part in LISTED.findall(listing):
        if part:
            ids.append(part)
            whole, divided = "", True
            continue
        numbers.append(number)
        ids += [whole] if whole else []
        whole = device
    ids += [whole] if whole else []
    return tuple(ids if divided else numbers)


def _amd() -> tuple[str, ...]:
    if ROCR in os.environ:  # HIP numbers those from 0
        return tuple(str(number) for number in range(len(_named(os.environ[ROCR]))))
    count = 0
    for path in AMD.glob("*/gpu_id"):
        try:
            count += path.read_text().strip() not in ("", "0")  # 0: a processor
        except OSError:  # another user's
            continue
    return tuple(str(number) for number in range(count))


def _apple() -> tuple[str, ...]:
    return (MPS,) if sys.platform == "darwin" and platform.machine() == "arm64" else ()


def slot_environment(slot: str) -> dict[str, str]:
    """The variables of a process with these devices; "": none, it sees what this one sees."""
    if not slot:
        return {}
    if slot == MPS:
        return {GPU_SLOT: slot}
    variables = {GPU_SLOT: slot, VISIBLE: slot}
    if VISIBLE_TO_HIP in os.environ or ROCR in os.environ or AMD.exists():
        variables[VISIBLE_TO_HIP] = slot
    return variables


@contextmanager
def in_slot(slot: str) -> Iterator[None]:
    """Have this process see these devices in the block, as far as no library has looked before."""
    with changed_environment(slot_environment(slot)):
        yield
