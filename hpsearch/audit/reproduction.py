"""Training a recorded trial again, and comparing all that its record says of it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hpsearch.counts import count_of, noun_of
from hpsearch.datasets.selection import digests
from hpsearch.execution.base import SliceExecutor
from hpsearch.execution.code_rules import pause_hint, pause_rule
from hpsearch.execution.machine import machine
from hpsearch.own_code import digest as digest_of_code
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.training import Training
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.studyfile.tables.protocol import exam_of
from hpsearch.trainers import is_program, takes_state, trainer_kind

# On another processor or with other packages sums are rounded another way, and training makes
# more of it with every step. Of a metric's size, or of 1 where that is less.
TOLERANCE = 0.02
# Of the difference between two runs of one trial of a program, which one pair tells but roughly.
PROBE_MARGIN = 3.0


@dataclass(frozen=True)
class Reproduction:
    """A trial beside its repetition.

    Attributes:
        trial: its number.
        outcome, epochs: as recorded.
        values: metrics that were compared, over members and epochs.
        states: final states that were compared, by their digest.
        exact: compared bit for bit, as it was trained on a machine like this one with the same
            packages; else within `tolerance`, and the states not at all.
        difference: the first one, "" where there is none.
        largest: the largest difference of any metric, relative where the metric is above 1.
        pauses: of code that is not ours, epochs after which one of the two trainings paused, and
            the other did not.
        recorded_pauses: whether that was the recorded one; None: it was not noted.
        recorded_on, machine: what the two were trained on.
        code: the user's own code where it is not what the trial was trained with, as a sentence;
            "" where it is, or none was noted.
    """

    trial: int
    outcome: str
    epochs: int
    values: int
    states: int
    exact: bool
    tolerance: float
    difference: str
    largest: float
    recorded_on: tuple[str, ...]
    machine: str
    pauses: tuple[int, ...] = ()
    recorded_pauses: bool | None = False
    code: str = ""

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.difference


def reproduce(
    read: ReadStudy,
    record: TrialRecord,
    executor: SliceExecutor,
    *,
    tolerance: float = TOLERANCE,
    varies: float = 0.0,
) -> Reproduction:
    """Train a trial from its start to where its record ends, and compare.

    It is trained in one go. Of code that is not ours nobody knows whether a pause changes
    something: it is trained with pauses where the record had none, and where the two differ, once
    more with the very pauses of the record; where those were not noted, without any.

    Args:
        read: the study as recorded.
        record: of the trial.
        executor: where it is trained.
        tolerance: largest difference where the machine or the packages are others.
        varies: by how much a program differed when one trial was run twice; 0: it repeats.
    """
    here = record.machines == [machine()]
    exact = here and not varies
    allowed = max(PROBE_MARGIN * varies, 0.0 if here else tolerance)
    recorded = [tuple(member.pauses or ()) for member in record.members]
    pauses = _other_pauses(read, record)
    if is_program(record.params["trainer"]):  # it is run from length to length, as it was
        recorded = pauses
    again = _trained_again(read, record, executor, pauses)
    compared = _Comparison(record, again, allowed)
    known = digests(read.arm_of(record.number).selection)
    if record.digests != known:
        difference = _data(record, known)
    else:
        difference = _first(compared, exact)
        if difference and pauses != recorded:
            alike = _trained_again(read, record, executor, recorded)
            if not _first(_Comparison(record, alike, allowed), exact):
                difference += _because_of_pauses(record)
    differing = {epoch for one in (pauses, recorded) for epochs in one for epoch in epochs}
    return Reproduction(
        trial=record.number,
        outcome=record.outcome,
        epochs=max(member.epoch for member in record.members),
        values=len(compared.deviations),
        states=len(list(compared.states())) if exact else 0,
        exact=exact,
        tolerance=allowed,
        difference=difference,
        largest=min(max(compared.deviations, default=0.0), sys.float_info.max),
        recorded_on=tuple(record.machines),
        machine=machine(),
        pauses=tuple(sorted(differing)) if pauses != recorded else (),
        recorded_pauses=any(recorded) if _pauses_noted(record) else None,
        code=other_code(record, digest_of_code(read.code)),
    )


def _trained_again(
    read: ReadStudy,
    record: TrialRecord,
    executor: SliceExecutor,
    pauses: Sequence[Sequence[int]],
) -> TrialRecord:
    """The record of another training, each member with these pauses alone."""
    lengths = read.file.lengths
    arm = read.arm_of(record.number)
    with TemporaryDirectory(prefix="hpsearch-") as place:
        training = Training.of(read, arm.selection, RunFolder(Path(place)), executor)
        in_one_go = replace(training.settings, seconds=math.inf)
        training = replace(training, settings=in_one_go, pauses=pauses)
        again, goal = _anew(record), _goal(record, lengths)
        steps = [*sorted(start for start in record.rows if record.before < start < goal), goal]
        if record.folds and record.length:  # it came to a stage's end on all folds before
            steps = sorted({*steps, record.length})
        if is_program(record.params["trainer"]):
            known = {*lengths[record.stage :], *training.rungs}
            steps = [*sorted(epoch for epoch in known if epoch < goal), goal]
        for until in steps:
            folds = record.folds if record.folds and until == goal else None
            exam = exam_of(read.file.protocol)
            for _ in training.run([[again]], until, exam, folds=folds):
                pass
    return again


def _other_pauses(read: ReadStudy, record: TrialRecord) -> list[tuple[int, ...]]:
    """Pauses that a training with those of the record is compared with, for each member."""
    kind = trainer_kind(str(record.params["trainer"]))
    assert kind is not None
    program = is_program(record.params["trainer"])
    if program or kind.trainer.exact_state or any(m.pauses for m in record.members):
        return [()] * len(record.members)
    goal = _goal(record, read.file.lengths)
    epochs = sorted({epoch for epoch in (1, goal // 2) if 0 < epoch < goal})
    return [tuple(epochs)] * len(record.members)


def _pauses_noted(record: TrialRecord) -> bool:
    return all(member.pauses is not None for member in record.members)


def _because_of_pauses(record: TrialRecord) -> str:
    trainer = str(record.params["trainer"])
    had = sorted({epoch for member in record.members for epoch in member.pauses or ()})
    which = "no pause, as it was trained," if _pauses_noted(record) else "no pause"
    if had:
        which = f"the pauses that it had, {_after(had)},"
    return (
        f"; with {which} it is equal: {pause_rule(trainer)}, so "
        f"{pause_hint(trainer, takes_state=takes_state(trainer))}"
    )


def pauses_text(found: Reproduction) -> str:
    """Which of the two trainings paused, in words; "" where neither did."""
    if not found.pauses:
        return ""
    if found.recorded_pauses is None:
        return f"trained again with pauses {_after(found.pauses)}, pauses were not recorded"
    sides = ("recorded", "trained again")
    paused, other = sides if found.recorded_pauses else sides[::-1]
    return f"{paused} with pauses {_after(found.pauses)}, {other} without a pause"


def _after(epochs: Sequence[int]) -> str:
    return f"after {noun_of(len(epochs), 'epoch')} {', '.join(map(str, epochs))}"


def other_code(record: TrialRecord, now: str) -> str:
    """What of the user's own code is not as in a record; "" where it is, or none was noted.

    Args:
        now: the digest of it.
    """
    if not record.code or record.code == [now]:
        return ""
    return f"code (digest {', then '.join(record.code)} recorded, {now or 'none'} now)"


def _anew(record: TrialRecord) -> TrialRecord:
    """The record as it was when the trial was drawn."""
    return TrialRecord(
        uid=record.uid,
        kind=record.kind,
        number=record.number,
        params=record.params,
        members=[
            # The kind of its digest is that of the new one.
            MemberRecord(member.split, member.entropy, state_digest=member.state_digest)
            for member in record.members
        ],
        digests=record.digests,
        threshold=record.threshold,
        trees=record.trees,
    )


def _goal(record: TrialRecord, lengths: Sequence[int]) -> int:
    """The epoch it was being trained to, or as far as it is."""
    reached = [member.epoch for member in record.members]
    if record.outcome.sound:
        return max(record.before + 1, *reached)
    # Diverged or failed on the way to the end of the first stage that it has no score of.
    ahead = (n for n in lengths[record.stage :] if n not in record.scores)
    return next(ahead, lengths[-1])


class _Comparison:
    """The curves of a record beside those of its repetition.

    Attributes:
        deviations: of every metric that both have.
        first: epoch, member, and text of the first that is too large, or None.
    """

    def __init__(self, record: TrialRecord, again: TrialRecord, tolerance: float) -> None:
        self.record, self.again = record, again
        self.deviations: list[float] = []
        found = list(self._differences(tolerance))
        self.first = min(found, default=None)

    def _differences(self, tolerance: float) -> Iterator[tuple[int, int, str]]:
        for index, (old, new) in enumerate(
            zip(self.record.members, self.again.members, strict=True)
        ):
            rows = _rows(new)
            for epoch, before in _rows(old).items():
                now = rows.get(epoch)
                if now is None or now.keys() != before.keys():
                    got = "none" if now is None else ", ".join(now)
                    yield epoch, index, f"metrics {', '.join(before)} recorded, {got} again"
                    continue
                for name, value in before.items():
                    self.deviations.append(_deviation(value, now[name]))
                    if self.deviations[-1] > tolerance:
                        yield epoch, index, f"{name} {value!r} recorded, {now[name]!r} again"

    def states(self) -> Iterator[tuple[int, str, str]]:
        """Member, digest recorded and digest again of the states that can be compared."""
        for index, (old, new) in enumerate(
            zip(self.record.members, self.again.members, strict=True)
        ):
            scored = old.epoch in self.record.reported
            if scored and old.state_digest:
                yield index, old.state_digest, new.state_digest


def _first(compared: _Comparison, exact: bool) -> str:
    """The first difference in words; "" where there is none."""
    record, again = compared.record, compared.again
    if compared.first is not None:
        epoch, member, text = compared.first
        return f"epoch {epoch}, split {record.members[member].split}: {text}"
    before, now = ("trained" if r.outcome.sound else r.outcome for r in (record, again))
    if before != now:
        return f"outcome {before} recorded, {now} again {again.reason}".strip()
    if record.sealed:
        for old, new in zip(record.members, again.members, strict=True):
            if exact and (old.epoch, old.diverged) != (new.epoch, new.diverged):
                recorded = count_of(old.epoch, "epoch")
                return f"split {old.split}: {recorded} recorded, {new.epoch} again"
    for member, old_state, new_state in compared.states() if exact else ():
        if old_state != new_state:
            split = record.members[member].split
            return f"split {split}: final state {old_state} recorded, {new_state} again"
    return ""


def _data(record: TrialRecord, now: dict[str, str]) -> str:
    names = [name for name in now if record.digests.get(name) != now[name]]
    said = [
        f"{name} (digest {record.digests.get(name)} recorded, {now[name]} now)" for name in names
    ]
    return " and ".join(said)


def _rows(member: MemberRecord) -> dict[int, dict[str, float]]:
    """Metrics by epoch."""
    return {
        epoch: {
            name: values[position]
            for name, values in member.history.items()
            if not name.startswith("resources/")  # times are others every time
        }
        for position, epoch in enumerate(member.epochs)
    }


def _deviation(before: float, now: float) -> float:
    if before == now or (math.isnan(before) and math.isnan(now)):
        return 0.0
    deviation = abs(before - now) / max(1.0, abs(before))
    return math.inf if math.isnan(deviation) else deviation
