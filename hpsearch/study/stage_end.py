"""The end of a stage: who goes on is decided, the decision written, and then carried out.

After a restart the written decision is carried out, whatever was added to the records since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.analysis.fidelity import drawn_controls
from hpsearch.records.layout import DECISION_KEYS
from hpsearch.records.outcome import Outcome
from hpsearch.records.range_row import RangeRow
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.reached import ReachedTrials
from hpsearch.study.stages import promoted


@dataclass(frozen=True)
class Decision:
    """What a stage ended with.

    Attributes:
        promoted: numbers of the trials that go on, best first; those of earlier chapters go on as
            new trials.
        controls: numbers of others that go on to show whether the promotion was right.
        ranges: what the parameters' ranges narrowed to.
    """

    promoted: Sequence[int] = ()
    controls: Sequence[int] = ()
    ranges: Sequence[RangeRow] = ()

    @property
    def going_on(self) -> list[int]:
        """The promoted, and then the controls."""
        return [*self.promoted, *self.controls]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "promoted": self.promoted,
            "controls": self.controls,
            "ranges": [row.as_dict() for row in self.ranges],
        }

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Decision:
        """The inverse of `as_dict`; old decisions have no controls."""
        ranges = [RangeRow.from_dict(row) for row in stored["ranges"]]
        return cls(stored["promoted"], stored.get("controls", []), ranges)


def decide(
    records: ArmRecords,
    stage: int,
    trials: Sequence[TrialRecord],
    narrowed: Callable[[], list[RangeRow]],
) -> Decision:
    """The decision at a stage's end: the stored one, or one that is made and stored now.

    The last stage's is made anew each time: trials may have been added to it.

    Args:
        trials: the stage's. After a restart later stages have trials already, which this stage's
            decision says nothing of.
        narrowed: gives the ranges now.
    """
    file, folder = records.read.file, records.run.folder
    path = folder.files.stage(stage, records.arm.case)
    last = stage == len(file.stages) - 1
    stored = folder.read_sealed(path, *DECISION_KEYS)
    if stored is not None and not last:
        return Decision.of(stored)
    numbers: list[int] = []
    controls = 0
    if not last:
        earlier = records.earlier
        epochs, wanted = file.lengths[stage], earlier.n_promoted(stage + 1)
        left_behind = earlier.candidates(stage)
        numbers = promoted(trials, epochs, wanted, file.directions, left_behind)
        controls = 0 if earlier.files else file.stages[stage + 1].controls
    left = [r for r in trials if r.outcome is Outcome.PAUSED and r.number not in numbers]
    entropy = (file.seed, records.arm.index, stage)
    decision = Decision(numbers, drawn_controls(left, controls, entropy), narrowed())
    folder.write_sealed(path, decision.as_dict())
    return decision


def carry_out(
    decision: Decision,
    records: ArmRecords,
    stage: int,
    trials: Sequence[TrialRecord],
    reached: ReachedTrials,
) -> None:
    """Mark the controls, and prune the trials that don't go on."""
    folder, going_on = records.run.folder, decision.going_on
    for record in trials:
        if record.number in decision.controls and stage + 1 not in record.controls:
            record.controls.append(stage + 1)
            folder.write(record)
        if record.outcome is Outcome.PAUSED and record.number not in going_on:
            record.become(Outcome.PRUNED)
            folder.write(record)
            reached.report(record)
