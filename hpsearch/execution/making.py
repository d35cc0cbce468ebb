"""The executor that a study asks for: this process, worker processes, or a cluster."""

from __future__ import annotations

from hpsearch.execution.base import SliceExecutor
from hpsearch.execution.executors import InlineExecutor, ProcessExecutor, available_cores


def make_executor(workers: int | None, cluster: str = "") -> SliceExecutor:
    """A Dask cluster by its address, else a pool of `workers` processes, or, for 0, this process.

    Args:
        workers: None: one a core, or all that the cluster has.
        cluster: "tcp://host:8786"; "" for none.
    """
    if cluster:
        from hpsearch.execution.cluster import DaskExecutor  # Dask is an extra

        return DaskExecutor(cluster, workers)
    count = available_cores() if workers is None else workers
    return ProcessExecutor(count) if count else InlineExecutor()
