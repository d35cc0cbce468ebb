"""The contract of what slices run on: an executor of `concurrent.futures`."""

from __future__ import annotations

from concurrent.futures import Executor


class WorkerLost(Exception):
    """The worker process died in the middle of the call."""


class SliceExecutor(Executor):
    """An executor that says how many calls it can run at once; 0: each when it is made."""

    workers: int
