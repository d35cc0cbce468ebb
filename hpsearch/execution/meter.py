"""What the training of an epoch takes: CPU time and memory, without its evaluation."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

RESOURCES = ("resources/cpu_seconds", "resources/wall_seconds", "resources/array_bytes")


class Meter:
    """Measures the blocks it is called for.

    for progress in trainer.run(until, schedule, around=meter):
        meter.metrics(n_members)

    Memory is the most that NumPy and Python held at once beyond what was there when a block
    began: the arrays of training steps. Weights were there before and don't count, nor do large
    data sets; the float table of a small one (trainers.base.FLOAT_TABLE_BYTES) counts in the
    block that makes it, which is the first of a process.
    """

    def __init__(self) -> None:
        self._cpu, self._wall, self._peak, self._runs = 0.0, 0.0, 0, 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        tracemalloc.start()
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self._cpu, self._wall = time.process_time() - cpu, time.perf_counter() - wall
            self._peak = max(self._peak, tracemalloc.get_traced_memory()[1])
            self._runs += 1
            tracemalloc.stop()

    def metrics(self, n_members: int) -> dict[str, float]:
        """A member's share of the last block; {} before the first."""
        if not self._runs:
            return {}
        taken = (self._cpu, self._wall, self._peak)
        return {name: value / n_members for name, value in zip(RESOURCES, taken, strict=True)}
