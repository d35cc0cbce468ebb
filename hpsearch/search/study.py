"""The coordinator of a study: the only writer of its records and of its Optuna storage.

It walks through the plan of the study file. Every step looks first whether it was done before, so
that after a kill the same walk goes on where the records end, with the same draws and decisions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hpsearch.datasets.selection import open_pool, open_test
from hpsearch.datasets.splits import digest
from hpsearch.errors import StudyChangedError, StudyFailed
from hpsearch.execution.executors import SliceExecutor, make_executor
from hpsearch.execution.population import open_data
from hpsearch.search.advisory_lock import held_in_database
from hpsearch.search.events import Event, PhaseStarted, RunReached, StageStarted, TrialReached
from hpsearch.search.reading import ReadStudy
from hpsearch.search.result import Estimate, Result
from hpsearch.search.run import Run
from hpsearch.search.samplers import CoarseToFineSampler, GridSampler, StudySampler
from hpsearch.search.stages import RangeRow, best_first, narrowing, promoted
from hpsearch.search.storage import STORAGE_TROUBLE, TrialStore, open_storage, storage_trouble
from hpsearch.search.training import Training, reached
from hpsearch.search.verdict import verdict
from hpsearch.tracking.record import Kind, MemberRecord, TrialRecord

RESULT = "artifacts/result.json"
HOPELESS = 4  # failed trials without a success: a mistake in the code rather than bad luck
Batch = tuple[int, list[int]]  # its number in the stage, and the numbers of its trials
TEST_ENTROPY = 1 << 32  # keeps the refits' seeds apart from those of folds and confirmation


@dataclass
class Study:
    """One run of a study file.

    Args:
        read: the study file.
        run: its open run.
        storage_url: Optuna's storage.
        workers: processes; 0: this one; None: one a core, or all of the cluster.
        stop: asked again and again; the study ends soon after it says True.
        cluster: the address of a Dask scheduler whose workers are used; "": none.
    """

    read: ReadStudy
    run: Run
    storage_url: str
    workers: int | None
    stop: Callable[[], bool] = lambda: False
    cluster: str = ""
    _records: dict[int, TrialRecord] = field(default_factory=dict)
    _ranges: list[RangeRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file = self.read.file
        self.folder = self.run.folder
        self.lengths = tuple(stage.epochs for stage in self.file.stages)
        self._direction = self.file.objective.direction

    def finished(self) -> Result | None:
        """The result, if all that the file asks for was done before."""
        said = self.folder.read_json(RESULT)
        plan = [stage.trials for stage in self.file.stages]
        return Result.from_dict(said["result"]) if said and said["plan"] == plan else None

    def events(self) -> Iterator[Event]:
        """Run what is left of the study; afterwards `finished` gives the result.

        Raises:
            StudyFailed: every trial so far failed, or none has a score in the end.
            DataError: the data set is missing or too small.
            StorageError: a store can't be used.
            StudyStopped: `stop` said so.
        """
        with self._held(), make_executor(self.workers, self.cluster) as executor:
            for _ in range(
                executor.workers
            ):  # they start and open the data while this process does
                executor.submit(open_data, self.read.selection)
            try:
                self._open()
                yield from self._search(executor)
                confirmed = yield from self._confirm(executor)
                yield from self._test(executor, confirmed)
            except BaseException:
                executor.shutdown(cancel_futures=True)
                raise
        self._write_result(confirmed)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the study in its database too."""
        try:
            with held_in_database(self.storage_url, self.run.storage_name):
                yield
        except STORAGE_TROUBLE as error:
            raise storage_trouble(self.storage_url, error) from error

    def _open(self) -> None:
        """Open the data, the records and Optuna's storage, and see that they belong together."""
        pool = open_pool(self.read.selection)
        self._digests = {"data": pool.examples.digest(), "splits": digest(pool.splits)}
        self._n_splits = len(pool.splits)
        self._records = {r.number: r for r in self.folder.read_all("trial")}
        self._compare_digests(self._records.values())
        storage = open_storage(self.storage_url)
        self._trials = TrialStore(storage, self.run.storage_name, self._direction)
        self._restore()

    def _compare_digests(self, records: Iterable[TrialRecord]) -> None:
        """Refuse data that is not what these records were trained and scored on."""
        for record in records:
            if record.digests != self._digests:
                raise StudyChangedError(
                    f"the data of study {self.run.name!r} must stay what its trials were trained "
                    f"on, got other {_differing(record.digests, self._digests)}: bring the old "
                    "data back, or start a new run of the study with --fresh"
                )

    def _restore(self) -> None:
        """Bring Optuna's storage to where the records are, should it be behind."""
        self._trials.use(self._sampler())
        distributions = {p.name: p.distribution for p in self.read.space.parameters}
        for number in range(max(self._records, default=-1) + 1):
            record = self._records.get(number)
            searched = self.read.space.searched(record.params) if record else {}
            self._trials.restore(number, searched, distributions)

    def _search(self, executor: SliceExecutor) -> Iterator[Event]:
        drawn, going_on = 0, list[int]()
        for number, stage in enumerate(self.file.stages):
            fresh = range(drawn, drawn + stage.trials - len(going_on))
            done = sum(
                str(stage.epochs) in r.scores or r.sealed
                for r in map(self._records.get, [*going_on, *fresh])
                if r is not None
            )
            yield StageStarted(number, len(self.file.stages), stage.trials, stage.epochs, done)
            batches = [going_on] if going_on else []
            batches += [
                list(fresh[i : i + self.file.sampler.batch])
                for i in range(0, len(fresh), self.file.sampler.batch)
            ]
            for group in self._joined(list(enumerate(batches))):
                yield from self._run_batches(executor, number, group)
            held = [self._records[n] for n in (*going_on, *fresh)]
            drawn, going_on = fresh.stop, self._close(number, held)

    def _joined(self, batches: list[Batch]) -> Iterator[list[Batch]]:
        """Batches in groups: one whose draws don't depend on results need not wait for any."""
        ignores = self._sampler().ignores_results
        group: list[Batch] = []
        for index, numbers in batches:
            if group and not all(n in self._records or ignores(n) for n in numbers):
                yield group
                group = []
            group.append((index, numbers))
        yield group

    def _run_batches(
        self, executor: SliceExecutor, stage: int, batches: list[Batch]
    ) -> Iterator[Event]:
        """Draw each batch whole, train it, and tell Optuna, in the order of numbers."""
        until = self.lengths[stage]
        self._trials.use(self._sampler())
        order = [number for _, numbers in batches for number in numbers]
        drawn = ([self._draw(n, stage, index) for n in numbers] for index, numbers in batches)
        best = self._best(self._records.values(), until)
        for record in self._training(executor).run(drawn, until):
            best = self._best([record], until, best)
            yield TrialReached(record, best)
            self._tell_reached(order, until)
        self._tell_reached(order, until)

    def _tell_reached(self, order: list[int], until: int) -> None:
        """Tell Optuna of the trials at the head of `order` that are there, and take them off.

        Raises:
            StudyFailed: all trials of the study so far failed.
        """
        failed = False
        while order and (record := self._records.get(order[0])) and reached(record, until):
            self._tell(record)
            failed |= record.outcome == "failed"
            order.pop(0)
        if not failed:
            return
        ended = [record for record in self._records.values() if record.outcome != "running"]
        if len(ended) >= HOPELESS and all(record.outcome == "failed" for record in ended):
            raise StudyFailed(
                f"at least one trial must give a score, but all {len(ended)} failed, "
                f"the last with:\n{ended[-1].reason}\nCorrect it, then start anew with --fresh"
            )

    def _tell(self, record: TrialRecord) -> None:
        """Tell Optuna, and then the projector, what a record says."""
        self._trials.report(record.number, record.scores)
        if record.sealed:
            self._trials.finish(record.number, record.outcome, record.scores)
        self.folder.announce_record(record)

    def _draw(self, number: int, stage: int, batch: int) -> TrialRecord:
        """The record of a trial, drawn now if it has none."""
        if number not in self._records:
            params = self.read.space.suggest(self._trials.trial(number))
            members = [
                MemberRecord(split, (self.file.seed, number, 0, split))
                for split in range(self._n_splits)
            ]
            record = self._record("trial", number, 0, params, members)
            record.stage, record.batch = stage, batch
            self._records[number] = record
        return self._records[number]

    def _record(
        self,
        kind: Kind,
        number: int,
        seed: int,
        params: dict[str, Any],
        members: list[MemberRecord],
    ) -> TrialRecord:
        uid = f"{self.run.id}:{kind}:{number}" + (f":{seed}" if kind != "trial" else "")
        return TrialRecord(
            uid=uid,
            kind=kind,
            number=number,
            seed_number=seed,
            params=params,
            members=members,
            digests=self._digests,
            started=time.time(),
        )

    def _sampler(self) -> StudySampler:
        if self.file.sampler.name == "grid":
            return GridSampler(self.read.space.cells())
        return CoarseToFineSampler(seed=self.file.seed, proposal=self.file.sampler.proposal)

    def _training(self, executor: SliceExecutor) -> Training:
        return Training(
            folder=self.folder,
            executor=executor,
            workers=executor.workers,
            data=self.read.selection,
            objective=self.file.objective,
            lengths=self.lengths,
            evaluation=self.file.evaluation,
            slice_seconds=self.file.execution.slice_seconds,
            code_folder=str(self.read.path.resolve().parent),
            stop=self.stop,
        )

    def _best(
        self, records: Iterable[TrialRecord], epochs: int, known: float | None = None
    ) -> float | None:
        """The best score at this length among these records and the one known."""
        ranked = best_first(records, epochs, self._direction)
        scores = [r.scores[str(epochs)] for r in ranked[:1]]
        scores += [] if known is None else [known]
        return (max if self._direction == "maximize" else min)(scores, default=None)

    def _close(self, stage: int, held: list[TrialRecord]) -> list[int]:
        """End a stage: decide, write the decision, then carry it out. Returns the promoted.

        Args:
            held: the stage's trials. After a restart later stages have trials already, which this
                stage's decision says nothing of.
        """
        last = stage == len(self.lengths) - 1
        name = f"stages/{stage}.json"
        decided = self.folder.read_json(name)
        if decided is None or last:
            following = None if last else self.file.stages[stage + 1]
            going_on = (
                promoted(held, self.lengths[stage], following, self._direction)
                if following
                else []
            )
            rows = narrowing(
                self._trials.study, self._sampler(), self.read.space, stage, self._ranges
            )
            decided = {"promoted": going_on, "ranges": [row.as_dict() for row in rows]}
            self.folder.write_json(name, decided)
        self._ranges += [RangeRow(**row) for row in decided["ranges"]]
        for record in held:
            if record.outcome == "paused" and record.number not in decided["promoted"]:
                record.outcome = "pruned"
                self.folder.write(record)
                self._tell(record)
        return list(decided["promoted"])

    def _confirm(self, executor: SliceExecutor) -> Generator[Event, None, dict[int, Estimate]]:
        """Run the best trials again on fresh seeds; returns {number: Estimate}, best first."""
        complete = [r for r in self._records.values() if r.outcome == "complete"]
        top = best_first(complete, self.lengths[-1], self._direction)
        if not top:
            raise StudyFailed(
                "at least one trial must reach the last stage with a finite loss, but none did: "
                "lower the learning rates in [space], then start anew with --fresh"
            )
        settings = self.file.confirmation
        records = [
            self._again("confirmation", trial, seed)
            for trial in top[: settings.top]
            for seed in range(1, settings.seeds + 1)
        ]
        yield PhaseStarted("confirmation", len(records))
        yield from self._run_phase(executor, records, self.lengths[-1])
        confirmed = {}
        for trial in top[: settings.top]:
            scores = [
                r.scores[str(self.lengths[-1])]
                for r in records
                if r.number == trial.number and r.outcome == "complete"
            ]
            if len(scores) == settings.seeds:  # a configuration that diverges on a seed is out
                confirmed[trial.number] = Estimate.of(scores)
        if not confirmed:
            raise StudyFailed(
                f"at least one of the best {settings.top} trials must train on every fresh seed, "
                "but each failed or diverged on one: raise confirmation.top"
            )
        sign = -1 if self._direction == "maximize" else 1
        return dict(sorted(confirmed.items(), key=lambda item: (sign * item[1].mean, item[0])))

    def _test(self, executor: SliceExecutor, confirmed: dict[int, Estimate]) -> Iterator[Event]:
        """Refit the winner on training and validation data, and open the test set."""
        winner = self._records[next(iter(confirmed))]
        epochs = self._winner_epochs(winner)
        # A dict of its own: the trials' records hold the one without.
        self._digests = {
            **self._digests,
            "test": open_test(self.read.selection).examples.digest(),
        }
        self._compare_digests(self.folder.read_all("test"))
        records = [
            self._again("test", winner, seed)
            for seed in range(1, self.file.confirmation.test_seeds + 1)
        ]
        yield PhaseStarted("test", len(records))
        yield from self._run_phase(executor, records, epochs)

    def _run_phase(
        self, executor: SliceExecutor, records: list[TrialRecord], until: int
    ) -> Iterator[Event]:
        exam = "test" if records[0].kind == "test" else "validation"
        for record in self._training(executor).run([records], until, exam):  # type: ignore[arg-type]
            yield RunReached(record)
        for record in records:  # those too that were there before a restart could announce them
            self.folder.announce_record(record)

    def _again(self, kind: Kind, trial: TrialRecord, seed: int) -> TrialRecord:
        """The record of a trial's configuration on a fresh seed."""
        known = self.folder.read(kind, trial.number, seed)
        if known is not None:
            return known
        if kind == "test":
            members = [MemberRecord(0, (self.file.seed, trial.number, TEST_ENTROPY + seed, 0))]
        else:
            members = [
                MemberRecord(m.split, (self.file.seed, trial.number, seed, m.split))
                for m in trial.members
            ]
        return self._record(kind, trial.number, seed, trial.params, members)

    def _winner_epochs(self, winner: TrialRecord) -> int:
        """How long the winner is refitted: all epochs, or its best epoch's mean over members."""
        if not self.file.objective.best_epoch:
            return self.lengths[-1]
        best = max if self._direction == "maximize" else min
        metric = self.file.objective.metric
        found = [
            m.epochs[m.history[metric].index(best(m.history[metric]))] for m in winner.members
        ]
        return round(sum(found) / len(found))

    def _write_result(self, confirmed: dict[int, Estimate]) -> None:
        result = verdict(self.read, self.run, self._records, self._ranges, confirmed)
        plan = [stage.trials for stage in self.file.stages]
        self.folder.write_json(RESULT, {"plan": plan, "result": result.as_dict()})


def _differing(before: dict[str, str], now: dict[str, str]) -> str:
    names = [name for name in now if before.get(name) != now[name]]
    return " and ".join(f"{n} (digest {before.get(n)} before, {now[n]} now)" for n in names)
