"""Training a set of records to one length: jobs out, slices in, every record written."""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from typing import Any, Protocol

from hpsearch.datasets.fewer_rows import most_rows
from hpsearch.datasets.selection import Selection, open_all_rows, open_pool
from hpsearch.errors import StudyChangedError, StudyStopped
from hpsearch.execution.base import SliceExecutor
from hpsearch.execution.dispatch import AttemptLimits, Dispatcher
from hpsearch.execution.executors import InlineExecutor, ProcessExecutor
from hpsearch.execution.jobs import Job, Report
from hpsearch.execution.slices import FINAL, Exam, SliceSettings
from hpsearch.own_code import digest
from hpsearch.records.layout import RecordFiles, shared_folder
from hpsearch.records.outcome import Outcome
from hpsearch.records.refit_answers import FILE as ANSWERS
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import PROGRAM_OF, TrialRecord
from hpsearch.study.goals import Goals, MissingMetric
from hpsearch.study.record_work import Work
from hpsearch.study.slice_settings import (
    attempt_limits,
    rungs_of,
    slice_settings,
)
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.space import Named
from hpsearch.trainers import Program, Schedule
from hpsearch.trainers.programs.folder_archive import TooLarge, packed, unpack
from hpsearch.trainers.programs.program import files_in


class Trains(Protocol):
    """What brings records to a training length."""

    def run(
        self,
        batches: Iterable[Sequence[TrialRecord]],
        until: int,
        exam: Exam = "validation",
        *,
        folds: int | None = None,
    ) -> Iterator[TrialRecord]:
        """Train each record to epoch `until`; yields each when it is there, scored and written.

        Epoch `until` is a stage's end or a rung. Records that are there already, or sealed, are
        passed over: after a restart the same call goes on where the records are. A batch is asked
        for when the workers can take it.

        Args:
            folds: train on so many of the first folds alone; unless it ended there, a record is
                not scored then. None: on all.
        """
        ...


