"""The [limits] table of a study file, and where it can be held."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import Field

from hpsearch.errors import StudyFileError
from hpsearch.execution.limits import Allowance
from hpsearch.studyfile.tables.base import Table


class Limits(Table):
    """Limits for training a trial; exceeding one ends the worker process and fails the trial."""

    seconds: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="wall-clock time for training one trial, summed over its folds, seeds and "
        "stages; its share of the time if several trials train together. Where it stops a trial "
        "depends on the machine and is not reproducible; default: no limit",
    )
    memory_mb: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="megabytes (10^6 bytes) of resident memory of the worker process and the "
        "processes that it starts, including Python and the data set (about 200). Checked ten "
        "times a second; default: no limit",
    )

    @classmethod
    def may_change(cls) -> Collection[str]:
        return cls.model_fields

    def allowance(self) -> Allowance | None:
        """For the dispatcher; None where nothing is limited."""
        if self.seconds is None and self.memory_mb is None:
            return None
        return Allowance(self.seconds, self.memory_mb)


def refuse_unenforced(limits: Limits, workers: int | None, cluster: str) -> None:
    """See that there are worker processes of this machine to stop, if there is a limit.

    Args:
        workers: processes; 0: none but this one; None: as many as there are cores.
        cluster: a Dask scheduler's address; "": none.

    Raises:
        StudyFileError: there are none.
    """
    if limits.allowance() is None or (not cluster and workers != 0):
        return
    got = f"a Dask cluster ({cluster})" if cluster else "--workers 0, training in this process"
    advice = "leave out --executor" if cluster else "take at least one worker"
    raise StudyFileError(
        "[limits] needs worker processes on this machine, because only these can be stopped, got "
        f"{got}: {advice}, or leave out [limits]"
    )
