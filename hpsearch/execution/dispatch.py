"""From members to populations to slices: keeps an executor busy until every member is there."""

from __future__ import annotations

import itertools
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from typing import Any, Literal

from hpsearch.errors import WorkerError
from hpsearch.execution.base import WorkerLost
from hpsearch.execution.examples import data_of, open_data
from hpsearch.execution.executors import ProcessExecutor
from hpsearch.execution.jobs import Flight, Heard, Job, Report, gathered, moved_on, trial_of
from hpsearch.execution.limits import Allowance, LimitPassed, Spent
from hpsearch.execution.population import population_key, population_limit, run_slice
from hpsearch.execution.slices import Slice, SliceResult, SliceSettings

STOP_CHECK_SECONDS = 1.0  # between two looks at whether to stop, while no slice ends
LANDING_SECONDS = 10.0  # that a stop waits for the slices under way
LOST_ATTEMPTS = 3  # of a member at one epoch that make it failed; the last one is made alone
PASSED: dict[str, str] = {
    "seconds": "the trial exceeded limits.seconds = {limit:g}: {reached:.1f} s when it was "
    "stopped",
    "memory_mb": "the worker process of the trial exceeded limits.memory_mb = {limit:g}: "
    "{reached:.0f} MB when it was stopped",
}


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

        Of slices that tell what they gained while they run, reports come then too; and [] when
        nothing was heard for a second, so that the caller can see to what is due.

        Args:
            batches: the jobs, in portions; the next one is asked for when no population waits, so
                that it is made while the workers are busy with the one before.
        """
        coming = iter(batches)
        waiting: list[list[Job]] = []
        flying: dict[Future[SliceResult], Flight] = {}
        heard: SimpleQueue[Heard] = SimpleQueue()
        more = True
        try:
            while waiting or flying or more:
                if self._stop():
                    yield from self._land(flying, heard, until)
                    return
                self._start(waiting, flying, heard, until)
                if more and not waiting:
                    jobs = next(coming, None)
                    more = jobs is not None
                    waiting = self._populations(jobs or ())
                    continue
                outcomes = [
                    self._hear(flight, news, flying, until)
                    for flight, news in gathered(heard, STOP_CHECK_SECONDS)
                ]
                waiting = [population for _, again in outcomes for population in again] + waiting
                waiting.sort(key=self._runs_alone)  # a suspect waits until nothing else is left
                waiting, dropped = self._without_ended(waiting)
                self._start(waiting, flying, heard, until)  # the workers first, then the caller
                yield from (reports for reports, _ in outcomes)
                if dropped or not outcomes:
                    yield dropped
        finally:
            for future in flying:
                future.cancel()

    def _land(
        self,
        flying: dict[Future[SliceResult], Flight],
        heard: SimpleQueue[Heard],
        until: int,
    ) -> Iterator[list[Report]]:
        """The reports of the slices under way, of what they tell and of those that end in time."""
        limit = time.monotonic() + LANDING_SECONDS
        while flying and (left := limit - time.monotonic()) > 0:
            for flight, news in gathered(heard, left):
                yield self._hear(flight, news, flying, until)[0]

    def _start(
        self,
        waiting: list[list[Job]],
        flying: dict[Future[SliceResult], Flight],
        heard: SimpleQueue[Heard],
        until: int,
    ) -> None:
        """Send populations from the head of the queue as long as workers are free."""
        while waiting and self._may_start(waiting[0], flying):
            population = waiting.pop(0)
            members = tuple(job.member for job in population)
            pauses = tuple({epoch for job in population for epoch in job.pauses})
            work = Slice(self._settings, members, until, pauses)
            flight = Flight(population)
            listener = flight.listener(heard)
            future = self._submit(work, population, listener)
            flying[future] = flight
            future.add_done_callback(listener)

    def _submit(
        self, work: Slice, population: list[Job], news: Callable[[Any], None]
    ) -> Future[SliceResult]:
        near = population[0].worker if self._settings.keep else 0
        if not isinstance(self._executor, ProcessExecutor):
            return self._executor.submit(run_slice, work)
        if self._limits is None:
            return self._executor.submit_with(run_slice, work, near=near, news=news)
        left = self._spent.left([trial_of(job) for job in population])
        if left is not None and left <= 0:  # a paused trial that had spent all
            future: Future[SliceResult] = Future()
            future.set_exception(LimitPassed("seconds", 0.0))
            return future
        allowance = replace(self._limits, seconds=left)
        before = partial(open_data, self._settings.data, self._settings.exam, self._settings.rows)
        return self._executor.submit_with(
            run_slice, work, near=near, allowance=allowance, before=before, news=news
        )

    def _without_ended(self, waiting: list[list[Job]]) -> tuple[list[list[Job]], list[Report]]:
        """The populations without the members of trials that passed a limit, and these."""
        if not self._ended:
            return waiting, []
        dropped = [job for jobs in waiting for job in jobs if trial_of(job) in self._ended]
        left = [[job for job in jobs if trial_of(job) not in self._ended] for jobs in waiting]
        return [jobs for jobs in left if jobs], [Report(job.key, "dropped") for job in dropped]

    def _populations(self, jobs: Sequence[Job]) -> list[list[Job]]:
        data = data_of(self._settings)
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

    def _may_start(self, population: list[Job], flying: dict[Future[SliceResult], Flight]) -> bool:
        under_way = (flight.jobs for flight in flying.values())
        if self._runs_alone(population) or any(map(self._runs_alone, under_way)):
            return not flying
        return len(flying) < self._workers

    def _hear(
        self,
        flight: Flight,
        news: SliceResult | Future[SliceResult],
        flying: dict[Future[SliceResult], Flight],
        until: int,
    ) -> tuple[list[Report], list[list[Job]]]:
        """The reports of what was heard of a slice, and the populations to run again."""
        if isinstance(news, SliceResult):
            return self._part_gained(flight, news), []
        del flying[news]
        reports, again = self._outcome(news, flight, until)
        use = next((report.use for report in reports), None)
        ran = flight.ran(use)
        return [replace(report, ran=ran) for report in reports], again

    def _part_gained(self, flight: Flight, result: SliceResult) -> list[Report]:
        """The reports of what a slice gained that still runs; its jobs move on."""
        flight.parts.append(result.use)
        self._charge(flight.jobs, result)
        reports = self._gained(flight.jobs, result)
        moved = zip(flight.jobs, result.members, strict=True)
        flight.jobs = [moved_on(job, gain, result) for job, gain in moved]
        return [replace(report, partial=True) for report in reports]

    def _charge(self, population: list[Job], result: SliceResult) -> None:
        for job in population:
            self._spent.charge(trial_of(job), result.use.wall_seconds / len(population))

    def _gained(self, population: list[Job], result: SliceResult) -> list[Report]:
        return [
            Report(
                job.key,
                "advanced",
                gain,
                share=len(population),
                use=result.use,
                log=result.log,
                warned=result.warned,
                machine=result.machine,
            )
            for job, gain in zip(population, result.members, strict=True)
        ]

    def _outcome(
        self, future: Future[SliceResult], flight: Flight, until: int
    ) -> tuple[list[Report], list[list[Job]]]:
        """The reports of a finished slice, and the populations to run again."""
        population = flight.jobs
        try:
            result = future.result()
        except WorkerLost as lost:
            return self._lost(population, how=lost.ending)
        except LimitPassed as passed:
            if passed.limit == "seconds":  # of the whole slice; some of it is charged
                passed = LimitPassed("seconds", max(0.0, passed.reached - flight.part_seconds))
            return self._passed(population, passed)
        self._charge(population, result)
        if result.error is None and any(
            gain.epochs == 0 and not gain.diverged for gain in result.members
        ):  # e.g. a state that is further than its record: sent again it would be the same
            result = replace(result, error=NO_PROGRESS)
        if result.error is not None:
            return self._raised(population, result)
        reports = self._gained(population, result)
        moved = zip(population, result.members, strict=True)
        going_on = [moved_on(job, gain, result) for job, gain in moved if not gain.diverged]
        going_on = [job for job in going_on if job.epoch < until]
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
        if result.lost:
            return self._lost(population, result)
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
            warned=result.warned,
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
                "limits.memory_mb must be more than a worker process needs with the data loaded, "
                f"{passed.reached:.0f} MB, got {self._limits.memory_mb:g}: raise it in the study "
                "file or with --set, then run the same command again"
            )
        of_one = len({trial_of(job) for job in population}) == 1
        if len(population) == 1 or (of_one and passed.limit == "seconds"):
            return self._failed(population, passed), []
        reason = f"its population of {len(population)} exceeded limits.{passed.limit}"
        reports = [Report(job.key, "crowded", reason=reason) for job in population]
        return reports, [[job] for job in population]

    def _failed(self, jobs: list[Job], passed: LimitPassed) -> list[Report]:
        """The end of a trial: of its members that are at hand here, the others follow."""
        first, *others = jobs
        self._ended.add(trial_of(first))
        before = self._spent.of(trial_of(first)) if passed.limit == "seconds" else 0.0
        limit, reached = getattr(self._limits, passed.limit), before + passed.reached
        message = PASSED[passed.limit].format(limit=limit, reached=reached)
        reason = (
            f"{message}: raise limits.{passed.limit}, or leave such configurations out of [space]"
        )
        report = Report(first.key, "failed", reason=reason, limit=passed.limit)
        return [report, *(Report(job.key, "dropped") for job in others)]

    def _lost(
        self, population: list[Job], result: SliceResult | None = None, *, how: str = ""
    ) -> tuple[list[Report], list[list[Job]]]:
        """What is sent again where a worker died, or, with its result, where a program was.

        Args:
            how: a worker ended; "": not known.
        """
        reports, again = [], []
        for job in (replace(job, losses=job.losses + 1) for job in population):
            final = job.losses > self._together
            reason = "worker died" + (f" {job.losses} times, the last time alone" if final else "")
            reason += f" ({how})" if how else ""
            report = Report(job.key, "failed" if final else "lost", reason=reason)
            if result is not None:
                reason = f"{job.losses} times: " * final + (result.error or "")
                report = replace(report, reason=reason, use=result.use, log=result.log)
            reports.append(report)
            if not final:
                again.append(job)
        if any(job.losses >= self._together for job in again):
            return reports, [[job] for job in again]
        return reports, [again] if again else []

    def _runs_alone(self, population: list[Job]) -> bool:
        return any(job.losses >= self._together for job in population)
