"""The [execution] table of a study file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from hpsearch.addresses import without_password
from hpsearch.errors import HpsearchError, Problem, StudyFileError
from hpsearch.execution.cluster import SCHEDULER_RULE, scheduler_address
from hpsearch.execution.gpus import GpuShare, find_gpus, slots_of
from hpsearch.studyfile.tables.base import Table

MOST_WORKERS = 1024  # processes of one machine
ON_DASK = "set CUDA_VISIBLE_DEVICES where the Dask workers start"
DEVICE = re.compile(r"\d+|[A-Za-z][\w.:/-]*")  # a number, or an id such as GPU-… and MIG-…


class Execution(Table):
    """Where the study runs; these keys may change while it is unfinished."""

    workers: int | None = Field(
        default=None,
        ge=0,
        le=MOST_WORKERS,
        description="number of worker processes; 0: train in this process; default: one per core",
    )
    executor: str | None = Field(
        default=None,
        description="the scheduler of a Dask cluster, e.g. dask://host:8786; default: this "
        "machine",
    )
    slice_seconds: float = Field(
        default=5.0, gt=0, description="seconds between two saved states of a running trial"
    )
    gpus: Literal["all"] | list[int | str] | None = Field(
        default=None,
        description='GPUs to distribute among the workers: "all" that this process sees, or their '
        "numbers or ids, e.g. [0, 1]; the default number of workers is then one per device; "
        "default: every worker sees all",
    )
    per_gpu: int = Field(
        default=1, ge=1, le=MOST_WORKERS, description="number of workers that share a device"
    )
    gpus_per_trial: int = Field(
        default=1, ge=1, le=MOST_WORKERS, description="number of devices for each worker"
    )

    @field_validator("gpus", mode="before")
    @classmethod
    def _known_devices(cls, value: Any) -> Any:
        if value is None or value == "all":
            return value
        fit = isinstance(value, list) and value and all(map(_is_device, value))
        if not fit or len({str(device).strip() for device in value}) < len(value):
            raise ValueError(
                'must be "all" or a list of devices, each once, by number or id, such as [0, 1]'
            )
        return value

    @property
    def share(self) -> GpuShare:
        """How devices are shared out among workers."""
        return GpuShare(self.per_gpu, self.gpus_per_trial)

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        for key, execution in tables.items():
            yield from execution._problems_of_gpus(key)
            if not execution.executor:
                continue
            try:
                scheduler_address(execution.executor)
            except HpsearchError:
                got = repr(without_password(execution.executor))
                yield Problem(f"{key}.executor", f"must be {SCHEDULER_RULE}", got)

    def _problems_of_gpus(self, key: str) -> Iterator[Problem]:
        shared = [name for name in ("per_gpu", "gpus_per_trial") if getattr(self, name) > 1]
        if self.gpus is None:
            for name in shared:
                rule = f"must be left out without {key}.gpus"
                yield Problem(f"{key}.{name}", rule, str(getattr(self, name)))
            return
        if len(shared) == 2:
            rule = f"must be 1 where {key}.gpus_per_trial is {self.gpus_per_trial}"
            yield Problem(f"{key}.per_gpu", rule, str(self.per_gpu))
            return
        if self.executor:
            rule = f"must be left out with {key}.executor"
            yield Problem(f"{key}.gpus", rule, repr(self.gpus), hint=ON_DASK)
        if self.gpus == "all":
            return
        if len(self.gpus) % self.gpus_per_trial:
            rule = f"must name a multiple of {key}.gpus_per_trial = {self.gpus_per_trial} devices"
            yield Problem(f"{key}.gpus", rule, repr(self.gpus))
            return
        slots = slots_of(list(map(str, self.gpus)), self.share)
        if self.workers is not None and self.workers > len(slots):
            rule = f"must be at most {len(slots)}, the workers that {key}.gpus has devices for"
            yield Problem(f"{key}.workers", rule, str(self.workers))

    @classmethod
    def may_change(cls) -> Collection[str]:
        return cls.model_fields


def _is_device(value: object) -> bool:
    known = isinstance(value, int | str) and not isinstance(value, bool)
    return known and DEVICE.fullmatch(str(value)) is not None


def gpu_slots(execution: Execution, workers: int | None, cluster: str) -> tuple[str, ...]:
    """The devices of each worker that there may be; () where all see what this process sees.

    Args:
        workers: as the user says, beside the file; None: as many as there are slots.
        cluster: a Dask scheduler's address; "": none.

    Raises:
        StudyFileError: a cluster is to have them, or more workers than there are slots.
        WorkerError: there is no device, or they can't be shared out evenly.
    """
    if execution.gpus is None:
        return ()
    if cluster:
        raise StudyFileError(
            f"execution.gpus must be left out with a Dask cluster, got {execution.gpus!r} and "
            f"{cluster}: {ON_DASK}"
        )
    named = find_gpus() if execution.gpus == "all" else tuple(map(str, execution.gpus))
    slots = slots_of(named, execution.share)
    if workers is not None and workers > len(slots):
        devices = ", ".join(named)
        raise StudyFileError(
            f"workers must be at most {len(slots)}, as many as execution.gpus has devices for "
            f"({devices}), got {workers}: take fewer, leave them out, or raise execution.per_gpu"
        )
    return slots


def slots_here(execution: Execution) -> tuple[str, ...]:
    """The same for what is no search, such as a probe: () where there are none."""
    with suppress(HpsearchError):
        return gpu_slots(execution, None, "")
    return ()
