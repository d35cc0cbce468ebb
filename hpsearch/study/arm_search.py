"""One arm's search: drawn, trained, promoted, run again on fresh seeds, tested.

Every step looks first whether it was done before, so that after a kill the same walk goes on where
the records end, with the same draws and decisions. docs/dev/life-of-a-trial.md draws the walk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from optuna.storages import BaseStorage

from hpsearch.analysis.failures import failures
from hpsearch.analysis.fidelity import Fidelity, fidelities
from hpsearch.analysis.narrowing import narrowing
from hpsearch.analysis.ranking import feasible_score
from hpsearch.datasets.fewer_rows import most_rows
from hpsearch.datasets.selection import open_pool
from hpsearch.execution.base import SliceExecutor
from hpsearch.records.estimate import Estimate
from hpsearch.records.outcome import Outcome
from hpsearch.records.range_row import RangeRow
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.chapters.advice import widening
from hpsearch.study.code_checks import CodeChecks
from hpsearch.study.confirmation.extent import Costs, more_rows
from hpsearch.study.confirmation.finals import Finals
from hpsearch.study.draws import Draws, Numbers
from hpsearch.study.events import (
    BatchFailed,
    BudgetEnded,
    Event,
    OptunaRefilled,
    SpaceTried,
    StageStarted,
    TrialReached,
)
from hpsearch.study.library_warnings import LibraryWarnings
from hpsearch.study.opening import Run
from hpsearch.study.plan import n_defaults
from hpsearch.study.pruning.folds import FoldsAsNeeded
from hpsearch.study.pruning.judges import judge_of
from hpsearch.study.pruning.rungs import Rungs
from hpsearch.study.reached import ReachedTrials
from hpsearch.study.spending import Batch, Spending
from hpsearch.study.stage_end import Decision, carry_out, decide
from hpsearch.study.stages import first_ranked
from hpsearch.study.starting.learned import learned_by
from hpsearch.study.storage.refill import contradictions, is_of_earlier_chapter, refill_optuna
from hpsearch.study.storage.trials import TrialStore
from hpsearch.study.training import Training, Trains
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.tables.protocol import exam_of


@dataclass
class ArmSearch:
    """The search of one arm of a run.

    Args:
        read: the study file.
        run: its open run.
        arm: which of its searches.
        storage: Optuna's.
        executor: where members are trained.
        tell: called with each event.
        stand_in, stop, tracking_uri: as for Study.

    Attributes:
        records: its trials, by their number in the study.
        ranges: how parameters narrowed, over all stages so far.
        confirmed: after `execute`, the objective over its repeats by trial, best first.
        finals: after `execute`, what ran them again.
        failure: why it has no result, where others go on without it.
        ended: the keys of [budget] that cut its search, in turn.
        tried: how many configurations there are, where drawing ended as all were tried; else None.
    """

    read: ReadStudy
    run: Run
    arm: Arm
    storage: BaseStorage
    executor: SliceExecutor
    tell: Callable[[Event], None]
    stand_in: Callable[[Training], Trains] = lambda training: training
    stop: Callable[[], bool] = lambda: False
    tracking_uri: str = ""
    records: dict[int, TrialRecord] = field(default_factory=dict)
    ranges: list[RangeRow] = field(default_factory=list)
    confirmed: dict[int, Estimate] = field(default_factory=dict)
    failure: str = ""
    ended: list[str] = field(default_factory=list)
    tried: int | None = None

    def __post_init__(self) -> None:
        self.file = self.read.file
        self.folder = self.run.folder
        self.lengths = self.file.lengths
        earlier = learned_by(self.folder, self.arm) if self.file.learn_from else []
        self._sampler = self.file.sampler.make(self.arm.space, self.file.facts(), earlier)
        self._told_of_failures = False
        self._cut_short = False  # whether the budget ended more than the drawing of a stage
        self._stopping: Rungs | FoldsAsNeeded | None = None
        if self.file.folds_as_needed:
            self._stopping = FoldsAsNeeded(self.file, self.folder)
        elif self.file.pruner is not None:
            judge = judge_of(self.file, self.arm.name, self.arm.local)
            self._stopping = Rungs(self.file, judge, self.folder)

    def execute(self) -> None:
        """Run what is left of it.

        Raises:
            StudyFailed: too many trials failed, or none has a score in the end.
            DataError: the data set is missing or too small.
            StudyStopped: `stop` said so.
        """
        self._open()
        try:
            self._search()
            if self._checks is not None:
                self._checks.finish()
        finally:
            if self._checks is not None:
                self._checks.close()
        ranked = self._ranked()
        extent = self._spending.extent(len(ranked), beside=self._beside)
        self.finals = Finals(self._records, ranked, self._training, self.tell, extent)
        self.confirmed = self.finals.confirm()
        if self.file.is_tested:
            self.finals.test(self.records[next(iter(self.confirmed))])

    def _open(self) -> None:
        """Open the data, the records and Optuna's storage, and see that they belong together."""
        self._records = ArmRecords(self.read, self.run, self.arm)
        self.records = self._records.trials
        name, local = self.run.storage_name(self.arm.name), self.arm.local
        self._see_that_optuna_agrees(name)
        self._trials = TrialStore(self.storage, name, self.file.directions, local=local)
        self._reached = ReachedTrials(self._records, self._trials)
        self._draws = Draws(self._records, self._trials, self._sampler)
        self._draws.restore()
        self._draws.tell_earlier()
        data = self.arm.selection
        training = Training.of(
            self.read,
            data,
            self.folder,
            self.executor,
            stop=self.stop,
            tracking_uri=self.tracking_uri,
        )
        training = replace(training, warned=LibraryWarnings(self.folder, self.tell).take)
        self._training = self.stand_in(training)
        played = self._training is not training  # from records: nothing is trained
        self._checks = None if played else CodeChecks(training, self.tell)
        self._clear = (lambda _: None) if played else training.clear

    def _see_that_optuna_agrees(self, name: str) -> None:
        """Draws follow from what Optuna has: where that is not the records', make it anew."""
        earlier, directions = self._records.earlier.records, self.file.directions
        if earlier and is_of_earlier_chapter(self.storage, name, earlier, self.arm, directions):
            refill_optuna(self.storage, name, self.folder, self.arm, directions)
        problems = contradictions(self.storage, name, self.records.values(), self.arm)
        if problems:
            refill_optuna(self.storage, name, self.folder, self.arm, self.file.directions)
            self.tell(OptunaRefilled(tuple(problems), self.arm.label))

    def _search(self) -> None:
        self._spending = Spending(self.file, self.arm, self.folder, self._ahead)
        try:
            self._run_stages(self._spending)
        finally:
            self._spending.keep()

    def _ranked(self) -> list[TrialRecord]:
        """The trials that may be confirmed, the best first.

        Where the budget let none come to the last stage, those of the last that has any.
        """
        lengths = self.lengths[::-1] if self._cut_short else self.lengths[-1:]
        return first_ranked(self.records.values(), lengths, self.file.directions)

    @property
    def _beside(self) -> bool:
        """Whether the defaults are run beside the best."""
        return n_defaults(self.file, [self.arm]) > 0

    def _ahead(self, at_once: float) -> Costs:
        """What confirmation and test would take by the clock, by the trials so far."""
        directions = self.file.directions
        best = first_ranked(self.records.values(), self.lengths[::-1], directions)
        if not best:
            return Costs([], 0.0, 0.0)
        pool, last = open_pool(self.arm.selection), self.file.stages[-1].rows
        return Costs.in_seconds(
            self.file,
            best,
            [record for record in self.records.values() if record.scores],
            beside=self._beside,
            rows=last or most_rows(pool) or 1,
            more_rows=more_rows(pool, last),
            at_once=at_once,
        )

    def _run_stages(self, spending: Spending) -> None:
        drawn, before = self.run.chapter.first, Decision()
        earlier = self._records.earlier
        for stage in range(len(self.lengths)):
            continuing = earlier.continuing(stage)
            n_fresh = earlier.n_open(stage) - len(before.promoted)
            going_on, first = self._going_on([*continuing, *before.going_on], stage, drawn)
            fresh = [*map(self.arm.number, range(first, first + n_fresh))]
            n_promoted = len(continuing) + len(before.promoted)
            numbers = going_on + fresh
            self._tell_of_stage(stage, len(numbers), numbers, spending.seconds_left)
            if not going_on and not earlier.n_members(stage):  # nothing was tried at this length
                self._draws.count_anew(drawn)
            drawn = first
            batches = [going_on] if going_on else []
            batches += self._draws.batches(stage, fresh, n_promoted)
            began = self._run_stage(stage, batches, bool(before.going_on), spending)
            if self._cut_short:
                self.ranges += self._narrowing(stage)
                return  # undecided: a wider budget goes on here
            drawn += len(began) - len(going_on)
            if self._checks is not None:
                self._checks.see_ends(began, self.lengths[stage])
            before = decide(self._records, stage, began, partial(self._narrowing, stage))
            self.ranges += before.ranges
            carry_out(before, self._records, stage, began, self._reached)
            self._clear(began)

    def _going_on(self, numbers: Sequence[int], stage: int, drawn: int) -> tuple[list[int], int]:
        """The trials that a stage begins with, and the local number of the next new one.

        Those of earlier chapters go on as new trials, whose numbers come before those drawn.

        Args:
            drawn: the local number of the next new trial.
        """
        found: list[int] = []
        for number in numbers:
            if self.arm.local(number) < self.run.chapter.first:
                batch = self._records.earlier.n_batches(stage)
                new, drawn = self.arm.number(drawn), drawn + 1
                self._records.going_on(new, number, stage=stage, batch=batch)
                found.append(new)
            else:
                found.append(number)
        return found, drawn

    def _tell_of_stage(
        self, stage: int, trials: int, numbers: Sequence[int], seconds: float | None
    ) -> None:
        known = [self.records[n] for n in numbers if n in self.records]
        done = sum(self.lengths[stage] in r.scores or r.sealed for r in known)
        n_stages, settings = len(self.lengths), self.file.stages[stage]
        event = StageStarted(
            stage,
            n_stages,
            trials,
            settings.epochs,
            done,
            self.arm.label,
            seconds,
            settings.rows,
        )
        self.tell(event)

    def _run_stage(
        self, stage: int, batches: list[list[int]], promotes: bool, spending: Spending
    ) -> list[TrialRecord]:
        """Run a stage's batches while the budget lets; returns the trials that ran.

        Args:
            promotes: whether the first batch goes on from the stage before.
        """
        began: list[TrialRecord] = []
        for group in self._draws.groups(batches, self._records.earlier.n_batches(stage)):
            if not self._draws.is_needed(group[0].trials[0]):
                break
            batch = self._batch(stage, group[0], promotes)
            end = spending.ends(batch, began)
            if end == "epochs" and batch.promoted:  # the best of them; they are not drawn anew
                group = [Numbers(0, group[0].trials[: spending.affordable(batch)])]
            elif end:
                group = []
            if any(numbers.trials for numbers in group):
                self._train(stage, group)
            for numbers in group:
                ran = [self.records[n] for n in numbers.trials if n in self.records]
                spending.settle(self._batch(stage, numbers, promotes), ran)
                began += ran
            if end:
                self.ended.append(end)
                self._cut_short = not spending.stage_only
                self.tell(BudgetEnded(end, stage, not self._cut_short, self.arm.label))
                break
        self._tell_of_space(stage, [n for numbers in batches for n in numbers])
        return began

    def _tell_of_space(self, stage: int, numbers: Sequence[int]) -> None:
        """Tell of a stage some of whose trials are not drawn as all configurations were tried."""
        left = [number for number in numbers if number not in self.records]
        configurations = self._draws.configurations
        if left and configurations is not None and not self._draws.is_needed(left[0]):
            self.tried = configurations
            asked, n_stages = self.file.stages[stage].trials, len(self.lengths)
            event = SpaceTried(
                configurations, asked, len(left), stage, n_stages, arm=self.arm.label
            )
            self.tell(event)

    def _batch(self, stage: int, numbers: Numbers, promotes: bool) -> Batch:
        """What the budget is asked about."""
        promoted = promotes and numbers.batch == self._records.earlier.n_batches(stage)
        known = [self.records[n] for n in numbers.trials if n in self.records]
        begun = bool(known)
        if promoted:
            before = self.lengths[stage - 1]
            begun = any(member.epoch > before for r in known for member in r.members)
        return Batch(stage, numbers.batch, len(numbers.trials), promoted, begun)

    def _train(self, stage: int, group: Sequence[Numbers]) -> None:
        """Draw each batch whole, train it, and report its trials in the order of numbers."""
        until = self.lengths[stage]
        order = [number for numbers in group for number in numbers.trials]
        drawn = (self._draws.draw(stage, numbers) for numbers in group)
        best = self._best(self.records.values(), until)
        for record in self._trained(drawn, stage):
            best = self._best([record], until, best)
            self.tell(TrialReached(record, best))
            if self._checks is not None:
                self._checks.see(record)
            if stage == 0 and not self._told_of_failures:
                self._tell_of_failures(group[0])
            self._reached.report_in_order(order, until)
        self._reached.report_in_order(order, until)

    def _tell_of_failures(self, first: Numbers) -> None:
        """Tell, once, of a first batch all of whose trials failed for one reason."""
        trials = [self.records[number] for number in first.trials if number in self.records]
        ended = [record for record in trials if record.outcome is Outcome.FAILED]
        if first.batch or len(ended) < max(len(trials), 2):
            return
        reasons = failures(ended)
        if len(reasons) == 1:
            most, arm = self.file.budget.failures, self.arm.label
            self.tell(BatchFailed(len(ended), reasons[0].reason, most, arm))
            self._told_of_failures = True

    def _trained(
        self, batches: Iterable[Sequence[TrialRecord]], stage: int
    ) -> Iterator[TrialRecord]:
        """Each trial when it is at the stage's end, or was ended at a rung or a fold before."""
        exam = exam_of(self.file.protocol)
        if self._stopping is not None:
            return self._stopping.run(self._training, batches, stage, exam)
        return self._training.run(batches, self.lengths[stage], exam)

    def _best(
        self, records: Iterable[TrialRecord], epochs: int, known: float | None = None
    ) -> float | None:
        """The best feasible score at this length among these records and the one known."""
        found = [feasible_score(r, epochs) for r in records if r.outcome.ranked]
        scores = [score for score in (*found, known) if score is not None]
        best = max if self.file.objective.direction == "maximize" else min
        return best(scores, default=None)

    def _narrowing(self, stage: int) -> list[RangeRow]:
        advise = partial(widening, self.read)
        return narrowing(self._trials.study, self._sampler, self.arm, stage, self.ranges, advise)

    def fidelities(self) -> list[Fidelity]:
        """Whether each stage's scores predict the next one's."""
        return list(fidelities(self.file, self.records.values(), self.arm.name))

    def last_ranges(self) -> list[RangeRow]:
        """The ranges at the end of the last stage there was."""
        last = max((row.stage for row in self.ranges), default=0)
        return [row for row in self.ranges if row.stage == last]
