"""What says who of a batch ends at a rung: a pruner of Optuna's, or ours, by Pareto rank."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from hpsearch.analysis.ranking import Standing, ranked, standing
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.pruners import ParetoOptions, make_pruner
from hpsearch.studyfile.study_file import StudyFile


class Judge(Protocol):
    """Decides at rungs, of one batch after another; remembers what it saw."""

    def begin(self, batch: Sequence[TrialRecord]) -> None:
        """Take up a batch."""

    def ended(self, going: Sequence[TrialRecord], rung: int) -> Collection[int]:
        """The numbers of those that it would end at a rung.

        Args:
            going: the batch's trials that came there, by number.
        """

    def settle(self, record: TrialRecord, pruned: int | None, until: int) -> None:
        """Keep what later batches are to be judged by; nothing of later stages.

        Args:
            record: of the batch.
            pruned: the rung that ended it.
            until: the stage's length.
        """


def judge_of(file: StudyFile, name: str, local: Callable[[int], int]) -> Judge:
    """The judge of one arm.

    Args:
        file: with a [pruner].
        name: of the arm; "" for the only one.
        local: from a trial's number to its number in Optuna.
    """
    assert file.pruner is not None
    if file.pruner.by_rank:
        return ParetoJudge(ParetoOptions.of(file.pruner.options), file.directions)
    return OptunaJudge(file, name, local)


@dataclass
class ParetoJudge:
    """Ends all but a share of those that came to a rung, by Pareto rank and crowding distance.

    A batch's trials are held against each other and against all that came to the rung before,
    also against those that ended there: what was seen of them is as true.

    Source: Schmucker, Donini, Zafar, Salinas and Archambeau, "Multi-objective asynchronous
    successive halving" (2021), with NSGA-II's order among those of one rung; here by batches.

    Attributes:
        options: the share, and from how many on.
        directions: of the objectives.
    """

    options: ParetoOptions
    directions: Sequence[str]
    _seen: dict[int, dict[int, Standing]] = field(default_factory=dict, init=False)  # by rung

    def begin(self, batch: Sequence[TrialRecord]) -> None:
        """Nothing is known of a batch before its first rung."""

    def ended(self, going: Sequence[TrialRecord], rung: int) -> Collection[int]:
        seen = self._seen.setdefault(rung, {})
        seen |= {record.number: standing(record, rung) for record in going}
        if len(seen) < self.options.n_startup_trials:
            return ()
        order = ranked(seen.values(), self.directions)
        return {one.number for one in order[math.ceil(self.options.keep * len(order)) :]}

    def settle(self, record: TrialRecord, pruned: int | None, until: int) -> None:
        """All is known of it."""


@dataclass(frozen=True)
class _Known:
    """What a pruner is to know of a trial that is in no batch under way."""

    state: TrialState = TrialState.FAIL  # of numbers that never ran
    values: Mapping[int, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


class OptunaJudge:
    """A pruner of Optuna's, which is asked of a batch's trials in turn.

    Args:
        file, name, local: as for `judge_of`.
    """

    def __init__(self, file: StudyFile, name: str, local: Callable[[int], int]) -> None:
        self._file, self._local = file, local
        self._name = f"{file.name} {name}".rstrip()  # hyperband deals brackets out by it
        self._known: dict[int, _Known] = {}

    def begin(self, batch: Sequence[TrialRecord]) -> None:
        """Make an Optuna study as the pruner sees it: who was trained to a stage's end is
        complete, the batch's trials run."""
        running = {self._local(record.number) for record in batch}
        settings = self._file.pruner
        assert settings is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._view = optuna.create_study(
                study_name=self._name,
                direction=self._file.objective.direction,
                sampler=optuna.samplers.RandomSampler(seed=0),  # draws nothing
                pruner=make_pruner(
                    settings.name,
                    settings.options,
                    rungs=settings.rungs,
                    n_epochs=self._file.stages[-1].epochs,
                ),
            )
        self._view.add_trials(
            [
                _frozen(self._known.get(number, _Known()), running=number in running)
                for number in range(max([*running, *self._known]) + 1)
            ]
        )

    def ended(self, going: Sequence[TrialRecord], rung: int) -> Collection[int]:
        return {record.number for record in going if self._asked(record, rung)}

    def _asked(self, record: TrialRecord, rung: int) -> bool:
        """Report a trial's score at a rung; whether the pruner would end it."""
        stored = self._view.get_trials(deepcopy=False)[self._local(record.number)]
        trial = optuna.Trial(self._view, stored._trial_id)
        trial.report(record.reported[rung], step=rung)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # wilcoxon's, of steps that the best trial lacks
            return trial.should_prune()

    def settle(self, record: TrialRecord, pruned: int | None, until: int) -> None:
        if not math.isnan(record.scores.get(until, math.nan)):
            state = TrialState.COMPLETE
        else:
            state = TrialState.FAIL if record.outcome is Outcome.FAILED else TrialState.PRUNED
        end = until if pruned is None else pruned
        values = {n: score for n, score in record.reported.items() if n <= end}
        number = self._local(record.number)
        notes = self._view.get_trials(deepcopy=False)[number].system_attrs
        self._known[number] = _Known(state, values, notes)


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
