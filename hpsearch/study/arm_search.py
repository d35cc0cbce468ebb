"""One arm's search: drawn, trained, promoted, run again on fresh seeds, tested.

Every step looks first whether it was done before, so that after a kill the same walk goes on where
the records end, with the same draws and decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from optuna.storages import BaseStorage

from hpsearch.analysis.fidelity import Fidelity, drawn_controls, fidelities
from hpsearch.analysis.narrowing import narrowing
from hpsearch.analysis.ranking import feasible_score
from hpsearch.errors import StudyFailed
from hpsearch.execution.base import SliceExecutor
from hpsearch.records.outcome import Outcome
from hpsearch.records.range_row import RangeRow
from hpsearch.records.result import Estimate
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers import NamedSampler
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.events import (
    BudgetEnded,
    Event,
    StageStarted,
    TrialReached,
)
from hpsearch.study.finals import Finals
from hpsearch.study.opening import Run
from hpsearch.study.rungs import Rungs
from hpsearch.study.spending import Batch, Spending
from hpsearch.study.stages import promoted
from hpsearch.study.storage import TrialStore
from hpsearch.study.training import Training, Trains, reached
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.tables.protocol import exam_of

HOPELESS = 4  # failed trials without a success: a mistake in the code rather than bad luck
Numbered = tuple[int, list[int]]  # a batch's number in the stage, and those of its trials


@dataclass
class ArmSearch:
    """The search of one arm of a run.

    Args:
        read: the study file.
        run: its open run.
        arm: which of its searches.
        storage: Optuna's.
        executor: where members are trained.
        through, stop: as for Study.

    Attributes:
        records: its trials, by their number in the study.
        ranges: how parameters narrowed, over all stages so far.
        confirmed: after `events`, the objective over fresh seeds by trial, best first.
        failure: why it has no result, where others go on without it.
        ended: the keys of [budget] that cut its search, in turn.
    """

    read: ReadStudy
    run: Run
    arm: Arm
    storage: BaseStorage
    executor: SliceExecutor
    through: Callable[[Training], Trains] = lambda training: training
    stop: Callable[[], bool] = lambda: False
    records: dict[int, TrialRecord] = field(default_factory=dict)
    ranges: list[RangeRow] = field(default_factory=list)
    confirmed: dict[int, Estimate] = field(default_factory=dict)
    failure: str = ""
    ended: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file = self.read.file
        self.folder = self.run.folder
        self.lengths = tuple(stage.epochs for stage in self.file.stages)
        self._failed_in_a_row = 0
        self._sampler = self.file.sampler.make(self.arm.space, self.file.facts())
        self._distributions = {p.name: p.distribution for p in self.arm.space.parameters}
        self._rungs: Rungs | None = None
        if self.file.pruner is not None:
            self._rungs = Rungs(self.file, self.arm.name, self.arm.local, self.folder)

    def events(self) -> Iterator[Event]:
        """Run what is left of it.

        Raises:
            StudyFailed: too many trials failed, or none has a score in the end.
            DataError: the data set is missing or too small.
        """
        self._open()
        yield from self._search()
        # Where the budget let none come to the last stage, the best of the last that has any.
        lengths = self.lengths[::-1] if self._cut_short else self.lengths[-1:]
        finals = Finals(self._records, lengths, self._training)
        self.confirmed = yield from finals.confirm()
        yield from finals.test(self.records[next(iter(self.confirmed))])

    def _open(self) -> None:
        """Open the data, the records and Optuna's storage, and see that they belong together."""
        self._records = ArmRecords(self.read, self.run, self.arm)
        self.records = self._records.trials
        self._trials = TrialStore(
            self.storage,
            self.run.storage_name(self.arm.name),
            self.file.directions,
            local=self.arm.local,
        )
        self._restore()

    def _restore(self) -> None:
        """Bring Optuna's storage to where the records are, should it be behind."""
        if not isinstance(self._sampler, NamedSampler):
            self._trials.use(self._sampler)
        n_trials = self.arm.local(max(self.records)) + 1 if self.records else 0
        for number in map(self.arm.number, range(n_trials)):
            record = self.records.get(number)
            searched = self.arm.space.searched(record.params) if record else {}
            self._trials.restore(number, searched, self._distributions)

    def _search(self) -> Iterator[Event]:
        spending = Spending(self.file, self.arm, self.folder)
        try:
            yield from self._stages(spending)
        finally:
            spending.keep()

    def _stages(self, spending: Spending) -> Iterator[Event]:
        drawn, going_on, n_controls = 0, list[int](), 0  # controls come last in going_on
        for number, stage in enumerate(self.file.stages):
            n_promoted, trials = len(going_on) - n_controls, stage.trials + n_controls
            last = drawn + stage.trials - n_promoted
            fresh = [*map(self.arm.number, range(drawn, last))]
            done = sum(
                stage.epochs in r.scores or r.sealed
                for r in map(self.records.get, [*going_on, *fresh])
                if r is not None
            )
            yield StageStarted(
                number, len(self.file.stages), trials, stage.epochs, done, self.arm.name
            )
            batches = [going_on] if going_on else []
            batches += self._batches(number, fresh, n_promoted)
            began = yield from self._run_stage(number, batches, len(going_on), spending)
            held = [self.records[n] for n in began]
            if self._cut_short:
                self.ranges += self._narrowing(number)
                return  # undecided: a wider budget goes on here
            drawn += len(began) - len(going_on)
            going_on, n_controls = self._close(number, held)

    def _run_stage(
        self, stage: int, batches: list[list[int]], n_promoted: int, spending: Spending
    ) -> Generator[Event, None, list[int]]:
        """Run a stage's batches, the promoted first, while the budget lets; returns who ran."""
        began: list[int] = []
        for group in self._joined(list(enumerate(batches))):
            batch = self._batch(stage, group[0], n_promoted)
            end = spending.ends(batch, [self.records[n] for n in began])
            if end == "epochs" and batch.promoted:  # the best of them; they are not drawn anew
                group = [(0, group[0][1][: spending.affordable(batch)])]
            elif end:
                group = []
            if any(numbers for _, numbers in group):
                yield from self._run_batches(stage, group)
            for one in group:
                began += one[1]
                ran = [self.records[n] for n in one[1]]
                spending.settle(self._batch(stage, one, n_promoted), ran)
            if end:
                self.ended.append(end)
                yield BudgetEnded(end, stage, self.arm.name)
                break
        return began

    @property
    def _cut_short(self) -> bool:
        """Whether the budget ended more than the drawing of a stage."""
        return bool(self.ended) and self.ended[-1] != "plateau"

    def _batch(self, stage: int, numbered: Numbered, n_promoted: int) -> Batch:
        """What the budget is asked about; the promoted are the first batch of a stage."""
        index, numbers = numbered
        promoted = index == 0 and n_promoted > 0
        known = [self.records[n] for n in numbers if n in self.records]
        begun = bool(known)
        if promoted:
            before = self.lengths[stage - 1]
            begun = any(member.epoch > before for r in known for member in r.members)
        return Batch(stage, index, len(numbers), promoted, begun)

    def _batches(self, stage: int, fresh: list[int], n_promoted: int) -> Iterator[list[int]]:
        """The new trials of a stage in batches.

        Where trials were added to a stage, a batch begins: what was drawn before is not to
        depend on how far the study was when they were added.
        """
        added = {plan[stage] - n_promoted for plan in self.run.plans}
        cuts = sorted({0, len(fresh), *(n for n in added if 0 < n < len(fresh))})
        for first, last in pairwise(cuts):
            for start in range(first, last, self.file.sampler.batch):
                yield fresh[start : min(start + self.file.sampler.batch, last)]

    def _joined(self, batches: list[Numbered]) -> Iterator[list[Numbered]]:
        """Batches in groups: one whose draws don't depend on results need not wait for any.

        Where a budget is asked before every batch, or a pruner knows of all batches before, each
        waits for the one before.
        """
        if self.file.budget.watched or self._rungs is not None:
            yield from ([batch] for batch in batches)
            return
        sampler, local = self._sampler, self.arm.local
        group: list[Numbered] = []
        for index, numbers in batches:
            free = (n in self.records or sampler.ignores_results(local(n)) for n in numbers)
            if group and not all(free):
                yield group
                group = []
            group.append((index, numbers))
        if group:
            yield group

    def _run_batches(self, stage: int, batches: list[Numbered]) -> Iterator[Event]:
        """Draw each batch whole, train it, and tell Optuna, in the order of numbers."""
        until = self.lengths[stage]
        order = [number for _, numbers in batches for number in numbers]
        drawn = (self._draw_batch(stage, index, numbers) for index, numbers in batches)
        best = self._best(self.records.values(), until)
        training, exam = self._training(), exam_of(self.file.protocol)
        running = (
            training.run(drawn, until, exam)
            if self._rungs is None
            else self._rungs.run(training, drawn, stage, exam)
        )
        for record in running:
            best = self._best([record], until, best)
            yield TrialReached(record, best)
            self._tell_reached(order, until)
        self._tell_reached(order, until)

    def _tell_reached(self, order: list[int], until: int) -> None:
        """Tell Optuna of the trials at the head of `order` that are there, and take them off.

        Raises:
            StudyFailed: all trials of the study so far failed, or too many in a row, or one ended
                in a way that [outcomes] stops at.
        """
        failed, most = False, self.file.budget.failures
        while order and (record := self.records.get(order[0])) and reached(record, until):
            self._tell(record)
            self.file.outcomes.refuse(
                record.number, record.outcome, limit=record.limit, reason=record.reason
            )
            failed |= record.outcome is Outcome.FAILED
            lost = record.outcome is Outcome.FAILED and until not in record.scores
            self._failed_in_a_row = self._failed_in_a_row + 1 if lost else 0
            order.pop(0)
            if self._failed_in_a_row >= most:
                raise StudyFailed(
                    f"fewer than budget.failures = {most} trials in a row must fail, but the last "
                    f"{most} did, trial {record.number} with:\n{record.reason}\nCorrect it, then "
                    "start anew with --fresh, or raise budget.failures to go on"
                )
        if not failed:
            return
        ended = [
            record for record in self.records.values() if record.outcome is not Outcome.RUNNING
        ]
        if len(ended) >= HOPELESS and all(record.outcome is Outcome.FAILED for record in ended):
            raise StudyFailed(
                f"at least one trial must give a score, but all {len(ended)} failed, "
                f"the last with:\n{ended[-1].reason}\nCorrect it, then start anew with --fresh"
            )

    def _tell(self, record: TrialRecord) -> None:
        """Tell Optuna, and then the projector, what a record says."""
        self._trials.report(record.number, record.reported)
        self._trials.keep_goals(record)
        if record.sealed:
            self._trials.finish(record.number, record.told, record.reported, record.values)
        self.folder.announce_record(record)

    def _draw_batch(self, stage: int, batch: int, numbers: list[int]) -> list[TrialRecord]:
        new = [n for n in numbers if n not in self.records and not self._enqueued(n)]
        if new and isinstance(self._sampler, NamedSampler):
            space, entropy = self.arm.space, (self.file.seed, stage, batch)
            local = [*map(self.arm.local, numbers)]
            drawn = self._sampler.draw(self._trials.study, local, space.suggest, entropy)
            for number, (params, notes) in zip(numbers, drawn, strict=True):
                if number in new:
                    searched = space.searched(params)
                    self._trials.restore(number, searched, self._distributions)
                    self._trials.note(number, notes)
                elif number not in self.records:  # Optuna numbers trials as they are made
                    self._enqueue(number)
        return [self._draw(number, stage, batch) for number in numbers]

    def _draw(self, number: int, stage: int, batch: int) -> TrialRecord:
        """The record of a trial, drawn now if it has none."""
        if number not in self.records:
            self._enqueue(number)
            params = self.arm.space.suggest(self._trials.trial(number)) | self.arm.values
            self._records.new(number, params, stage=stage, batch=batch)
        return self.records[number]

    def _enqueue(self, number: int) -> None:
        """Have the first trials take what the file wants to be tried first."""
        space = self.arm.space
        if self._enqueued(number):
            wanted = self.file.enqueue[self.arm.local(number)]
            active = {
                p.name: wanted[p.name]
                for p in space.parameters
                if p.name in wanted and p.active({**space.fixed, **wanted})
            }
            self._trials.restore(number, active, self._distributions)

    def _enqueued(self, number: int) -> bool:
        return self.arm.local(number) < len(self.file.enqueue)

    def _training(self) -> Trains:
        made = Training.of(
            self.read, self.arm.selection, self.folder, self.executor, stop=self.stop
        )
        return self.through(made)

    def _best(
        self, records: Iterable[TrialRecord], epochs: int, known: float | None = None
    ) -> float | None:
        """The best feasible score at this length among these records and the one known."""
        found = [feasible_score(r, epochs) for r in records if r.outcome.ranked]
        scores = [score for score in (*found, known) if score is not None]
        best = max if self.file.objective.direction == "maximize" else min
        return best(scores, default=None)

    def _close(self, stage: int, held: list[TrialRecord]) -> tuple[list[int], int]:
        """End a stage: decide, write the decision, then carry it out.

        Returns who goes on, the promoted and then the controls, and the number of controls.

        Args:
            held: the stage's trials. After a restart later stages have trials already, which this
                stage's decision says nothing of.
        """
        last = stage == len(self.lengths) - 1
        path = self.folder.files.stage(stage, self.arm.case)
        decided = self.folder.read_json(path)
        if decided is None or last:
            following = None if last else self.file.stages[stage + 1]
            going_on = (
                promoted(held, self.lengths[stage], following, self.file.directions)
                if following
                else []
            )
            left = [r for r in held if r.outcome is Outcome.PAUSED and r.number not in going_on]
            wanted = following.controls if following else 0
            entropy = (self.file.seed, self.arm.index, stage)
            decided = {
                "promoted": going_on,
                "controls": drawn_controls(left, wanted, entropy),
                "ranges": [row.as_dict() for row in self._narrowing(stage)],
            }
            self.folder.write_json(path, decided)
        self.ranges += [RangeRow.from_dict(row) for row in decided["ranges"]]
        controls = decided.get("controls", [])
        going_on = [*decided["promoted"], *controls]
        for record in held:
            if record.number in controls and stage + 1 not in record.controls:
                record.controls.append(stage + 1)
                self.folder.write(record)
            if record.outcome is Outcome.PAUSED and record.number not in going_on:
                record.become(Outcome.PRUNED)
                self.folder.write(record)
                self._tell(record)
        return going_on, len(controls)

    def _narrowing(self, stage: int) -> list[RangeRow]:
        if isinstance(self._sampler, NamedSampler):
            return []
        return narrowing(self._trials.study, self._sampler, self.arm, stage, self.ranges)

    def fidelities(self) -> list[Fidelity]:
        """Whether each stage's scores predict the next one's."""
        return list(fidelities(self.file, self.records.values(), self.arm.name))

    def last_ranges(self) -> list[RangeRow]:
        """The ranges at the end of the last stage there was."""
        last = max((row.stage for row in self.ranges), default=0)
        return [row for row in self.ranges if row.stage == last]
