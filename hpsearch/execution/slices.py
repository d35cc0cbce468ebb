"""What is sent to a worker to train, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hpsearch.datasets.selection import (
    Selection,
)
from hpsearch.execution.limits import LimitName
from hpsearch.execution.scores import NO_SCORES, Scoring
from hpsearch.own_code import NamedModule
from hpsearch.trainers import (
    EVERY_EPOCH,
    TRAINERS,
    Member,
    Schedule,
)

# What members are scored on: their validation split; one of the fresh splits for the best; the
# sealed test set; or validation split and test set, all the time. "all-rows" trains on
# all of them; its scores are not recorded.
Exam = Literal["validation", "fresh", "test", "both", "all-rows"]
FINAL: tuple[Exam, ...] = ("test", "all-rows")  # after the search; what was learned is kept


@dataclass(frozen=True)
class SliceSettings:
    """What all slices of one call of the dispatcher have in common.

    Attributes:
        data: which examples.
        exam: what members are scored on.
        n_epochs: the full training length of the study.
        seconds: pause at the first epoch's end after this time; inf: never.
        schedule: after which epochs members are evaluated.
        per_class: report each class's accuracy too, where the trainer tells.
        passes: report forward and backward passes and images too, where the trainer tells.
        resources: report what the training of each epoch takes.
        code_folder: where a user's own modules lie.
        code: what they must be; () where nobody knows.
        may_end_early: whether a trainer may end before the epochs do.
        decisive: metrics that must be finite for a member to go on; None: all.
        scoring: what is computed from what the trainer predicts.
        rows: training rows of each split that are trained on; None: all.
        keep: a trainer that is not ours stays in its process after a slice, for the next one.
    """

    data: Selection
    exam: Exam
    n_epochs: int
    seconds: float
    code_folder: str
    schedule: Schedule = EVERY_EPOCH
    per_class: bool = False
    passes: bool = False
    resources: bool = False
    may_end_early: bool = True
    decisive: tuple[str, ...] | None = None
    keep: bool = False
    code: tuple[NamedModule, ...] = ()
    scoring: Scoring = NO_SCORES
    rows: int | None = None


@dataclass(frozen=True)
class Slice:
    """One call's work.

    Attributes:
        settings: how its members are trained and scored.
        members: the population.
        until: epochs after which it is done.
        pauses: epochs after which it pauses, whatever the time.
    """

    settings: SliceSettings
    members: tuple[Member, ...]
    until: int
    pauses: tuple[int, ...] = ()

    @property
    def foreign(self) -> bool:
        """Whether its trainer is a user's function or an estimator; those train alone."""
        return str(self.members[0].params["trainer"]) not in TRAINERS


@dataclass(frozen=True)
class MemberAdvance:
    """What one member gained in a slice.

    Attributes:
        epochs: trained in this slice, or since it was told of last; of a diverged member those
            before it was found out.
        rows: a dict of metrics for every new epoch that was evaluated, with the epoch.
        state: where to continue from; None if diverged.
        diverged: its loss or a decisive metric is no longer finite; the last row is the last
            finite one.
        diverged_by: that metric; "" where it was the loss.
        predicted: at the end of an exam on the test set, the class of each of its rows.
        rates: the learning rate of the last step before each of `rows`; () where it is constant.
        fitted: after a final exam, name and content of the file of what was learned.
        ended_early: the epoch after which its trainer ended by itself; 0: it did not.
        saw_test: in an exam on the test set its training read it.
        kept: its trainer was still there from the slice before, or from the news before of the
            same slice; it was not resumed from its state.
        answers: after an exam on the test rows of a table, the file of what was predicted of them.
    """

    epochs: int
    rows: tuple[tuple[int, Mapping[str, float]], ...]
    state: bytes | None
    diverged: bool
    predicted: tuple[int, ...] | None = None
    rates: tuple[float, ...] = ()
    fitted: tuple[str, bytes] | None = None
    ended_early: int = 0
    diverged_by: str = ""
    saw_test: bool = False
    kept: bool = False
    answers: bytes | None = None


@dataclass(frozen=True)
class Use:
    """What one slice took of the machine, or a part of it that was told of while it ran.

    Attributes:
        worker: the process that ran it.
        began: when, in seconds since 1970.
        wall_seconds, cpu_seconds: of the whole of it.
        opening_seconds: of them until training began: data, trainer, states.
        peak_bytes: the most memory that the process has held so far.
    """

    worker: int
    began: float
    wall_seconds: float
    cpu_seconds: float
    opening_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class SliceResult:
    """What a population gained in a slice, in the members' order.

    A slice that can't be paused is told of while it runs: then each of the results that come
    before its last one, and this, have what was gained, printed and taken since the one before.

    Attributes:
        error: the exception's text where the trainer raised; then `members` is empty.
        machine: that it ran on, as `machine` says it.
        log: what a trainer that is not our own printed.
        limit: that the trainer passed, by its error; "" for none.
        lost: what it ran was killed, as a worker may be.
        warned: the warnings of Python in `log`, each in a line.
    """

    members: tuple[MemberAdvance, ...]
    error: str | None
    use: Use
    machine: str
    log: str = ""
    limit: LimitName | Literal[""] = ""
    lost: bool = False
    warned: tuple[str, ...] = ()
