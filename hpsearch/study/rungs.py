"""Rungs: epochs inside a stage at which a pruner ends trials.

A batch's trials are trained to a rung together, and decided there in the order of their numbers,
against what all batches before it came to. So a decision depends on no worker and no restart.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from hpsearch.counts import count_of
from hpsearch.execution.slices import Exam
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.pruners import make_pruner
from hpsearch.study.training import Trains
from hpsearch.studyfile.study_file import StudyFile


@dataclass(frozen=True)
class _Known:
    """What a pruner is to know of a trial that is in no batch under way."""

    state: TrialState = TrialState.FAIL  # of numbers that never ran
    values: Mapping[int, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


class Rungs:
    """Trains batches through the rungs of a stage; remembers what the pruner saw.

    What it remembers follows from the batches it is given, in turn, and from their records; after
    a restart it is given the same ones.

    Args:
        file: with a [pruner].
        name: of the arm; "" for the only one.
        local: from a trial's number to its number in Optuna.
        folder: where records are kept.
    """

    def __init__(
        self, file: StudyFile, name: str, local: Callable[[int], int], folder: RunFolder
    ) -> None:
        assert file.pruner is not None
        self._file, self._local, self._folder = file, local, folder
        self._rungs, self._pruner = file.pruner.rungs, file.pruner.name
        self._name = f"{file.name} {name}".rstrip()  # hyperband deals brackets out by it
        self._lengths = [stage.epochs for stage in file.stages]
        self._known: dict[int, _Known] = {}

    def run(
        self,
        training: Trains,
        batches: Iterable[Sequence[TrialRecord]],
        stage: int,
        exam: Exam,
    ) -> Iterator[TrialRecord]:
        """As `Trains.run` to the stage's end; the pruned are yielded too.

        Controls are scored at rungs and never pruned: they are to tell of the stage's end.
        """
        until = self._lengths[stage]
        for batch in batches:
            if not batch:
                continue
            going, view = list(batch), self._view(batch)
            pruned: dict[int, int] = {}  # by number, the rung
            for rung in self._between(stage, batch):
                for record in training.run([going], rung, exam):
                    if record.sealed:
                        yield record
                going = [r for r in going if rung in r.reported]
                for record in sorted(going, key=lambda r: r.number):
                    wanted = self._asked(view, record, rung) and stage not in record.controls
                    if wanted and not record.sealed and not _beyond(record, rung):
                        after = f"pruned after {count_of(rung, 'epoch')}"
                        record.become(Outcome.PRUNED, f"{after} by the {self._pruner} pruner")
                        self._folder.write(record)
                        yield record
                    if record.outcome is Outcome.PRUNED and not _beyond(record, rung):
                        pruned[record.number] = rung
                going = [r for r in going if r.number not in pruned]
            yield from training.run([going], until, exam)
            for record in batch:
                self._settle(view, record, pruned.get(record.number), until)

    def _between(self, stage: int, batch: Sequence[TrialRecord]) -> list[int]:
        """The rungs ahead of a batch: all below the stage's end, of promoted ones those after the
        end of the stage before."""
        new = batch[0].stage == stage
        after = 0 if new else self._lengths[stage - 1]
        return [rung for rung in self._rungs if after < rung < self._lengths[stage]]

    def _view(self, batch: Sequence[TrialRecord]) -> optuna.Study:
        """An Optuna study as the pruner sees it: who was trained to a stage's end is complete,
        the batch's trials run."""
        running = {self._local(record.number) for record in batch}
        settings = self._file.pruner
        assert settings is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study = optuna.create_study(
                study_name=self._name,
                direction=self._file.objective.direction,
                sampler=optuna.samplers.RandomSampler(seed=0),  # draws nothing
                pruner=make_pruner(
                    settings.name,
                    settings.options,
                    rungs=settings.rungs,
                    n_epochs=self._lengths[-1],
                ),
            )
        study.add_trials(
            [
                _frozen(self._known.get(number, _Known()), running=number in running)
                for number in range(max([*running, *self._known]) + 1)
            ]
        )
        return study

    def _asked(self, view: optuna.Study, record: TrialRecord, rung: int) -> bool:
        """Report a trial's score at a rung; whether the pruner would end it."""
        stored = view.get_trials(deepcopy=False)[self._local(record.number)]
        trial = optuna.Trial(view, stored._trial_id)
        trial.report(record.reported[rung], step=rung)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # wilcoxon's, of steps that the best trial lacks
            return trial.should_prune()

    def _settle(
        self, view: optuna.Study, record: TrialRecord, pruned: int | None, until: int
    ) -> None:
        """Keep what later batches are to see of a trial; nothing of later stages."""
        if not math.isnan(record.scores.get(until, math.nan)):
            state = TrialState.COMPLETE
        else:
            state = TrialState.FAIL if record.outcome is Outcome.FAILED else TrialState.PRUNED
        end = until if pruned is None else pruned
        values = {n: score for n, score in record.reported.items() if n <= end}
        number = self._local(record.number)
        notes = view.get_trials(deepcopy=False)[number].system_attrs
        self._known[number] = _Known(state, values, notes)


def _beyond(record: TrialRecord, rung: int) -> bool:
    """Whether it was trained on from a rung, before a restart."""
    return any(member.epoch > rung for member in record.members)


def _frozen(known: _Known, *, running: bool) -> FrozenTrial:
    """A trial of the pruner's study."""
    state = TrialState.RUNNING if running else known.state
    last = known.values[max(known.values)] if known.values else None
    return create_trial(
        state=state,
        value=last if state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        intermediate_values=dict(known.values),
        system_attrs=dict(known.notes),
    )
