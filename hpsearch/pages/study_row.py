"""What the start page says of one run of a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from hpsearch.counts import count_of
from hpsearch.errors import HpsearchError
from hpsearch.pages import wording
from hpsearch.records.layout import Artifact, Kind
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Result
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.overtuned import overtuning_warnings
from hpsearch.study.code_checks import code_warnings
from hpsearch.study.plan import MODEL, REFIT
from hpsearch.study.recorded import Recorded
from hpsearch.study.run_state import run_state
from hpsearch.study.time_left import seconds_left

State = Literal["reading", "running", "interrupted", "finished", "failed", "unreadable"]
WHILE_RUNNING: tuple[Kind, ...] = (
    "trial",
    "confirmation",
    "default",
    "test",
    "default-test",
    "all-rows",
)
LONGEST = 240  # characters of a reason that is shown unfolded
PHASES: dict[Kind, str] = {"all-rows": MODEL, "test": REFIT, "confirmation": "confirmation"}

ReadRecords = Callable[[Kind], Sequence[TrialRecord]]


@dataclass(frozen=True)
class Score:
    """A score as it is shown.

    Attributes:
        interval: the ends of its 95 % interval; "" for none.
        note: what it is a score of.
    """

    text: str
    interval: str = ""
    note: str = ""


@dataclass(frozen=True)
class Link:
    """A way on.

    Attributes:
        address: from "/" on, or that of another server.
    """

    title: str
    address: str


@dataclass(frozen=True)
class StudyRow:
    """One run of a study.

    Attributes:
        state: "reading" as long as its files were not looked into.
        changed: when anything in it changed last.
        earlier: how many runs of the same study came before it.
        trials, planned: drawn so far, and asked for.
        counts: trials by outcome; those without any are left out.
        left: how long it will still take; "" where it does not run, or nobody knows.
        metric: what the best score is one of.
        best: of a finished study over fresh splits, else the best of the search so far.
        best_trial: its number.
        test: on the test set; None: not measured, or not yet.
        warnings: each in a sentence.
        reason: why it failed or can't be read.
        links: to its prepared views, its report and its run.
    """

    study: str
    run: int
    state: State
    changed: datetime | None = None
    earlier: int = 0
    stage: str = ""
    trials: int = 0
    planned: int = 0
    counts: Mapping[Outcome, int] = field(default_factory=dict)
    left: str = ""
    metric: str = ""
    best: Score | None = None
    best_trial: int | None = None
    test: Score | None = None
    warnings: Sequence[str] = ()
    reason: str = ""
    links: Sequence[Link] = ()

    @property
    def short_reason(self) -> str:
        """The reason without a traceback but its end, and in a line of a table."""
        lines = [line for line in self.reason.splitlines() if line and not line[0].isspace()]
        told = [line for line in lines if not line.startswith("Traceback")]
        n = 2 if told and told[0].endswith(":") else 1
        text = " ".join(told[:n])
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

    @property
    def key(self) -> str:
        """Unique among all runs of a home."""
        return f"{self.study}/{self.run}"

    @property
    def name(self) -> str:
        """As the commands call it."""
        return self.study if self.run == 1 else self.key


def study_row(
    run: Recorded,
    read: ReadRecords,
    *,
    holder: str | None,
    changed: float,
    now: float,
) -> StudyRow:
    """The row of a run, without its links.

    Args:
        read: gives all records of a kind.
        holder: who runs it; None: nobody.
        changed: when anything in it changed last, in seconds since 1970.
        now: the time.
    """
    plain = StudyRow(run.study, run.number, "reading", wording.moment(changed))
    try:
        result = run.result()
        if result is not None:
            return _finished(plain, run, result)
        return _unfinished(plain, run, read, holder, now)
    except HpsearchError as error:  # of another version, or damaged
        return replace(plain, state="unreadable", reason=str(error))


def _finished(plain: StudyRow, run: Recorded, result: Result) -> StudyRow:
    written = run.folder.files.artifact(Artifact.RESULT).stat().st_mtime
    counts = {Outcome(name): n for name, n in result.counts.items() if n}
    trials = sum(counts.values())
    validation, test = result.validation, result.test_score
    return replace(
        plain,
        state="finished",
        changed=wording.moment(written),
        trials=trials,
        planned=trials,
        counts=counts,
        metric=result.objective,
        best=Score(
            wording.score(validation.mean),
            wording.interval(validation),
            f"over {validation.of_what}{_others(result)}",
        ),
        best_trial=result.best_number,
        test=Score(
            wording.score(test.mean),
            wording.interval(test),
            f"{result.test_name} over {test.of_what}{_outer(result)}",
        )
        if test
        else None,
        warnings=_warnings(run, result),
    )


def _others(result: Result) -> str:
    """What a reader of the best score must know of several objectives."""
    n = len(result.objectives)
    return f"; the first of {n} objectives, {len(result.front)} on the front" if n > 1 else ""


def _outer(result: Result) -> str:
    """What the whole search is worth, where it is a nested one."""
    found = None if result.outer is None else result.outer.test.get(result.test_name)
    if found is None:
        return ""
    ends = wording.interval(found)
    said = f"{wording.score(found.mean)} ({ends})" if ends else wording.score(found.mean)
    return f"; for the search, over outer folds: {said}"


def _warnings(run: Recorded, result: Result) -> list[str]:
    """What a reader of the scores must know, most important first."""
    found = [
        *result.warnings,
        f"Not tested: {result.untested}" if result.untested else "",
        result.ended_text,
        *overtuning_warnings(run.folder),
        *code_warnings(run.folder),
    ]
    return [text for text in found if text]


def _unfinished(
    plain: StudyRow, run: Recorded, read: ReadRecords, holder: str | None, now: float
) -> StudyRow:
    trials = read("trial")
    known = run_state(run, trials, holder)
    left, best = None, known.best
    stage = f"stage {known.stage} of {known.stages}" if known.stages > 1 else ""
    if known.state == "running":
        began = run.folder.files.study.holder.stat().st_mtime
        records = {kind: trials if kind == "trial" else read(kind) for kind in WHILE_RUNNING}
        left = seconds_left(run.file, run.n_arms, records, since=began, now=now)
        stage = next((PHASES[kind] for kind in PHASES if records[kind]), stage)
    states: dict[str, State] = {"running": "running", "failed": "failed"}
    return replace(
        plain,
        state=states.get(known.state, "interrupted"),
        stage=stage,
        trials=known.trials,
        planned=max(known.planned, known.trials),
        counts={outcome: n for outcome, n in known.counts.items() if n},
        left=wording.time_left(left),
        metric=run.file.objective.name,
        best=Score(wording.score(best.score), "", f"so far, at {count_of(best.epochs, 'epoch')}")
        if best
        else None,
        best_trial=best.trial if best else None,
        warnings=[*known.failures, *code_warnings(run.folder)],
        reason=known.reason,
    )
