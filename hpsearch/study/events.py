"""What a running study tells its caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hpsearch.records.trial_record import TrialRecord


@dataclass(frozen=True)
class StageStarted:
    """A stage of an arm begins, or goes on after a restart; `done` of its trials are there.

    Attributes:
        seconds: that the budget leaves; None: it does not count them.
        rows: training rows of a fold; None: all.
    """

    stage: int
    n_stages: int
    trials: int
    epochs: int
    done: int
    arm: str = ""
    seconds: float | None = None
    rows: int | None = None


@dataclass(frozen=True)
class TrialReached:
    """A trial reached its stage's length, or ended; `best` is the best score there so far."""

    record: TrialRecord
    best: float | None


@dataclass(frozen=True)
class PhaseStarted:
    """Work after the last stage: "confirmation", "test" or "model", with so many runs; `done` of
    them are there."""

    name: str
    runs: int
    done: int
    arm: str = ""


@dataclass(frozen=True)
class RunReached:
    """A confirmation or test run is there, or the model on all rows."""

    record: TrialRecord


@dataclass(frozen=True)
class ArmFailed:
    """An arm of a comparison has no result; the others go on."""

    arm: str
    reason: str


@dataclass(frozen=True)
class BudgetEnded:
    """A key of [budget] ended the search, or only the drawing of this stage."""

    key: str
    stage: int
    stage_only: bool
    arm: str = ""


@dataclass(frozen=True)
class SpaceTried:
    """Every configuration of an arm was tried, and no more trials are drawn in this stage.

    Attributes:
        configurations: how many there are.
        asked: trials of the stage that the study file asks for.
        left: how many of them are not drawn.
    """

    configurations: int
    asked: int
    left: int
    stage: int
    n_stages: int
    arm: str = ""


@dataclass(frozen=True)
class OptunaRefilled:
    """Optuna's study said otherwise than the records, and was made anew from them."""

    problems: tuple[str, ...]
    arm: str = ""


@dataclass(frozen=True)
class BatchFailed:
    """All trials of an arm's first batch failed for one reason: a mistake of the whole study.

    Attributes:
        trials: how many.
        reason: in a line.
        limit: budget.failures, after which the study ends.
    """

    trials: int
    reason: str
    limit: int
    arm: str = ""


@dataclass(frozen=True)
class StudySized:
    """A new study was sized to the time it was given.

    Attributes:
        text: its trials, repeats and refits, in a line.
    """

    text: str


@dataclass(frozen=True)
class StudiesLearned:
    """A new study learns from earlier ones.

    Attributes:
        studies: how many trials of each, by name.
    """

    studies: Mapping[str, int]


@dataclass(frozen=True)
class TrackingAwaited:
    """The study is done, and waits for MLflow to take the rest of its records.

    Attributes:
        text: for how long at most, and what ends the wait, in a line.
    """

    text: str


@dataclass(frozen=True)
class CodeDoubt:
    """A trainer of a user's own does not keep a rule: of pauses, seeds, or the final test.

    Attributes:
        warning: the rule, what was got and what to do, in a line.
    """

    warning: str


@dataclass(frozen=True)
class LibraryWarned:
    """Code that a user's own trainer calls warned of something for the first time in a run.

    Attributes:
        warning: its kind and its first line.
        log: the path of the file that has all of it.
    """

    warning: str
    log: str


Event = (
    StageStarted
    | TrialReached
    | PhaseStarted
    | RunReached
    | ArmFailed
    | BudgetEnded
    | SpaceTried
    | OptunaRefilled
    | BatchFailed
    | CodeDoubt
    | LibraryWarned
    | StudySized
    | StudiesLearned
    | TrackingAwaited
)
