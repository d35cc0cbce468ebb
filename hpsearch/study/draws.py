"""The trials of an arm: in which batches they are drawn, and each drawn once.

A batch is drawn whole before any of it is trained. What was drawn before stands in a trial's
record; after a restart only the trials without one are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count, pairwise
from typing import NamedTuple

import numpy as np

from hpsearch.hyperparameters import ParamValue
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.base import Drawn, StudySampler
from hpsearch.samplers.related import REDRAWS, SampledTrial
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.storage.trials import TrialStore
from hpsearch.studyfile.tables.start.enqueue import wanted_in

RELATED = 0x2E1A7ED  # keeps what is drawn uniformly apart from all else


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

    Attributes:
        configurations: how many there are, where drawing ends when all were tried; else None.
    """

    def __init__(self, records: ArmRecords, trials: TrialStore, sampler: StudySampler) -> None:
        self._records, self._trials, self._sampler = records, trials, sampler
        self._file, self._arm, self._plans = records.read.file, records.arm, records.run.plans
        file, space = self._file, self._arm.space
        asked = sum(stage.trials for stage in file.stages)
        size = file.sampler.n_configurations(space, asked)
        self.configurations = None if records.run.repeats else size
        self._tried: set[tuple[tuple[str, ParamValue], ...]] = set()
        self._counted = 0  # trials of the arm that `_tried` is of
        self._distributions = {p.name: p.distribution for p in self._arm.space.parameters}

    def restore(self) -> None:
        """Bring Optuna's storage to where the records are, should it be behind."""
        self._trials.use(self._sampler)
        known = self._records.trials
        n_trials = self._arm.local(max(known)) + 1 if known else 0
        for number in map(self._arm.number, range(n_trials)):
            record = known.get(number)
            searched = self._arm.space.in_optuna(record.params) if record else {}
            self._trials.restore(number, searched, self._distributions)

    def tell_earlier(self) -> None:
        """Tell Optuna of the trials of earlier chapters, which no stage comes to again."""
        for record in self._records.earlier.records:
            self._trials.report(record.number, record.reported)
            self._trials.keep_goals(record)
            self._trials.keep_seconds(record)
            self._trials.finish(record.number, record.told, record.reported, record.values)

    def batches(self, stage: int, fresh: Sequence[int], n_promoted: int) -> Iterator[list[int]]:
        """The new trials of a stage in batches.

        Where trials were added to a stage, a batch begins: what was drawn before is not to
        depend on how far the study was when they were added.
        """
        before = n_promoted + self._records.earlier.n_members(stage)
        added = {plan[stage] - before for plan in self._plans}
        cuts = sorted({0, len(fresh), *(n for n in added if 0 < n < len(fresh))})
        size = self._file.sampler.batch
        for first, last in pairwise(cuts):
            for start in range(first, last, size):
                yield [*fresh[start : min(start + size, last)]]

    def groups(self, batches: Sequence[list[int]], first: int = 0) -> Iterator[list[Numbers]]:
        """Batches in groups: one whose draws don't depend on results need not wait for any.

        Args:
            first: the number of the first batch.

        Where a budget is asked before every batch, or trials are ended by all batches before, each
        waits for the one before.
        """
        one_by_one = self._file.budget.watched or self._file.ends_trials
        group: list[Numbers] = []
        for batch in map(Numbers, count(first), batches):
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
        """The records of a batch; those of its trials that have none are drawn now.

        Drawing ends, also within a batch, where every configuration of the space was tried.
        """
        found: list[TrialRecord] = []
        ahead: Mapping[int, Drawn] | None = None
        for number in numbers.trials:
            if not self.is_needed(number):
                break
            if ahead is None and not self._is_given(number):
                ahead = self._drawn_ahead(stage, numbers)
            drawn = None if ahead is None else ahead.get(number)
            found.append(self._record(number, stage, numbers.batch, drawn))
        return found

    def is_needed(self, number: int) -> bool:
        """Whether a trial is given, or some configuration was not tried by those before it."""
        if self.configurations is None or self._is_given(number):
            return True
        for local in range(self._counted, self._arm.local(number)):
            record = self._records.trials.get(self._arm.number(local))
            if record is not None:
                self._tried.add(tuple(self._arm.space.searched(record.params).items()))
        self._counted = max(self._counted, self._arm.local(number))
        return len(self._tried) < self.configurations

    def count_anew(self, local: int) -> None:
        """Take only what is tried from this trial of the arm on for tried."""
        self._tried, self._counted = set(), local

    def _drawn_ahead(self, stage: int, numbers: Numbers) -> dict[int, Drawn]:
        """What the sampler draws before trials are asked for, by number, if it does."""
        entropy = (self._file.seed, stage, numbers.batch)
        local = [*map(self._arm.local, numbers.trials)]
        study, suggest = self._trials.study, self._arm.space.suggest
        ahead = self._sampler.draw_ahead(study, local, suggest, entropy)
        return dict(zip(numbers.trials, ahead, strict=bool(ahead)))

    def _record(self, number: int, stage: int, batch: int, drawn: Drawn | None) -> TrialRecord:
        """The record of a trial, drawn now if it has none.

        Args:
            drawn: what was drawn ahead for it.
        """
        known = self._records.trials
        if number not in known:
            space = self._arm.space
            if drawn is not None and not self._is_enqueued(number):
                self._trials.restore(number, space.in_optuna(drawn.params), self._distributions)
                self._trials.note(number, drawn.notes)
            else:
                # What a start before stored is kept: its draw knew less of its batch.
                given = self._enqueued(number) | self._trials.stored(number)
                given = self._keeping(number, given)
                self._trials.restore(number, given, self._distributions)
            params = space.suggest(self._trials.trial(number)) | self._arm.values
            self._records.new(number, params, stage=stage, batch=batch)
        elif known[number].continues is not None:
            given = self._arm.space.in_optuna(known[number].params)
            self._trials.restore(number, given, self._distributions)
        return known[number]

    def _is_given(self, number: int) -> bool:
        """Whether it has a record, or [[enqueue]] says what it is."""
        return number in self._records.trials or self._is_enqueued(number)

    def _enqueued(self, number: int) -> dict[str, ParamValue]:
        """What the file wants to be tried first of this trial, by the names in Optuna."""
        if not self._is_enqueued(number):
            return {}
        space = self._arm.space
        wanted = wanted_in(space, self._file.enqueue[self._arm.local(number)])
        return space.in_optuna({**space.fixed, **wanted})

    def _keeping(self, number: int, given: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """A trial's values as its sampler draws them, or draws them again, beside those given.

        They are stored together, in one transaction: of a trial that a kill left with a part of
        them, those that relations bind would be drawn otherwise.
        """
        space, local = self._arm.space, self._arm.local(number)
        for attempt in range(REDRAWS):
            sampler = self._sampler.redrawn(attempt) if attempt else self._sampler
            sampled = SampledTrial(self._trials.study, sampler, local, given)
            params = space.suggest(sampled)
            if not space.relations:
                return sampled.params
            if space.broken(params) is None:
                return space.in_optuna(params)
        rng = np.random.default_rng((self._file.seed, RELATED, local))
        return space.in_optuna(space.kept(rng, given))

    def _is_enqueued(self, number: int) -> bool:
        return self._arm.local(number) < len(self._file.enqueue)
