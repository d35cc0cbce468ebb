"""Rungs: epochs inside a stage at which a pruner ends trials.

A batch's trials are trained to a rung together, and decided there, against what all batches
before it came to. So a decision depends on no worker and no restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hpsearch.counts import count_of
from hpsearch.execution.slices import Exam
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.pruning.judges import Judge
from hpsearch.study.training import Trains
from hpsearch.studyfile.study_file import StudyFile


class Rungs:
    """Trains batches through the rungs of a stage; remembers what the pruner saw.

    What it remembers follows from the batches it is given, in turn, and from their records; after
    a restart it is given the same ones.

    Args:
        file: with a [pruner].
        judge: says who ends.
        folder: where records are kept.
    """

    def __init__(self, file: StudyFile, judge: Judge, folder: RunFolder) -> None:
        assert file.pruner is not None
        self._rungs, self._pruner = file.pruner.rungs, file.pruner.name
        self._judge, self._folder = judge, folder
        self._lengths = file.lengths

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
            self._judge.begin(batch)
            going, pruned = list(batch), dict[int, int]()  # by number, the rung
            for rung in self._between(stage, batch):
                for record in training.run([going], rung, exam):
                    if record.sealed:
                        yield record
                going = sorted((r for r in going if rung in r.reported), key=lambda r: r.number)
                wanted = self._judge.ended(going, rung)
                for record in going:
                    if _beyond(record, rung):
                        continue
                    ends = record.number in wanted and stage not in record.controls
                    if ends and not record.sealed:
                        after = f"pruned after {count_of(rung, 'epoch')}"
                        record.become(Outcome.PRUNED, f"{after} by the {self._pruner} pruner")
                        self._folder.write(record)
                        yield record
                    if record.outcome is Outcome.PRUNED:
                        pruned[record.number] = rung
                going = [r for r in going if r.number not in pruned]
            yield from training.run([going], until, exam)
            for record in batch:
                self._judge.settle(record, pruned.get(record.number), until)

    def _between(self, stage: int, batch: Sequence[TrialRecord]) -> list[int]:
        """The rungs ahead of a batch: all below the stage's end, of promoted ones those after the
        end of the stage before."""
        new = batch[0].stage == stage
        after = 0 if new else self._lengths[stage - 1]
        return [rung for rung in self._rungs if after < rung < self._lengths[stage]]


def _beyond(record: TrialRecord, rung: int) -> bool:
    """Whether it was trained on from a rung, before a restart."""
    return any(member.epoch > rung for member in record.members)
