"""From members to populations to slices: keeps an executor busy until every member is there."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, replace
from typing import Literal

from hpsearch.datasets.selection import Selection
from hpsearch.execution.executors import WorkerLost
from hpsearch.execution.population import (
    Exam,
    MemberAdvance,
    Slice,
    SliceResult,
    Use,
    population_key,
    population_limit,
    run_slice,
    training_data,
)
from hpsearch.trainers import EVERY_EPOCH, Member, Schedule

Key = tuple[str, int]  # a record's uid and the number of its member
STOP_CHECK_SECONDS = 1.0  # between two looks at whether to stop, while no slice ends
LANDING_SECONDS = 10.0  # that a stop waits for the slices under way
LOSSES_TOGETHER = 2  # after so many lost workers a member runs alone, to learn whose fault it is


@dataclass(frozen=True)
class Job:
    """A member on its way.

    Attributes:
        key: the caller's name for it, handed back with every report.
        epoch: where it starts.
        losses: how many workers died under it since it last advanced.
    """

    key: Key
    member: Member
    epoch: int = 0
    losses: int = 0


@dataclass(frozen=True)
class Report:
    """What happened to a job in one slice.

    Attributes:
        event: "advanced", "lost" (its worker died; it is sent again) or "failed" (final).
        advance: the gain, where it advanced.
        reason: of the failure or loss.
        machine: where it advanced.
        share: how many members the slice advanced.
        use: what the slice took, where it came back.
        log: what its trainer printed, where it trained alone.
    """

    key: Key
    event: Literal["advanced", "lost", "failed"]
    advance: MemberAdvance | None = None
    reason: str = ""
    share: int = 1
    use: Use | None = None
    log: str = ""
    machine: str = ""

    @property
    def wall_seconds(self) -> float:
        """The job's share of the slice's time."""
        return self.use.wall_seconds / self.share if self.use else 0.0

    @property
    def cpu_seconds(self) -> float:
        """The job's share of the slice's CPU time."""
        return self.use.cpu_seconds / self.share if self.use else 0.0


class Dispatcher:
    """Runs jobs on an executor, at most one population a worker at a time.

    Args:
        executor: where slices run; stays the caller's.
        workers: slices in flight at once.
        data, exam, n_epochs, seconds, code_folder, schedule, per_class, passes, resources: as in
            Slice.
        stop: asked again and again; once it says True no slice is started, and `run` ends with
            the slices that are under way.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        workers: int,
        data: Selection,
        exam: Exam,
        n_epochs: int,
        seconds: float,
        code_folder: str,
        schedule: Schedule = EVERY_EPOCH,
        per_class: bool = False,
        passes: bool = False,
        resources: bool = False,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._executor, self._workers, self._stop = executor, max(1, workers), stop
        options = (schedule, per_class, passes, resources)
        self._work = Slice(data, exam, (), 0, n_epochs, seconds, code_folder, *options)

    def run(self, batches: Iterable[Sequence[Job]], until: int) -> Iterator[list[Report]]:
        """Train all jobs to epoch `until`; yields the reports of each slice as it ends.

        Args:
            batches: the jobs, in portions; the next one is asked for when no population waits, so
                that it is made while the workers are busy with the one before.
        """
        coming = iter(batches)
        waiting: list[list[Job]] = []
        flying: dict[Future[SliceResult], list[Job]] = {}
        more = True
        try:
            while waiting or flying or more:
                if self._stop():
                    yield from self._land(flying, until)
                    return
                self._start(waiting, flying, until)
                if more and not waiting:
                    jobs = next(coming, None)
                    more = jobs is not None
                    waiting = self._populations(jobs or ())
                    continue
                done, _ = wait(flying, STOP_CHECK_SECONDS, return_when=FIRST_COMPLETED)
                ended = [self._outcome(future, flying.pop(future), until) for future in done]
                waiting = [population for _, again in ended for population in again] + waiting
                waiting.sort(key=_runs_alone)  # a suspect waits until nothing else is left
                self._start(waiting, flying, until)  # the workers first, then the caller
                yield from (reports for reports, _ in ended)
        finally:
            for future in flying:
                future.cancel()

    def _land(
        self, flying: dict[Future[SliceResult], list[Job]], until: int
    ) -> Iterator[list[Report]]:
        """The reports of the slices under way, of those that end in time."""
        done, _ = wait(flying, LANDING_SECONDS)
        for future in done:
            yield self._outcome(future, flying.pop(future), until)[0]

    def _start(
        self,
        waiting: list[list[Job]],
        flying: dict[Future[SliceResult], list[Job]],
        until: int,
    ) -> None:
        """Send populations from the head of the queue as long as workers are free."""
        while waiting and self._may_start(waiting[0], flying):
            population = waiting.pop(0)
            members = tuple(job.member for job in population)
            work = replace(self._work, members=members, until=until)
            flying[self._executor.submit(run_slice, work)] = population

    def _populations(self, jobs: Sequence[Job]) -> list[list[Job]]:
        data = training_data(self._work.data, self._work.exam)
        groups = defaultdict(list)
        for job in jobs:
            groups[(*population_key(job.member, data), job.epoch)].append(job)
        # Small enough that every worker has one, as large as the cache allows.
        fair = math.ceil(len(jobs) / self._workers)
        populations = []
        for group in groups.values():
            group.sort(key=lambda job: str(job.member.params["trainer"]))
            size = max(1, min(fair, population_limit(group[0].member, data)))
            chunks = math.ceil(len(group) / size)
            bounds = [len(group) * i // chunks for i in range(chunks + 1)]
            populations += [group[a:b] for a, b in itertools.pairwise(bounds)]
        return populations

    def _may_start(
        self, population: list[Job], flying: dict[Future[SliceResult], list[Job]]
    ) -> bool:
        if _runs_alone(population) or any(map(_runs_alone, flying.values())):
            return not flying
        return len(flying) < self._workers

    def _outcome(
        self, future: Future[SliceResult], population: list[Job], until: int
    ) -> tuple[list[Report], list[list[Job]]]:
        """The reports of a finished slice, and the populations to run again."""
        try:
            result = future.result()
        except WorkerLost:
            return self._lost(population)
        if result.error is not None:
            if len(population) > 1:  # one of them raised: alone, each answers for itself
                return [], [[job] for job in population]
            key, reason = population[0].key, result.error
            return [Report(key, "failed", reason=reason, use=result.use, log=result.log)], []
        share = len(population)
        reports, going_on = [], []
        for job, gain in zip(population, result.members, strict=True):
            reports.append(
                Report(
                    job.key,
                    "advanced",
                    gain,
                    share=share,
                    use=result.use,
                    log=result.log,
                    machine=result.machine,
                )
            )
            epoch = job.epoch + gain.epochs
            if not gain.diverged and epoch < until:
                going_on.append(
                    replace(
                        job, member=replace(job.member, state=gain.state), epoch=epoch, losses=0
                    )
                )
        return reports, [going_on] if going_on else []

    def _lost(self, population: list[Job]) -> tuple[list[Report], list[list[Job]]]:
        reports, again = [], []
        for job in (replace(job, losses=job.losses + 1) for job in population):
            final = job.losses > LOSSES_TOGETHER
            reason = "worker died" + (f" {job.losses} times, at last alone" if final else "")
            reports.append(Report(job.key, "failed" if final else "lost", reason=reason))
            if not final:
                again.append(job)
        if any(job.losses >= LOSSES_TOGETHER for job in again):
            return reports, [[job] for job in again]
        return reports, [again] if again else []


def _runs_alone(population: list[Job]) -> bool:
    return any(job.losses >= LOSSES_TOGETHER for job in population)
