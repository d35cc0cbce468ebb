"""A record while it is trained: its members as jobs, and what slices make of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hpsearch.errors import conclusion
from hpsearch.execution.jobs import Job, Report
from hpsearch.execution.slices import Exam
from hpsearch.metrics import test_name
from hpsearch.records.layout import Kind, RecordFiles
from hpsearch.records.refit_answers import FILE as ANSWERS
from hpsearch.records.trial_record import RETESTED, TrialRecord, state_digest
from hpsearch.studyfile.space import Named, with_values
from hpsearch.trainers import Member, Program, Purpose, TrainerKind, trainer_kind

PURPOSES: dict[Kind, Purpose] = {
    "trial": "search",
    "confirmation": "confirm",
    "default": "confirm",
    "path": "confirm",
    "test": "test",
    "default-test": "test",
    "all-rows": "test",
}


@dataclass
class Work:
    """A record on its way.

    Attributes:
        place: where its files lie.
        code, named: as of Training.
        program: that is run, if its trainer is one.
        top: the folder of its members where they train; "": each machine makes one.
        failure, limit: why it failed, and by which of [limits] if by one.
        news: something happened that a restart must know at once.
        live: its slices tell what they gain while they run.
        files: what is to lie beside the record when it is there.
        unsaved: something happened that is not written.
    """

    record: TrialRecord
    states: list[bytes | None]
    place: RecordFiles
    code: str = ""
    named: Named = field(default_factory=dict)
    program: Program | None = None
    top: str = ""
    failure: str = ""
    limit: str = ""
    news: bool = False
    live: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    unsaved: bool = False
    written: float = field(default_factory=time.monotonic)
    pending: set[int] = field(default_factory=set)

    def jobs(
        self, until: int, start: int, pauses: Sequence[Sequence[int]], folds: int | None = None
    ) -> Iterator[Job]:
        """The members that are not there yet.

        Args:
            start: the epoch that the training to `until` begins after; jobs count epochs from
                there, and a state of before is of another training.
            folds: how many of the first folds are trained on; None: all.
        """
        params = with_values(self.record.params, self.named)
        for index, (member, state) in enumerate(
            zip(self.record.members, self.states, strict=True)
        ):
            if member.diverged or member.epoch >= until:
                continue
            if folds is not None and member.split >= folds:
                continue
            self.pending.add(index)
            yield Job(
                key=(self.record.uid, index),
                member=Member(
                    params,
                    member.entropy,
                    member.split,
                    state if member.epoch > start else None,
                    folder=self._folder(index, start),
                    purpose=PURPOSES[self.record.kind],
                    program=self.program,
                    threshold=self.record.threshold,
                    trees=self.record.trees,
                ),
                epoch=member.epoch - start,
                losses=self._losses(index),
                raised=sum(a.get("event") == "raised" for a in self._attempts(index)),
                spent=self.record.wall_seconds,
                pauses=tuple(p - start for p in pauses[index] if p > start) if pauses else (),
            )

    def _folder(self, index: int, start: int) -> str:
        """Where a member's code may keep files: each training has a folder of its own, as what
        lies there would be gone on from."""
        if not self.top:
            return ""
        folder = RecordFiles(Path(self.top)).member(index)
        return str(folder / f"after-{start}" if start else folder)

    @cached_property
    def _kind(self) -> TrainerKind:
        kind = trainer_kind(str(self.record.params["trainer"]))
        assert kind is not None
        return kind

    def _attempts(self, index: int) -> list[dict[str, Any]]:
        """Of a member; of a refit that is run again, those since."""
        attempts = self.record.attempts
        ends = [n for n, a in enumerate(attempts, 1) if a.get("event") == RETESTED]
        return [a for a in attempts[max(ends, default=0) :] if a["member"] == index]

    def _losses(self, index: int) -> int:
        """Workers that died under a member since it last advanced."""
        lost = (a for a in self._attempts(index) if a.get("event", "lost") == "lost")
        return sum(a["epoch"] == self.record.members[index].epoch for a in lost)

    def take(self, index: int, report: Report, exam: Exam, start: int) -> None:
        """Note what a slice did to one member.

        Args:
            start: as for `jobs`.
        """
        member = self.record.members[index]
        self.unsaved = True
        self.live = self.live or report.partial
        if report.use is not None:
            self.record.add_use(
                wall=report.wall_seconds,
                cpu=report.cpu_seconds,
                opening=report.use.opening_seconds / report.share,
                peak_bytes=report.use.peak_bytes,
            )
        if report.event == "advanced":
            assert report.advance is not None
            gain = report.advance
            if report.machine not in self.record.machines:
                self.record.machines.append(report.machine)
            resumed = member.epoch > start and not gain.kept
            if resumed and member.pauses is not None and not self._kind.trainer.exact_state:
                member.pauses.append(member.epoch)
            if self.code not in ("", *self.record.code[-1:]):
                self.record.code.append(self.code)
            rows = ((start + epoch, _named(row, exam)) for epoch, row in gain.rows)
            member.extend(gain.epochs, rows)
            member.diverged, member.diverged_by = gain.diverged, gain.diverged_by
            if gain.predicted is not None:
                member.predicted = list(gain.predicted)
            member.learning_rates.extend(gain.rates)
            member.ended_early = gain.ended_early and start + gain.ended_early
            member.saw_test = member.saw_test or gain.saw_test
            if gain.fitted is not None:
                name, content = gain.fitted
                self.files[name] = content
            if gain.answers is not None:
                self.files[ANSWERS] = gain.answers
            self.states[index] = report.advance.state
            return
        if report.event == "dropped":
            self.pending.discard(index)
            return
        attempt = {
            "event": report.event,
            "epoch": member.epoch,
            "member": index,
            "reason": conclusion(report.reason),
        }
        self.record.attempts.append(attempt)
        self.news = True
        if report.event == "failed":
            if not self.failure:
                self.failure, self.limit = report.reason, report.limit or ""
            self.pending.discard(index)

    def due(self, seconds: float) -> bool:
        """Whether it is to be written now.

        Args:
            seconds: between two saved states; for what is told while it runs half of that, so
                that an epoch is written before the slices of another trainer would end.
        """
        pause = seconds / 2 if self.live else seconds
        return self.news or time.monotonic() - self.written > pause

    def note_states(self) -> None:
        """Keep a digest of the states, which are gone once the record is sealed."""
        if self._kind.trainer.exact_state:
            for member, state in zip(self.record.members, self.states, strict=True):
                before = member.state_digest
                member.state_digest = "" if state is None else state_digest(state, before)

    def done(self, until: int) -> bool:
        """Whether every member is there, diverged or failed."""
        members = self.record.members
        return all(members[i].diverged or members[i].epoch >= until for i in self.pending)


def _named(row: Mapping[str, float], exam: Exam) -> Mapping[str, float]:
    """Metrics by the name of what they were measured on."""
    if exam == "all-rows":
        return {}  # of rows that it was trained on
    if exam != "test":
        return row
    return {test_name(name): value for name, value in row.items()}


def member_of(record: TrialRecord, named: Named, program: Program, folder: str) -> Member:
    """The first member of a record at its start, to be trained by hand in a folder.

    Args:
        named: what the names among choices stand for.
    """
    first = record.members[0]
    return Member(
        with_values(record.params, named),
        first.entropy,
        first.split,
        folder=folder,
        purpose=PURPOSES[record.kind],
        program=program,
    )
