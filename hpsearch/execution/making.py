"""The executor that a study asks for: this process, worker processes, or a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from hpsearch.execution.base import SliceExecutor
from hpsearch.execution.executors import InlineExecutor, ProcessExecutor, available_cores


def make_executor(
    workers: int | None, cluster: str = "", slots: Sequence[str] = ()
) -> SliceExecutor:
    """A Dask cluster by its address, else a pool of `workers` processes, or, for 0, this process.

    Args:
        workers: None: one a core, or all that the cluster has.
        cluster: "tcp://host:8786"; "" for none.
        slots: the GPUs of each worker, as many as there are workers at least; () for none of its
            own. This process has those of the first.
    """
    if cluster:
        from hpsearch.execution.cluster import DaskExecutor  # Dask is an extra

        return DaskExecutor(cluster, workers)
    count = available_cores() if workers is None else workers
    if not count:
        return InlineExecutor(slots[0] if slots else "")
    return ProcessExecutor(count, slots[:count])
