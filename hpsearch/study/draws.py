"""The trials of an arm: in which batches they are drawn, and each drawn once.

A batch is drawn whole before any of it is trained. What was drawn before stands in a trial's
record; after a restart only the trials without one are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers import StudySampler
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.storage.trials import TrialStore


class Numbers(NamedTuple):
    """A batch before it is drawn: its number in the stage, and those of its trials."""

    batch: int
    trials: list[int]


class Draws:
    """Draws the trials of an arm.

    Args:
        records: the arm's; new trials are added to them.
        trials: the arm's in Optuna's storage.
        sampler: draws what neither a record nor [[enqueue]] gives.
    """

    def __init__(self, records: ArmRecords, trials: TrialStore, sampler: StudySampler) -> None:
        self._records, self._trials, self._sampler = records, trials, sampler
        self._file, self._arm, self._plans = records.read.file, records.arm, records.run.plans
        self._distributions = {p.name: p.distribution for p in self._arm.space.parameters}

    def restore(self) -> None:
        """Bring Optuna's storage to where the records are, should it be behind."""
        self._trials.use(self._sampler)
        known = self._records.trials
        n_trials = self._arm.local(max(known)) + 1 if known else 0
        for number in map(self._arm.number, range(n_trials)):
            record = known.get(number)
            searched = self._arm.space.searched(record.params) if record else {}
            self._trials.restore(number, searched, self._distributions)

    def batches(self, stage: int, fresh: Sequence[int], n_promoted: int) -> Iterator[list[int]]:
        """The new trials of a stage in batches.

        Where trials were added to a stage, a batch begins: what was drawn before is not to
        depend on how far the study was when they were added.
        """
        added = {plan[stage] - n_promoted for plan in self._plans}
        cuts = sorted({0, len(fresh), *(n for n in added if 0 < n < len(fresh))})
        size = self._file.sampler.batch
        for first, last in pairwise(cuts):
            for start in range(first, last, size):
                yield [*fresh[start : min(start + size, last)]]

    def groups(self, batches: Sequence[list[int]]) -> Iterator[list[Numbers]]:
        """Batches in groups: one whose draws don't depend on results need not wait for any.

        Where a budget is asked before every batch, or a pruner knows of all batches before, each
        waits for the one before.
        """
        one_by_one = self._file.budget.watched or self._file.pruner is not None
        group: list[Numbers] = []
        for batch in map(Numbers, range(len(batches)), batches):
            if group and (one_by_one or not all(map(self._is_free, batch.trials))):
                yield group
                group = []
            group.append(batch)
        if group:
            yield group

    def _is_free(self, number: int) -> bool:
        local = self._arm.local(number)
        return number in self._records.trials or self._sampler.ignores_results(local)

    def draw(self, stage: int, numbers: Numbers) -> list[TrialRecord]:
        """The records of a batch; those of its trials that have none are drawn now."""
        known = self._records.trials
        if any(n not in known and not self._is_enqueued(n) for n in numbers.trials):
            self._draw_ahead(stage, numbers)
        return [self._record(number, stage, numbers.batch) for number in numbers.trials]

    def _draw_ahead(self, stage: int, numbers: Numbers) -> None:
        """Store what the sampler draws before trials are asked for, if it does."""
        space, entropy = self._arm.space, (self._file.seed, stage, numbers.batch)
        local = [*map(self._arm.local, numbers.trials)]
        ahead = self._sampler.draw_ahead(self._trials.study, local, space.suggest, entropy)
        for number, drawn in zip(numbers.trials, ahead, strict=bool(ahead)):
            if number in self._records.trials:
                continue
            if self._is_enqueued(number):  # Optuna numbers trials as they are made
                self._enqueue(number)
            else:
                searched = space.searched(drawn.params)
                self._trials.restore(number, searched, self._distributions)
                self._trials.note(number, drawn.notes)

    def _record(self, number: int, stage: int, batch: int) -> TrialRecord:
        """The record of a trial, drawn now if it has none."""
        known = self._records.trials
        if number not in known:
            self._enqueue(number)
            params = self._arm.space.suggest(self._trials.trial(number)) | self._arm.values
            self._records.new(number, params, stage=stage, batch=batch)
        return known[number]

    def _enqueue(self, number: int) -> None:
        """Have the first trials take what the file wants to be tried first."""
        if not self._is_enqueued(number):
            return
        space = self._arm.space
        wanted = self._file.enqueue[self._arm.local(number)]
        active = {
            p.name: wanted[p.name]
            for p in space.parameters
            if p.name in wanted and p.active({**space.fixed, **wanted})
        }
        self._trials.restore(number, active, self._distributions)

    def _is_enqueued(self, number: int) -> bool:
        return self._arm.local(number) < len(self._file.enqueue)
