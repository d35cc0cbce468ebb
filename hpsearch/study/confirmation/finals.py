"""After an arm's search: its best configurations on fresh splits and seeds, beside them the
defaults, and the test of the winner and of the defaults."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hpsearch.analysis.estimates import estimate, over_splits
from hpsearch.analysis.failures import failures
from hpsearch.analysis.ranking import mean_standing, ranked
from hpsearch.counts import count_of
from hpsearch.errors import StudyFailed
from hpsearch.execution.slices import Exam
from hpsearch.metrics import THRESHOLD, TREES
from hpsearch.records.estimate import Estimate
from hpsearch.records.layout import Kind
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.confirmation.choice import choose
from hpsearch.study.confirmation.extent import Extent
from hpsearch.study.confirmation.repeats import repeat_scores
from hpsearch.study.events import Event, PhaseStarted, RunReached
from hpsearch.study.training import Trains, reached
from hpsearch.trainers import is_program

NO_DEFAULT = (
    "the winner was not compared with the defaults, which are unknown: give {} a default, as in "
    "{{ low = 1e-4, high = 1.0, log = true, default = 0.01 }}"
)
BROKEN_DEFAULT = (
    "the winner was not compared with the defaults, which violate the relation {!r}: give one of "
    "its parameters another default, as in {{ low = 0.0, high = 1.0, default = 0.5 }}"
)


@dataclass
class Finals:
    """What follows an arm's stages.

    Args:
        records: the arm's.
        ranked: its trials, the best first.
        training: trains them.
        tell: called with each event.
        extent: how many are run, how often.

    Attributes:
        repeats: of each configuration that was confirmed, by trial, the runs in their order.
        defaults: the runs of the defaults; [] where there are none.
        no_default: why there are none; "" where there are, or nobody asked for them.
        choice: why the winner is not the best of those confirmed; "" where it is.
    """

    records: ArmRecords
    ranked: Sequence[TrialRecord]
    training: Trains
    tell: Callable[[Event], None]
    extent: Extent
    repeats: dict[int, list[TrialRecord]] = field(default_factory=dict)
    defaults: list[TrialRecord] = field(default_factory=list)
    no_default: str = ""
    choice: str = ""

    def __post_init__(self) -> None:
        self._file = self.records.read.file
        self._epochs = self._file.lengths[-1]

    def confirm(self) -> dict[int, Estimate]:
        """Run the best trials again, and the defaults; returns {number: Estimate}, best first.

        Raises:
            StudyFailed: no trial has a score, or none trains on every repeat.
        """
        self._see_that_any_is_ranked()
        top = self.ranked[: self.extent.top]
        records = [
            record
            for trial in top
            for record in self.again("confirmation", trial.number, trial.params)
        ]
        self.defaults = self._defaults("default", self.extent.seeds)
        everything = records + self.defaults
        done = sum(reached(record, self._epochs) for record in everything)
        label = self.records.arm.label
        self.tell(PhaseStarted("confirmation", len(everything), done, label))
        self.run(everything)
        confirmed, standings = {}, []
        for trial in top:
            again = [
                r for r in records if r.number == trial.number and r.outcome is Outcome.COMPLETE
            ]
            if len(again) == self.extent.seeds:  # a configuration that diverges on a seed is out
                self.repeats[trial.number] = again
                confirmed[trial.number] = self.estimate(again)
                standings.append(mean_standing(again, self._epochs))
        if not confirmed:
            best = count_of(self.extent.top, "trial")
            raise StudyFailed(
                f"at least one of the best {best} must train on every fresh "
                "seed, but each failed or diverged on one: raise confirmation.top"
            )
        order = [s.number for s in ranked(standings, self._file.directions)]
        choice = choose(self.records, order, confirmed, self.repeats, self._error)
        self.choice = choice.reason
        order.sort(key=lambda number: number != choice.number)  # the winner first
        return {number: confirmed[number] for number in order}

    def _error(self, number: int) -> float:
        """The standard error of what a configuration scores."""
        values, of_splits = self._scores(self.repeats[number])
        ratio = self.records.fresh_ratio
        of = values if ratio is None else of_splits
        return float(np.std(of, ddof=1)) * math.sqrt(1 / len(of) + (ratio or 0.0))

    def again(self, kind: Kind, number: int, params: dict[str, Any]) -> list[TrialRecord]:
        """All repeats of a configuration on validation data, run or not."""
        repeats = range(1, self.extent.seeds + 1)
        return [self.records.again(kind, number, params, repeat) for repeat in repeats]

    def run(self, records: list[TrialRecord]) -> None:
        """Train repeats that were not run, on validation data."""
        self._run(records, self._epochs)

    def estimate(self, again: Sequence[TrialRecord], objective: str = "") -> Estimate:
        """Of one objective over a configuration's repeats; by default of the first."""
        metric = objective or self._file.objective.name
        return self._over(*self._scores(again, objective)).within_range(metric)

    def objectives(self, again: Sequence[TrialRecord]) -> dict[str, Estimate]:
        """Of several objectives all, by name."""
        return {goal.name: self.estimate(again, goal.name) for goal in self._file.goals}

    def lead(self, of: Sequence[TrialRecord], over: Sequence[TrialRecord]) -> Estimate:
        """By how much one configuration's objective is better than another's, repeat by repeat."""
        (mine, of_mine), (theirs, of_theirs) = self._scores(of), self._scores(over)
        return self._over(self._less(mine, theirs), self._less(of_mine, of_theirs))

    def _less(self, first: Sequence[float], second: Sequence[float]) -> list[float]:
        sign = 1.0 if self._file.objective.direction == "maximize" else -1.0
        return [float(sign * (a - b)) for a, b in zip(first, second, strict=True)]

    def _scores(
        self, again: Sequence[TrialRecord], objective: str = ""
    ) -> tuple[list[float], list[float]]:
        return repeat_scores(self._file, again, objective)

    def _over(self, values: Sequence[float], of_splits: Sequence[float]) -> Estimate:
        if self.records.fresh_ratio is None:
            return estimate(values)
        return over_splits(values, of_splits, self.records.fresh_ratio, "fresh splits")

    def test(self, winner: TrialRecord) -> None:
        """Refit the winner on training and validation data, and the defaults; score them once."""
        self.records.open_test()
        refits = self.extent.test_seeds
        records = [
            self.records.again("test", winner.number, winner.params, repeat)
            for repeat in range(1, refits + 1)
        ]
        for record in records:
            self._settle(record, winner)
        defaults = []
        if self.defaults and all(r.outcome is Outcome.COMPLETE for r in self.defaults):
            defaults = self._defaults("default-test", refits)
        members = [member for record in self.defaults for member in record.members]
        for record in defaults:
            record.threshold = self._threshold(members)
            record.trees = self._trees(members)
        works = [(records, self._refit_epochs(winner.params, winner.members))]
        if defaults:
            works.append((defaults, self._refit_epochs(defaults[0].params, members)))
        done = sum(reached(record, until) for group, until in works for record in group)
        n = len(records) + len(defaults)
        self.tell(PhaseStarted("test", n, done, self.records.arm.label))
        for group, until in works:
            self._run(group, until)

    def fit_all_rows(self, winner: TrialRecord) -> None:
        """Train the tested winner once more, with the test rows, as the model for new rows.

        It has the seed of the first refit, trains as long, and has no score.
        """
        record = self.records.again("all-rows", winner.number, winner.params, 1)
        self._settle(record, winner)
        until = self._refit_epochs(winner.params, winner.members)
        done = reached(record, until)
        self.tell(PhaseStarted("model", 1, int(done), self.records.arm.label))
        self._run([record], until)

    def _settle(self, refit: TrialRecord, winner: TrialRecord) -> None:
        """Have a refit keep what validation rows chose for the winner."""
        refit.threshold = self._threshold(winner.members)
        refit.trees = self._trees(winner.members)

    def _defaults(self, kind: Kind, repeats: int) -> list[TrialRecord]:
        """The runs of the configuration of all defaults; [] where it is not known or wanted."""
        if not self._file.confirmation.default:
            return []
        params, unknown = self.records.arm.space.defaults()
        if unknown:
            self.no_default = NO_DEFAULT.format(" and ".join(unknown[:3]))
            return []
        if broken := self.records.arm.space.broken(params):
            self.no_default = BROKEN_DEFAULT.format(broken.text)
            return []
        number = self.records.default_number
        return [self.records.again(kind, number, params, r) for r in range(1, repeats + 1)]

    def _see_that_any_is_ranked(self) -> None:
        trials = self.records.trials.values()
        if not self.ranked:
            reasons = "".join(f"{failure.text}\n" for failure in failures(trials))
            raise StudyFailed(
                "at least one trial must reach the last stage with a score, but none "
                f"did:\n{reasons}{_remedy([*trials])}, then start again with --fresh"
            )

    def _run(self, records: list[TrialRecord], until: int) -> None:
        exam: Exam = "fresh" if self.records.fresh_ratio is not None else "validation"
        if records and records[0].is_test:
            exam = "test"
        elif records and records[0].is_unscored:
            exam = "all-rows"
        for record in self.training.run([records], until, exam):
            self.tell(RunReached(record))
        for record in records:  # those too that were there before a restart could announce them
            self.records.run.folder.announce_record(record)

    def _refit_epochs(self, params: Mapping[str, Any], members: Sequence[MemberRecord]) -> int:
        """How long a configuration is refitted: as long as validation data said, before the test.

        All epochs; or a mean over members, of their best epochs, or of those that they ended by
        themselves after.
        """
        if is_program(params["trainer"]):
            return self._epochs  # it ends by itself where it wants to
        if self._trees(members):
            return self._epochs  # over which the trees are spread that were chosen
        if not self._file.objective.best_epoch:
            ends = [m.ended_early or self._epochs for m in members]
            return round(sum(ends) / len(ends))
        found = [self._scored_epoch(member) for member in members]
        return round(sum(found) / len(found))

    def _threshold(self, members: Sequence[MemberRecord]) -> float | None:
        """The mean of those that were found on the validation rows of these members."""
        return self._chosen(members, THRESHOLD) if self._file.scoring.tuned else None

    def _trees(self, members: Sequence[MemberRecord]) -> int:
        """How many trees a refit has, where validation rows chose it; else 0."""
        return round(self._chosen(members, TREES) or 0)

    def _chosen(self, members: Sequence[MemberRecord], metric: str) -> float | None:
        """The mean over members of what their validation rows chose, if they did."""
        found = [m.history[metric] for m in members if metric in m.history]
        if len(found) < len(members):
            return None
        epochs = [self._scored_epoch(member) for member in members]
        places = [m.epochs.index(n) for m, n in zip(members, epochs, strict=True)]
        return sum(curve[n] for curve, n in zip(found, places, strict=True)) / len(found)

    def _scored_epoch(self, member: MemberRecord) -> int:
        """The epoch that a member of the winner is scored by."""
        if not self._file.objective.best_epoch:
            return member.epochs[-1]
        best = max if self._file.objective.direction == "maximize" else min
        first = bisect_right(member.epochs, self._file.starts[-1])  # of the last training
        curve = member.history[self._file.objective.metric][first:]
        return member.epochs[first + curve.index(best(curve))]


def _remedy(trials: Sequence[TrialRecord]) -> str:
    """What to do where no trial has a score: the failures first, whatever their number."""
    if any(r.outcome is Outcome.FAILED for r in trials):
        return "Correct it"
    metric = next((m.diverged_by for r in trials for m in r.members if m.diverged_by), "")
    if metric:
        return f"Have the trainer report a finite {metric}, or leave such values out of [space]"
    pruned = sum(r.outcome is Outcome.PRUNED and r.reason != "" for r in trials)
    if pruned:
        return f"{pruned} were pruned at rungs: have [pruner] prune fewer"
    return "Lower the learning rates in [space]"
