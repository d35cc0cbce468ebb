"""Telling of trials that are there: Optuna first, then the projector, in the order of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from hpsearch.analysis.failures import failures
from hpsearch.counts import count_of
from hpsearch.errors import StudyFailed
from hpsearch.records.outcome import Outcome
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.storage.trials import TrialStore
from hpsearch.study.training import reached


@dataclass
class ReachedTrials:
    """Tells of an arm's trials, and ends a search of which too many fail.

    Args:
        records: the arm's.
        trials: the arm's in Optuna's storage.
    """

    records: ArmRecords
    trials: TrialStore
    _failed_in_a_row: int = field(default=0, init=False)

    def report(self, record: TrialRecord) -> None:
        """Tell Optuna, and then the projector, what a record says."""
        self.trials.report(record.number, record.reported)
        self.trials.keep_goals(record)
        self.trials.keep_seconds(record)
        if record.sealed:
            self.trials.finish(record.number, record.told, record.reported, record.values)
        self.records.run.folder.announce_record(record)

    def report_in_order(self, order: list[int], until: int) -> None:
        """Tell of the trials at the head of `order` that are there, and take them off.

        Raises:
            StudyFailed: too many in a row failed, or one ended in a way that [outcomes] stops at.
        """
        trials, outcomes = self.records.trials, self.records.read.file.outcomes
        while order and (record := trials.get(order[0])) and reached(record, until):
            self.report(record)
            outcomes.refuse(
                record.number, record.outcome, limit=record.limit, reason=record.reason
            )
            order.pop(0)
            self._refuse_row(record, until)

    def _refuse_row(self, record: TrialRecord, until: int) -> None:
        """Count the failed trials in a row, with this one, that have no score at this length."""
        most = self.records.read.file.budget.failures
        lost = record.outcome is Outcome.FAILED and until not in record.scores
        self._failed_in_a_row = self._failed_in_a_row + 1 if lost else 0
        if self._failed_in_a_row >= most:
            reasons = "".join(f"{f.text}\n" for f in failures(self.records.trials.values()))
            raise StudyFailed(
                f"{count_of(most, 'trial')} in a row failed (limit: budget.failures = {most}), "
                f"the last one, trial {record.number}, with:\n{record.reason}\n"
                f"Of all trials:\n{reasons}Correct the cause, then start again with "
                "--fresh, or raise budget.failures to continue"
            )
