"""How long a study that runs will still take, from what it trained since its start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpsearch.records.layout import Kind
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.plan import MODEL, REFIT, Phase, course
from hpsearch.studyfile.study_file import StudyFile

LEAST_SECONDS = 5.0  # before that the pace is not known
PARTS: dict[str, tuple[Kind, ...]] = {
    "confirmation": ("confirmation", "default"),
    REFIT: ("test", "default-test"),
    MODEL: ("all-rows",),
}


def seconds_left(
    file: StudyFile,
    n_arms: int,
    records: Mapping[Kind, Sequence[TrialRecord]],
    *,
    since: float,
    now: float,
) -> float | None:
    """Seconds until the end, at the pace so far; None: not known yet, or not at all, as the pace
    is another one in stages with more rows.

    A budget in seconds may end it before that.

    Args:
        records: of the trials, confirmation runs, defaults and tests so far, by kind.
        since: when the process that runs it began, in seconds since 1970.
        now: the time.
    """
    if file.has_fewer_rows:
        return None
    gained = sum(_gained(record, since) for some in records.values() for record in some)
    if now - since < LEAST_SECONDS or not gained:
        return None
    phases = course(file, n_arms, defaults=n_arms * file.confirmation.default).phases
    lengths = [0, *(stage.epochs for stage in file.stages)]
    left = sum(phase.total_epochs * (1 - _done(phase, lengths, records)) for phase in phases)
    return left * (now - since) / gained


def _gained(record: TrialRecord, since: float) -> int:
    """Epochs that its members trained since then."""
    before = max((int(epoch) for epoch, when in record.marks if when < since), default=0)
    return sum(max(0, member.epoch - before) for member in record.members)


def _done(
    phase: Phase, lengths: Sequence[int], records: Mapping[Kind, Sequence[TrialRecord]]
) -> float:
    """The share of a part that is behind, from 0 to 1.

    Args:
        lengths: of the stages in epochs, after a 0.
    """
    if not phase.runs:
        return 1.0
    if phase.stage is None:
        own = [(record, 0) for kind in PARTS[phase.name] for record in records.get(kind, ())]
    else:
        before, trials = lengths[phase.stage], records.get("trial", ())
        own = [(record, 0) for record in trials if record.stage == phase.stage]
        own += [
            (record, before)
            for record in trials
            if record.stage < phase.stage and _trained(record) > before
        ]
    return min(1.0, sum(_share(*one, phase.epochs) for one in own) / phase.runs)


def _share(record: TrialRecord, start: int, end: int) -> float:
    """How much of the way from one epoch to another is behind; what ended has no way to go."""
    return 1.0 if record.outcome.final else min(1.0, (_trained(record) - start) / (end - start))


def _trained(record: TrialRecord) -> float:
    """Epochs, the mean over its members."""
    return sum(member.epoch for member in record.members) / len(record.members)
