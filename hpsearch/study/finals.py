"""After an arm's search: its best configurations on fresh seeds, and the winner's test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hpsearch.analysis.estimates import estimate
from hpsearch.analysis.failures import failures
from hpsearch.analysis.ranking import mean_standing, ranked
from hpsearch.errors import StudyFailed
from hpsearch.execution.slices import Exam
from hpsearch.metrics import THRESHOLD, TREES
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Estimate
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.events import Event, PhaseStarted, RunReached
from hpsearch.study.stages import best_first
from hpsearch.study.training import Trains
from hpsearch.trainers import is_program


@dataclass
class Finals:
    """What follows an arm's stages.

    Args:
        records: the arm's.
        lengths: epochs of the stages the best are taken from, the first with a result wins.
        training: trains them.
        tell: called with each event.
    """

    records: ArmRecords
    lengths: tuple[int, ...]
    training: Trains
    tell: Callable[[Event], None]

    def __post_init__(self) -> None:
        self._file = self.records.read.file
        self._epochs = self._file.stages[-1].epochs

    def confirm(self) -> dict[int, Estimate]:
        """Run the best trials again on fresh seeds; returns {number: Estimate}, best first.

        Raises:
            StudyFailed: no trial has a score, or none trains on every seed.
        """
        settings = self._file.confirmation
        top = self._ranked()[: settings.top]
        records = [
            self.records.again("confirmation", trial, seed)
            for trial in top
            for seed in range(1, settings.seeds + 1)
        ]
        self.tell(PhaseStarted("confirmation", len(records), self.records.arm.name))
        self._run(records, self._epochs)
        confirmed, standings = {}, []
        for trial in top:
            again = [
                r for r in records if r.number == trial.number and r.outcome is Outcome.COMPLETE
            ]
            if len(again) == settings.seeds:  # a configuration that diverges on a seed is out
                confirmed[trial.number] = estimate([r.scores[self._epochs] for r in again])
                standings.append(mean_standing(again, self._epochs))
        if not confirmed:
            raise StudyFailed(
                f"at least one of the best {settings.top} trials must train on every fresh seed, "
                "but each failed or diverged on one: raise confirmation.top"
            )
        order = ranked(standings, self._file.directions)
        return {s.number: confirmed[s.number] for s in order}

    def test(self, winner: TrialRecord) -> None:
        """Refit the winner on training and validation data, and open the test set."""
        self.records.open_test()
        records = [
            self.records.again("test", winner, seed)
            for seed in range(1, self._file.confirmation.test_seeds + 1)
        ]
        for record in records:
            record.threshold = self._threshold(winner)
            record.trees = self._trees(winner)
        self.tell(PhaseStarted("test", len(records), self.records.arm.name))
        self._run(records, self._refit_epochs(winner))

    def _ranked(self) -> list[TrialRecord]:
        trials = self.records.trials.values()
        sound = [r for r in trials if r.outcome is not Outcome.FAILED]
        ranked = (best_first(sound, n, self._file.directions) for n in self.lengths)
        best = next(filter(None, ranked), [])
        if not best:
            reasons = "".join(f"{failure.text}\n" for failure in failures(trials))
            raise StudyFailed(
                "at least one trial must reach the last stage with a score, but none did:\n"
                f"{reasons}{_remedy([*trials])}, then start anew with --fresh"
            )
        return best

    def _run(self, records: list[TrialRecord], until: int) -> None:
        exam: Exam = "test" if records[0].kind == "test" else "validation"
        for record in self.training.run([records], until, exam):
            self.tell(RunReached(record))
        for record in records:  # those too that were there before a restart could announce them
            self.records.run.folder.announce_record(record)

    def _refit_epochs(self, winner: TrialRecord) -> int:
        """How long the winner is refitted: as long as validation data said, before the test.

        All epochs; or a mean over members, of their best epochs, or of those that they ended by
        themselves after.
        """
        if is_program(winner.params["trainer"]):
            return self._epochs  # it ends by itself where it wants to
        if self._trees(winner):
            return self._epochs  # over which the trees are spread that were chosen
        if not self._file.objective.best_epoch:
            ends = [m.ended_early or self._epochs for m in winner.members]
            return round(sum(ends) / len(ends))
        found = [self._scored_epoch(member) for member in winner.members]
        return round(sum(found) / len(found))

    def _threshold(self, winner: TrialRecord) -> float | None:
        """The mean of those that were found on the validation rows of the winner's members."""
        return self._chosen(winner, THRESHOLD) if self._file.scoring.tuned else None

    def _trees(self, winner: TrialRecord) -> int:
        """How many trees the winner's refit has, where validation rows chose it; else 0."""
        return round(self._chosen(winner, TREES) or 0)

    def _chosen(self, winner: TrialRecord, metric: str) -> float | None:
        """The mean over the winner's members of what their validation rows chose, if they did."""
        found = [m.history[metric] for m in winner.members if metric in m.history]
        if len(found) < len(winner.members):
            return None
        epochs = [self._scored_epoch(member) for member in winner.members]
        places = [m.epochs.index(n) for m, n in zip(winner.members, epochs, strict=True)]
        return sum(curve[n] for curve, n in zip(found, places, strict=True)) / len(found)

    def _scored_epoch(self, member: MemberRecord) -> int:
        """The epoch that a member of the winner is scored by."""
        if not self._file.objective.best_epoch:
            return member.epochs[-1]
        best = max if self._file.objective.direction == "maximize" else min
        curve = member.history[self._file.objective.metric]
        return member.epochs[curve.index(best(curve))]


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