@dataclass(frozen=True)
class Training:
    """How records of one study are trained.

    Attributes:
        folder: where the records are written.
        settings: of slices; the evaluation set is named with every call.
        limits: after what a trial is failed.
        goals: what trials are scored by.
        code: the digest of the user's own modules, "" for none.
        named: what the names among choices stand for.
        programs: of a user's own, by trainer.
        linked: of those whose MLflow runs go to the study's server, variables that say where.
        lengths, rungs: epochs at which a trial that comes there is scored: the stages' ends, and
            where a pruner is asked.
        starts: the epoch that the training began after which comes to each of `lengths`; epochs
            are counted over all trainings of a record.
        rows: training rows of a fold, by stage; None: all. () if all stages have all.
        keeps_seconds: a record has how long its training took, which the sampler is told.
        whole_rungs: a record has all objectives and constraints at rungs, not the first
            objective alone.
        stop: as in Dispatcher.
        warned: called with a record and what libraries warned of in a slice of it.
        pauses: of each member of a record, epochs after which it pauses whatever the time; () for
            none.
    """

    folder: RunFolder
    executor: Executor
    workers: int
    settings: SliceSettings
    limits: AttemptLimits
    goals: Goals
    lengths: tuple[int, ...]
    rungs: tuple[int, ...]
    starts: tuple[int, ...]
    rows: tuple[int | None, ...] = ()
    whole_rungs: bool = False
    keeps_seconds: bool = False
    code: str = ""
    named: Named = field(default_factory=dict)
    programs: Mapping[str, Program] = field(default_factory=dict)
    linked: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stop: Callable[[], bool] = lambda: False
    pauses: Sequence[Sequence[int]] = ()
    warned: Callable[[TrialRecord, Sequence[str]], None] = lambda record, texts: None

    @classmethod
    def of(
        cls,
        read: ReadStudy,
        data: Selection,
        folder: RunFolder,
        executor: SliceExecutor,
        *,
        stop: Callable[[], bool] = lambda: False,
        tracking_uri: str = "",
    ) -> Training:
        """As a study file says, with records in this folder."""
        limits, settings = attempt_limits(read.file), slice_settings(read, data)
        unlimited = limits.allowance is None or limits.allowance.memory_mb is None
        own = isinstance(executor, ProcessExecutor)  # a process for nothing but slices
        return cls(
            folder=folder,
            executor=executor,
            workers=executor.workers,
            settings=replace(settings, keep=own and unlimited),
            limits=limits,
            goals=Goals.of(read.file),
            lengths=read.file.lengths,
            rungs=rungs_of(read.file),
            starts=read.file.starts,
            rows=tuple(s.rows for s in read.file.stages) if read.file.has_fewer_rows else (),
            whole_rungs=read.file.pruner is not None and read.file.pruner.by_rank,
            keeps_seconds=read.file.sampler.weighs_seconds,
            code=digest(read.code),
            named=read.space.named,
            programs=read.programs,
            linked=_linked(read, tracking_uri),
            stop=stop,
        )

    def run(
        self,
        batches: Iterable[Sequence[TrialRecord]],
        until: int,
        exam: Exam = "validation",
        *,
        folds: int | None = None,
    ) -> Iterator[TrialRecord]:
        """As `Trains.run`, on the executor's workers.

        Raises:
            StudyStopped: `stop` said so; what was trained is written.
            StudyChangedError: a worker found other code than that of the start; likewise.
        """
        by_key: dict[str, Work] = {}
        unsaved: dict[str, Work] = {}
        stopped: list[Work] = []  # between the last epoch and the score

        start, rows = self.began_after(until), self._rows(until, exam)

        def jobs() -> Iterator[list[Job]]:
            for records in batches:
                for record in records:
                    self.begin(record, until, exam)
                works = [self._work(r) for r in records if not reached(r, until)]
                by_key.update({work.record.uid: work for work in works})
                found = [
                    job for work in works for job in work.jobs(until, start, self.pauses, folds)
                ]
                stopped.extend(work for work in works if work.done(until))
                yield found

        settings = replace(self.settings, exam=exam, rows=rows)
        if exam in FINAL:  # the sealed test set is looked at once, at the end
            # All that is scored there; of a model of all rows nothing is.
            decisive = (self.goals.objectives[0].metric,) if exam == "test" else ()
            settings = replace(settings, schedule=Schedule(until - start), decisive=decisive)
        dispatcher = Dispatcher(
            self.executor, settings, self.limits, workers=self.workers, stop=self.stop
        )
        try:
            for reports in dispatcher.run(jobs(), until - start):
                touched = {}
                self.folder.note_slice(_slice_line(reports, by_key))
                for report in reports:
                    uid: str = report.key[0]
                    index: int = report.key[1]
                    touched[uid] = by_key[uid]
                    by_key[uid].take(index, report, exam, start)
                    if report.warned:
                        self.warned(by_key[uid].record, report.warned)
                    said = report.reason if report.event in ("failed", "raised") else ""
                    if report.log or said:
                        text = report.log + said
                        self.folder.append_log(by_key[uid].record, f"[member {index}]\n{text}\n")
                unsaved.update(touched)
                for uid, work in touched.items():
                    if work.done(until):
                        del unsaved[uid]
                        yield self._finish(work, until, folds)
                for uid in [u for u, work in unsaved.items() if work.due(self.settings.seconds)]:
                    work = unsaved.pop(uid)
                    shown = work.record.mark_progress()
                    self._save(work)
                    if shown:
                        self.folder.announce_record(work.record)
                while stopped:
                    yield self._finish(stopped.pop(), until, folds)
        except StudyChangedError:
            self._save_all(by_key)
            raise
        while stopped:
            yield self._finish(stopped.pop(), until, folds)
        if self.stop():
            self._save_all(by_key)
            raise StudyStopped("stopped on request; run the same command again to resume")

    def began_after(self, until: int) -> int:
        """The epoch after which the training to this one begins."""
        return self.starts[bisect_left(self.lengths, until)]

    def begin(self, record: TrialRecord, until: int, exam: Exam) -> None:
        """Have a record that is not at this epoch begin the training that leads there.

        Where it is on other rows than the training before, nothing of that one goes on.
        """
        if self.rows and not reached(record, until):
            rows = self._rows(until, exam)
            if exam in FINAL:
                opened = open_pool if exam == "test" else open_all_rows
                pool = opened(self.settings.data)
                rows = len(pool.counted(pool.learning))
            record.begin(self.began_after(until), rows or self._all_rows)

    def _rows(self, until: int, exam: Exam) -> int | None:
        """The training rows of a fold; None: all. Refits have all that may be learned from."""
        if not self.rows or exam in FINAL:
            return None
        return self.rows[bisect_left(self.lengths, until)]

    @property
    def _all_rows(self) -> int:
        return most_rows(open_pool(self.settings.data))

    def _work(self, record: TrialRecord) -> Work:
        files = self.folder.files.record(record.kind, record.number, record.seed_number)
        trainer = str(record.params["trainer"])
        program = self.programs.get(trainer)
        if program is not None and trainer in self.linked:
            context = {"MLFLOW_RUN_CONTEXT": json.dumps({PROGRAM_OF: record.uid})}
            program = replace(program, env={**program.env, **self.linked[trainer], **context})
        return Work(
            record,
            self.folder.states(record),
            files,
            self.code,
            self.named,
            program,
            self._top(record, files, program),
        )

    def place_of(self, record: TrialRecord) -> RecordFiles:
        """Where the files of a record's program lie after a slice, before the record is sealed."""
        files = self.folder.files.record(record.kind, record.number, record.seed_number)
        program = self.programs.get(str(record.params["trainer"]))
        return RecordFiles(Path(self._top(record, files, program) or files.path))

    def clear(self, records: Iterable[TrialRecord]) -> None:
        """Remove what programs of pruned records left in the folder that all machines share."""
        for record in records:
            if record.outcome is Outcome.PRUNED:
                place = self.place_of(record).path.absolute()
                if place != self.folder.files.record(record.kind, record.number).path.absolute():
                    rmtree(place, ignore_errors=True)

    def _top(self, record: TrialRecord, files: RecordFiles, program: Program | None) -> str:
        """The folder of a record's members where they train; "" where that is another machine."""
        if isinstance(self.executor, ProcessExecutor | InlineExecutor):
            return str(files.path.absolute())
        if program is None or not program.shared:
            return ""
        run = record.uid.partition(":")[0]
        place = shared_folder(program.shared, self.folder.files.study, run)
        return str(place.joinpath(*files.path.parts[-2:]))

    def _save_all(self, works: Mapping[str, Work]) -> None:
        for work in works.values():
            if work.unsaved:
                self._save(work)

    def _save(self, work: Work) -> None:
        self.folder.write(work.record, work.states)
        work.written, work.news, work.unsaved = time.monotonic(), False, False

    def _finish(self, work: Work, until: int, folds: int | None) -> TrialRecord:
        record = work.record
        # Those of later folds may have come further before a restart; their round is to come.
        asked = [member for member in record.members if folds is None or member.split < folds]
        diverged = [member.epoch for member in asked if member.diverged]
        if folds is not None and not (work.failure or diverged):
            if self.keeps_seconds:
                record.note_seconds(until)
            if work.unsaved:
                self._save(work)
            return record
        record.folds = folds or 0
        record.end_now()
        work.note_states()
        if work.failure:
            record.become(Outcome.FAILED, work.failure)
            record.limit = work.limit
        elif diverged:
            reason = f"{record.diverged_by} not finite after epoch {min(diverged)}"
            record.become(Outcome.DIVERGED, reason)
        else:
            self._score(record, until)
            if self.keeps_seconds and record.kind == "trial" and until in record.reported:
                record.note_seconds(until)
        for name, content in work.files.items():
            if record.kind != "default-test" or name == ANSWERS:  # nobody predicts with defaults
                self.folder.write_file(record, name, content)
        if work.program is not None:
            self._bring_home(work, work.program)
        self._save(work)
        return record

    def _bring_home(self, work: Work, program: Program) -> None:
        """Have the files of a program that was trained elsewhere in the record's folder.

        What is too large for that stays where it is, in the folder that all machines share.
        """
        if not work.top:
            for index, state in enumerate(work.states):
                if files := files_in(state):
                    unpack(files, work.place.member(index))
        elif work.record.sealed and Path(work.top) != work.place.path.absolute():
            for member in RecordFiles(Path(work.top)).members():
                with suppress(TooLarge):
                    unpack(packed(member, program.checkpoint_mb), work.place.path / member.name)
                    rmtree(member, ignore_errors=True)
            with suppress(OSError):  # what was too large is still there
                Path(work.top).rmdir()

    def _score(self, record: TrialRecord, until: int) -> None:
        if record.is_unscored:
            record.become(Outcome.COMPLETE)
            return
        is_trial = record.kind == "trial"
        # A program may print at its end alone: drawn later it has no score at shorter lengths.
        scored = {*record.members[0].epochs}.intersection(*(m.epochs for m in record.members))
        scored |= {until}
        lengths = [e for e in self.lengths if e <= until and e in scored] if is_trial else [until]
        try:
            for epochs in lengths:
                self.goals.measured(record, epochs).keep(record, epochs)
            for epochs in (e for e in self.rungs if e <= until and e in scored and is_trial):
                measured = self.goals.measured(record, epochs)
                record.rungs[epochs] = measured.score
                if self.whole_rungs:
                    measured.keep_beside(record, epochs)
        except MissingMetric as error:
            known = ", ".join(record.members[0].history) or "nothing"
            key = self.goals.key_of(error.metric)
            reason = f"the trainer must report {key} {error.metric!r}, got {known}"
            record.become(Outcome.FAILED, reason)
            return
        if is_trial and until in self.rungs and until not in self.lengths:
            return  # in the middle of a stage
        ended = not is_trial or until == self.lengths[-1]
        record.become(Outcome.COMPLETE if ended else Outcome.PAUSED)


def _linked(read: ReadStudy, tracking_uri: str) -> dict[str, dict[str, str]]:
    where = {"MLFLOW_TRACKING_URI": tracking_uri, "MLFLOW_EXPERIMENT_NAME": read.file.name}
    tables = read.file.all_programs
    return {name: where for name, table in tables.items() if table.mlflow == "link"}


def _slice_line(reports: Sequence[Report], by_key: Mapping[str, Work]) -> dict[str, Any] | None:
    """Which process trained what and when, for the timeline of workers."""
    use = reports[0].ran if reports else None
    if use is None:
        return None
    records = {report.key[0]: by_key[report.key[0]].record for report in reports}
    return {
        "worker": use.worker,
        "began": round(use.began, 3),
        "seconds": round(use.wall_seconds, 3),
        "kind": next(iter(records.values())).kind,
        "trials": sorted({record.number for record in records.values()}),
    }


def reached(record: TrialRecord, until: int) -> bool:
    """Whether it was trained to this epoch and scored, or ended before."""
    return record.sealed or until in record.reported
