"""What the chapters before have done of the stages of this one.

Earlier trials count in every stage that they were trained in. One that goes on longer than its
own chapter trained it is a new trial with its configuration and seeds, trained from the start: the
earlier record stays as it is, and the states of ended trials are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hpsearch.counts import count_of
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.study_json import Chapter, chapter_of, read_study_json
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.stages import best_first
from hpsearch.studyfile.stored import stored_file
from hpsearch.studyfile.study_file import StudyFile


@dataclass(frozen=True)
class EarlierTrials:
    """The trials of the chapters before; of a first chapter there are none.

    Attributes:
        file: the study file of this chapter.
        firsts: the number of the first trial of each chapter before, in order.
        files: their study files.
        records: the trials of these chapters; all have ended.
    """

    file: StudyFile
    firsts: Sequence[int] = ()
    files: Sequence[StudyFile] = ()
    records: Sequence[TrialRecord] = ()

    @classmethod
    def of(
        cls, file: StudyFile, folder: RunFolder, chapter: Chapter, records: Sequence[TrialRecord]
    ) -> EarlierTrials:
        """Those before a chapter of a run.

        Args:
            records: trials of the run; those of this chapter are left out.
        """
        firsts, files = [], []
        for number in range(1, chapter.number):
            earlier = folder.files.chapter(number)
            # The files of the last one are not yet put aside where a chapter is about to begin.
            known = read_study_json(earlier) or read_study_json(folder.files)
            firsts.append(chapter_of(known).first)
            files.append(stored_file(known["file"], folder.files.study.name))
        known_trials = [record for record in records if record.number < chapter.first]
        return cls(file, firsts, files, known_trials)

    def n_open(self, stage: int) -> int:
        """How many trials the file asks for in a stage beside the earlier ones that it has."""
        had = len(self._members(stage)) + len(self.continuing(stage))
        return max(0, self.file.stages[stage].trials - had)

    def n_promoted(self, stage: int) -> int:
        """How many of these come from the stage before."""
        if not stage:
            return 0
        asked = self.file.stages[stage].promoted - self.n_went_on(stage)
        return min(max(0, asked), self.n_open(stage))

    def stranded(self) -> list[str]:
        """A sentence for each stage whose new trials can't go on, as the next one is full."""
        found = []
        for stage, following in enumerate(self.file.stages[1:]):
            n_new = self.n_open(stage) - self.n_promoted(stage)
            if self.firsts and n_new and following.promoted and not self.n_promoted(stage + 1):
                stranded = count_of(n_new, "new trial")
                asked = count_of(following.trials, "trial")
                found.append(
                    f"stage {stage + 1}: {stranded} can't be promoted, because stage {stage + 2} "
                    f"of {asked} promotes no more; raise stages.{stage + 1}.trials further"
                )
        return found

    def n_went_on(self, stage: int) -> int:
        """Earlier trials that came to a stage after a shorter training, or come to it now."""
        members = [r for r in self._members(stage) if r.stage < stage or r.continues is not None]
        return len(members) + len(self.continuing(stage))

    def n_members(self, stage: int) -> int:
        """Earlier trials that count in a stage."""
        return len(self._members(stage))

    def n_batches(self, stage: int) -> int:
        """How many batches of a stage were drawn before."""
        return max((r.batch + 1 for r in self.records if r.stage == stage), default=0)

    def continuing(self, stage: int) -> list[int]:
        """The best earlier trials of a stage that this chapter makes longer, best first."""
        now = self.file.lengths[stage]
        before = self.files[-1].lengths if self.files else ()
        length = before[stage] if stage < len(before) else now
        if length == now:
            return []
        best = best_first(self._ended_at(length), length, self.file.directions)
        return [record.number for record in best[: self.file.stages[stage].trials]]

    def candidates(self, stage: int) -> list[TrialRecord]:
        """Those that a stage left behind, which the next one may take now."""
        return self._ended_at(self.file.lengths[stage])

    def _ended_at(self, length: int) -> list[TrialRecord]:
        """Trials with a score at this length that nothing was trained longer from."""
        return [
            record
            for record in self.records
            if record.length == length
            and record.outcome in (Outcome.COMPLETE, Outcome.PRUNED)
            and record.number not in self._continued
        ]

    @cached_property
    def _continued(self) -> set[int | None]:
        return {record.continues for record in self.records}

    def _members(self, stage: int) -> list[TrialRecord]:
        return [record for record in self.records if self._was_in(record, stage)]

    def _was_in(self, record: TrialRecord, stage: int) -> bool:
        """Whether its chapter trained a trial in a stage of this length."""
        lengths = self._lengths(record)
        if stage >= len(lengths) or lengths[stage] != self.file.lengths[stage]:
            return False
        if record.stage >= stage or stage in record.controls:
            return record.stage == stage
        return max(member.epoch for member in record.members) > lengths[stage - 1]

    def _lengths(self, record: TrialRecord) -> Sequence[int]:
        """The stages' ends in the chapter that drew a trial."""
        chapter = sum(first <= record.number for first in self.firsts) - 1
        return self.files[chapter].lengths
