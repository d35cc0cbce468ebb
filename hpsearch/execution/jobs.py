"""Members on their way: jobs, what is reported of them, and the populations in workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Any, Literal

from hpsearch.execution.limits import LimitName
from hpsearch.execution.slices import MemberAdvance, SliceResult, Use
from hpsearch.trainers import Member

Key = tuple[str, int]  # a record's uid and the number of its member


@dataclass(frozen=True)
class Job:
    """A member on its way.

    Attributes:
        key: the caller's name for it, handed back with every report.
        epoch: where it starts.
        losses: how many workers died under it since it last advanced.
        raised: how often its trainer raised, and it was tried again.
        spent: seconds that its trial had trained before it was sent here.
        pauses: epochs after which it pauses, whatever the time.
        worker: the process that trained it last, which may have kept its trainer; 0: none.
    """

    key: Key
    member: Member
    epoch: int = 0
    losses: int = 0
    raised: int = 0
    spent: float = 0.0
    pauses: tuple[int, ...] = ()
    worker: int = 0


@dataclass(frozen=True)
class Report:
    """What happened to a job in one slice, or in a part of one that still runs.

    Attributes:
        event: "advanced"; "lost" (its worker died), "raised" or "crowded" (its population passed
            a limit), after each of which it is sent again; "failed" (final), or "dropped" (final
            too: another member of its trial passed a limit).
        limit: the one that it failed by.
        advance: the gain, where it advanced.
        reason: of the failure or loss.
        machine: where it advanced.
        share: how many members the slice advanced.
        use: what the slice took, where it came back; after news of it, since then.
        log, warned: what its trainer printed, where it trained alone, and the warnings in it;
            likewise.
        partial: its slice still runs.
        ran: what the whole slice took, as far as it is known, where it ended.
    """

    key: Key
    event: Literal["advanced", "lost", "raised", "crowded", "failed", "dropped"]
    advance: MemberAdvance | None = None
    reason: str = ""
    share: int = 1
    use: Use | None = None
    log: str = ""
    warned: tuple[str, ...] = ()
    machine: str = ""
    limit: LimitName | None = None
    partial: bool = False
    ran: Use | None = None

    @property
    def wall_seconds(self) -> float:
        """The job's share of the slice's time."""
        return self.use.wall_seconds / self.share if self.use else 0.0

    @property
    def cpu_seconds(self) -> float:
        """The job's share of the slice's CPU time."""
        return self.use.cpu_seconds / self.share if self.use else 0.0


def trial_of(job: Job) -> str:
    """The record that a job is a member of."""
    return job.key[0]


def moved_on(job: Job, gain: MemberAdvance, result: SliceResult) -> Job:
    """The job as it goes on after a gain."""
    return replace(
        job,
        member=replace(job.member, state=gain.state),
        epoch=job.epoch + gain.epochs,
        losses=0,
        worker=result.use.worker,
    )


@dataclass(eq=False)
class Flight:
    """A population in a worker.

    Attributes:
        jobs: as they are sent again if nothing more comes; news of the slice moves them on.
        parts: what the slice took, of each of its news.
    """

    jobs: list[Job]
    parts: list[Use] = field(default_factory=list)

    def listener(self, heard: SimpleQueue[Heard]) -> Callable[[Any], None]:
        """What puts the slice's news and its end into this queue."""
        return lambda news: heard.put((self, news))

    @property
    def part_seconds(self) -> float:
        """Of the slice, up to its last news."""
        return sum(use.wall_seconds for use in self.parts)

    def ran(self, use: Use | None = None) -> Use | None:
        """What all of the slice took, with this at its end; None if nothing is known."""
        uses = self.parts if use is None else [*self.parts, use]
        if not uses:
            return None
        return replace(
            uses[-1],
            began=uses[0].began,
            wall_seconds=sum(use.wall_seconds for use in uses),
            cpu_seconds=sum(use.cpu_seconds for use in uses),
            opening_seconds=uses[0].opening_seconds,
        )


# A slice that is under way and what it told, or its end.
Heard = tuple[Flight, SliceResult | Future[SliceResult]]


def gathered(heard: SimpleQueue[Heard], seconds: float) -> list[Heard]:
    """All that was heard, in its order; of nothing, what is heard first within this time."""
    gathered: list[Heard] = []
    with suppress(Empty):
        gathered.append(heard.get(timeout=seconds))
        while True:
            gathered.append(heard.get_nowait())
    return gathered
