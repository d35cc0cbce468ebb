"""What training may take of the machine, and ending the worker process that takes more.

Only a process can be stopped: a limit needs worker processes of this machine. Its clock starts
when the worker has the data open; its memory is what the process and those that it started hold
resident, looked at ten times a second, so that a faster peak can pass unseen.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from psutil import Process

LimitName = Literal["seconds", "memory_mb", "gpu_memory"]
MEMORY_LOOK_SECONDS = 0.1  # between two looks at a worker's memory
CHILDREN_LOOK_SECONDS = 1.0  # between two searches for processes that a worker started: 10 ms each
REUSABLE = 0.1  # of the memory limit: a worker that keeps more of earlier trials is replaced
MB = 1e6


@dataclass(frozen=True)
class Allowance:
    """What one call may take; None: anything.

    Attributes:
        seconds: wall clock.
        memory_mb: megabytes (10^6 bytes) resident, of the whole worker process.
    """

    seconds: float | None = None
    memory_mb: float | None = None


class LimitPassed(Exception):
    """A call took more than it may, and its worker was ended.

    Attributes:
        limit: which.
        reached: seconds or megabytes when it was found out.
        fresh: the worker held as much before the call.
    """

    def __init__(self, limit: LimitName, reached: float, *, fresh: bool = False) -> None:
        super().__init__(limit, reached)
        self.limit: LimitName = limit
        self.reached, self.fresh = reached, fresh


class Watch:
    """Holds one call of a worker process against its allowance.

    Args:
        pid: of the worker.
    """

    def __init__(self, allowance: Allowance, pid: int) -> None:
        self._allowance, self._since = allowance, time.monotonic()
        self._memory = None if allowance.memory_mb is None else Memory(pid)

    @property
    def pause(self) -> float:
        """Seconds until the next look is due."""
        due = [1.0]
        if self._memory is not None:
            due.append(MEMORY_LOOK_SECONDS)
        if self._allowance.seconds is not None:
            due.append(self._since + self._allowance.seconds - time.monotonic())
        return max(0.0, min(due))

    def look(self) -> None:
        """See what the call has taken so far.

        Raises:
            LimitPassed: too much.
        """
        seconds, limit = time.monotonic() - self._since, self._allowance.seconds
        if limit is not None and seconds >= limit:
            raise LimitPassed("seconds", seconds)
        if self._memory is not None and self._allowance.memory_mb is not None:
            held = self._memory.held_mb()
            if held > self._allowance.memory_mb:
                raise LimitPassed("memory_mb", held)


class Memory:
    """What a process and those that it started hold; memory that they share counts in each.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        import psutil

        self._own: list[Process] = []
        with suppress(psutil.Error):  # it is gone, which its pipe tells
            self._own = [psutil.Process(pid)]
        self._children: list[Process] = []
        self._looked = time.monotonic()

    def held_mb(self) -> float:
        """Megabytes resident now; 0 where it is gone."""
        from psutil import Error

        now = time.monotonic()
        if now - self._looked > CHILDREN_LOOK_SECONDS:
            with suppress(Error):
                self._children = [c for p in self._own for c in p.children(recursive=True)]
            self._looked = now
        held = 0.0
        for process in (*self._own, *self._children):
            with suppress(Error):
                held += process.memory_info().rss
        return held / MB


class Spent:
    """The seconds that trials have trained, against a limit for each.

    A slice of a population is charged to its trials in equal shares a member, as in their records.

    Args:
        limit: seconds of one trial; None: none.
    """

    def __init__(self, limit: float | None) -> None:
        self._limit, self._seconds = limit, defaultdict[str, float](float)

    def begin(self, trial: str, seconds: float) -> None:
        """Take what a trial had spent before it was sent here."""
        self._seconds[trial] = max(self._seconds[trial], seconds)

    def charge(self, trial: str, seconds: float) -> None:
        """Add one member's share of a slice."""
        self._seconds[trial] += seconds

    def of(self, trial: str) -> float:
        """Seconds of a trial so far."""
        return self._seconds[trial]

    def over(self, trial: str) -> bool:
        """Whether nothing is left to it."""
        return self._limit is not None and self._seconds[trial] >= self._limit

    def left(self, trials: Sequence[str]) -> float | None:
        """How long a slice may take until the first of its trials has spent its limit.

        Args:
            trials: of each member of the slice; None is returned where nothing limits it.
        """
        if self._limit is None:
            return None
        return min(
            (self._limit - self._seconds[trial]) * len(trials) / members
            for trial, members in Counter(trials).items()
        )
