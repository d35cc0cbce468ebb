"""The [execution] table of a study file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Self

from pydantic import Field

from hpsearch.addresses import without_password
from hpsearch.errors import HpsearchError, Problem
from hpsearch.execution.cluster import SCHEDULER_RULE, scheduler_address
from hpsearch.studyfile.tables.base import Table

MOST_WORKERS = 1024  # processes of one machine


class Execution(Table):
    """Where and in what portions it runs; may be changed in the middle of a study."""

    workers: int | None = Field(
        default=None,
        ge=0,
        le=MOST_WORKERS,
        description="processes; left out: one a core; 0: in this process",
    )
    executor: str | None = Field(
        default=None,
        description="a Dask cluster's scheduler, e.g. dask://host:8786; left out: this machine",
    )
    slice_seconds: float = Field(
        default=5.0, gt=0, description="seconds between two saved states of a running trial"
    )

    @classmethod
    def own_problems(cls, tables: Mapping[str, Self]) -> Iterator[Problem]:
        for key, execution in tables.items():
            if not execution.executor:
                continue
            try:
                scheduler_address(execution.executor)
            except HpsearchError:
                got = repr(without_password(execution.executor))
                yield Problem(f"{key}.executor", f"must be {SCHEDULER_RULE}", got)

    @classmethod
    def may_change(cls) -> Collection[str]:
        return cls.model_fields
