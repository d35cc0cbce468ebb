"""From members to populations to slices: keeps an executor busy until every member is there."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from hpsearch.errors import WorkerError
from hpsearch.execution.base import WorkerLost
from hpsearch.execution.examples import open_data, training_data
from hpsearch.execution.executors import ProcessExecutor
from hpsearch.execution.limits import Allowance, LimitName, LimitPassed, Spent
from hpsearch.execution.population import population_key, population_limit, run_slice
from hpsearch.execution.slices import MemberAdvance, Slice, SliceResult, SliceSettings, Use
from hpsearch.trainers import Member

Key = tuple[str, int]  # a record's uid and the number of its member
STOP_CHECK_SECONDS = 1.0  # between two looks at whether to stop, while no slice ends
LANDING_SECONDS = 10.0  # that a stop waits for the slices under way
LOST_ATTEMPTS = 3  # of a member at one epoch that make it failed; the last one is made alone
PASSED: dict[str, str] = {
    "seconds": "a trial must be trained within limits.seconds = {limit:g}, got {reached:.1f} s "
    "when it was stopped",
    "memory_mb": "a worker process that trains a trial must hold at most limits.memory_mb = "
    "{limit:g}, got {reached:.0f} MB when it was stopped",
}


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
    """What happened to a job in one slice.

    Attributes:
        event: "advanced"; "lost" (its worker died), "raised" or "crowded" (its population passed
            a limit), after each of which it is sent again; "failed" (final), or "dropped" (final
            too: another member of its trial passed a limit).
        limit: the one that it failed by.
        advance: the gain, where it advanced.
        reason: of the failure or loss.
        machine: where it advanced.
        share: how many members the slice advanced.
        use: what the slice took, where it came back.
        log: what its trainer printed, where it trained alone.
    """

    key: Key
    event: Literal["advanced", "lost", "raised", "crowded", "failed", "dropped"]
    advance: MemberAdvance | None = None
    reason: str = ""
    share: int = 1
    use: Use | None = None
    log: str = ""
    machine: str = ""
    limit: LimitName | None = None

    @property
    def wall_seconds(self) -> float:
        """The job's share of the slice's time."""
        return self.use.wall_seconds / self.share if self.use else 0.0

    @property
    def cpu_seconds(self) -> float:
        """The job's share of the slice's CPU time."""
        return self.use.cpu_seconds / self.share if self.use else 0.0


@dataclass(frozen=True)
class AttemptLimits:
    """What a trial may take, and how often its members are tried, before it is failed.

    Attributes:
        allowance: seconds and memory of a trial; only a pool of processes can hold it to them.
        lost_attempts: workers that may die under a member at one epoch before it is failed.
        retries: how often a member is tried again whose trainer raised.
    """

    allowance: Allowance | None = None
    lost_attempts: int = LOST_ATTEMPTS
    retries: int = 0


DEFAULT_LIMITS = AttemptLimits()


NO_PROGRESS = (
    "a slice must train at least one epoch, got none: the member's state is not that of its epoch"
)


class Dispatcher:
    """Runs jobs on an executor, at most one population a worker at a time.

    Args:
        executor: where slices run; stays the caller's.
        workers: slices in flight at once.
        settings: of every slice.
        limits: after what a trial or one of its members is failed.
        stop: asked again and again; once it says True no slice is started, and `run` ends with
            the slices that are under way.
    """

    def __init__(
        self,
        executor: Executor,
        settings: SliceSettings,
        limits: AttemptLimits = DEFAULT_LIMITS,
        *,
        workers: int,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._executor, self._workers, self._stop = executor, max(1, workers), stop
        self._settings, self._retries = settings, limits.retries
        self._limits = limits.allowance if isinstance(executor, ProcessExecutor) else None
        self._spent = Spent(self._limits.seconds if self._limits else None)
        self._ended: set[str] = set()  # trials that passed a limit
        self._together = limits.lost_attempts - 1

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
                waiting.sort(key=self._runs_alone)  # a suspect waits until nothing else is left
                waiting, dropped = self._without_ended(waiting)
                self._start(waiting, flying, until)  # the workers first, then the caller
                yield from (reports for reports, _ in ended)
                if dropped:
                    yield dropped
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
            pauses = tuple({epoch for job in population for epoch in job.pauses})
            work = Slice(self._settings, members, until, pauses)
            flying[self._submit(work, population)] = population

    def _submit(self, work: Slice, population: list[Job]) -> Future[SliceResult]:
        near = population[0].worker if self._settings.keep else 0
        if self._limits is None:
            if near and isinstance(self._executor, ProcessExecutor):
                return self._executor.submit_near(near, run_slice, work)
            return self._executor.submit(run_slice, work)
        left = self._spent.left([trial_of(job) for job in population])
        if left is not None and left <= 0:  # a paused trial that had spent all
            future: Future[SliceResult] = Future()
            future.set_exception(LimitPassed("seconds", 0.0))
            return future
        assert isinstance(self._executor, ProcessExecutor)
        allowance = replace(self._limits, seconds=left)
        before = partial(open_data, self._settings.data, self._settings.exam)
        return self._executor.submit_within(allowance, before, run_slice, work, near=near)

    def _without_ended(self, waiting: list[list[Job]]) -> tuple[list[list[Job]], list[Report]]:
        """The populations without the members of trials that passed a limit, and these."""
        if not self._ended:
            return waiting, []
        dropped = [job for jobs in waiting for job in jobs if trial_of(job) in self._ended]
        left = [[job for job in jobs if trial_of(job) not in self._ended] for jobs in waiting]
        return [jobs for jobs in left if jobs], [Report(job.key, "dropped") for job in dropped]

    def _populations(self, jobs: Sequence[Job]) -> list[list[Job]]:
        data = training_data(self._settings.data, self._settings.exam)
        groups = defaultdict(list)
        for job in jobs:
            self._spent.begin(trial_of(job), job.spent)
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
        if self._runs_alone(population) or any(map(self._runs_alone, flying.values())):
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
        except LimitPassed as passed:
            return self._passed(population, passed)
        share = len(population)
        for job in population:
            self._spent.charge(trial_of(job), result.use.wall_seconds / share)
        if result.error is None and any(
            gain.epochs == 0 and not gain.diverged for gain in result.members
        ):  # e.g. a state that is further than its record: sent again it would be the same
            result = replace(result, error=NO_PROGRESS)
        if result.error is not None:
            return self._raised(population, result)
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
                        job,
                        member=replace(job.member, state=gain.state),
                        epoch=epoch,
                        losses=0,
                        worker=result.use.worker,
                    )
                )
        late = {trial_of(job) for job in going_on if self._spent.over(trial_of(job))} - self._ended
        for trial in late:
            own = [job for job in going_on if trial_of(job) == trial]
            reports += self._failed(own, LimitPassed("seconds", 0.0))
        going_on = [job for job in going_on if trial_of(job) not in late]
        return reports, [going_on] if going_on else []

    def _raised(
        self, population: list[Job], result: SliceResult
    ) -> tuple[list[Report], list[list[Job]]]:
        if len(population) > 1:  # one of them raised: alone, each answers for itself
            return [], [[job] for job in population]
        (job,), reason = population, result.error or ""
        again = job.raised < self._retries and not self._spent.over(trial_of(job))
        again = again and not result.limit
        event: Literal["raised", "failed"] = "raised" if again else "failed"
        report = Report(
            job.key,
            event,
            reason=reason,
            use=result.use,
            log=result.log,
            limit=result.limit or None,
        )
        return [report], [[replace(job, raised=job.raised + 1)]] if again else []

    def _passed(
        self, population: list[Job], passed: LimitPassed
    ) -> tuple[list[Report], list[list[Job]]]:
        """What a limit is passed by: a population, then each of its members alone."""
        assert self._limits is not None
        if passed.fresh:
            raise WorkerError(
                "limits.memory_mb must be above what a worker process holds with the data open, "
                f"{passed.reached:.0f} MB, got {self._limits.memory_mb:g}: raise it, in the study "
                "file or with --set, then run the same command again"
            )
        of_one = len({trial_of(job) for job in population}) == 1
        if len(population) == 1 or (of_one and passed.limit == "seconds"):
            return self._failed(population, passed), []
        reason = f"its population of {len(population)} passed limits.{passed.limit}"
        reports = [Report(job.key, "crowded", reason=reason) for job in population]
        return reports, [[job] for job in population]

    def _failed(self, jobs: list[Job], passed: LimitPassed) -> list[Report]:
        """The end of a trial: of its members that are at hand here, the others follow."""
        first, *others = jobs
        self._ended.add(trial_of(first))
        before = self._spent.of(trial_of(first)) if passed.limit == "seconds" else 0.0
        limit, reached = getattr(self._limits, passed.limit), before + passed.reached
        said = PASSED[passed.limit].format(limit=limit, reached=reached)
        reason = (
            f"{said}: raise limits.{passed.limit}, or leave such configurations out of [space]"
        )
        report = Report(first.key, "failed", reason=reason, limit=passed.limit)
        return [report, *(Report(job.key, "dropped") for job in others)]

    def _lost(self, population: list[Job]) -> tuple[list[Report], list[list[Job]]]:
        reports, again = [], []
        for job in (replace(job, losses=job.losses + 1) for job in population):
            final = job.losses > self._together
            reason = "worker died" + (f" {job.losses} times, at last alone" if final else "")
            reports.append(Report(job.key, "failed" if final else "lost", reason=reason))
            if not final:
                again.append(job)
        if any(job.losses >= self._together for job in again):
            return reports, [[job] for job in again]
        return reports, [again] if again else []

    def _runs_alone(self, population: list[Job]) -> bool:
        return any(job.losses >= self._together for job in population)


def trial_of(job: Job) -> str:
    """The record that a job is a member of."""
    return job.key[0]
