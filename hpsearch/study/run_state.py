"""How far a run of a study is, from its records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hpsearch.analysis.failures import failures
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Result
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.chapters.earlier import EarlierTrials
from hpsearch.study.recorded import Recorded
from hpsearch.study.stages import best_first
from hpsearch.study.stored_space import sees_all_rows

ALL_TRIED = "all configurations"


@dataclass(frozen=True)
class Best:
    """The best score so far.

    Attributes:
        epochs: the training length that it is a score at, the longest that any trial reached.
    """

    score: float
    epochs: int
    trial: int


@dataclass(frozen=True)
class RunState:
    """How far a run is.

    Attributes:
        state: "running", "interrupted", "finished" or "failed".
        stage: from 1; the one under way.
        trials: drawn so far.
        planned: that the stages ask for.
        ended: why a finished study drew fewer of them; "" where it did not.
        counts: trials by outcome, of every outcome.
        best: None as long as no trial has a score.
        holder: the process that runs it; "" for none.
        reason: why it failed; "" where it did not.
        failures: a line for each reason that trials failed or diverged for.
    """

    state: str
    stage: int
    stages: int
    trials: int
    planned: int
    ended: str
    counts: Mapping[Outcome, int]
    best: Best | None
    holder: str
    reason: str
    failures: Sequence[str]


def run_state(run: Recorded, records: Sequence[TrialRecord], holder: str | None) -> RunState:
    """The state of a run.

    Args:
        records: of all its trials.
        holder: who runs it; None: nobody.

    Raises:
        StudyFileError, FormatError: another version of hpsearch wrote it.
        DamagedError: one of its files is not what was written.
    """
    failure = run.folder.read_sealed(run.folder.files.failed) or {}
    stages, result, planned = run.file.stages, run.result(), _planned(run, records)
    closed = sum(bool(run.decisions(n)) for n in range(len(stages)))
    if result is not None:
        state = "finished"
    elif holder is not None:
        state = "running"
    else:
        state = "failed" if failure else "interrupted"
    counts = Counter(record.outcome for record in records)
    ended = "" if result is None or len(records) >= planned else _ended(result)
    return RunState(
        state=state,
        stage=min(closed + 1, len(stages)),
        stages=len(stages),
        trials=len(records),
        planned=len(records) if ended == ALL_TRIED else planned,
        ended=ended,
        counts={outcome: counts[outcome] for outcome in Outcome},
        best=_best(run, records),
        holder=holder or "",
        reason=failure["reason"] if state == "failed" else "",
        failures=[one.text for one in failures(records)],
    )


def _ended(result: Result) -> str:
    """Why fewer trials were drawn than the stages ask for.

    A result of an older version does not say of which searches all configurations were tried;
    where no budget cut them, that is what is left.
    """
    tried = bool(result.tried) or not result.ended
    return ", ".join([ALL_TRIED] * tried + [result.ended] * bool(result.ended))


def _planned(run: Recorded, records: Sequence[TrialRecord]) -> int:
    """Trials that the study draws: those of the stages without the promoted, as far as known."""
    if run.chapter.number > 1:
        return _planned_in_chapter(run, records)
    stages = run.file.stages
    total = stages[0].trials * run.n_arms
    for number, stage in enumerate(stages[1:]):
        counts = [len(decided["promoted"]) for decided in run.decisions(number)]
        left = run.n_arms - len(counts)
        going_on = sum(counts) + left * round(stage.trials * stage.promote)
        total += stage.trials * run.n_arms - going_on
    return total


def _planned_in_chapter(run: Recorded, records: Sequence[TrialRecord]) -> int:
    """Trials of all chapters: in this one those that are open and those trained on from earlier
    chapters, without those promoted from its own, as far as known."""
    first = run.chapter.first
    earlier = EarlierTrials.of(run.file, run.folder, run.chapter, records)
    total = first
    for number in range(len(run.file.stages)):
        total += earlier.n_open(number) + len(earlier.continuing(number))
        decided = run.decisions(number - 1) if number else []
        own = [n for one in decided for n in one["promoted"] if n >= first]
        total -= len(own) if decided else earlier.n_promoted(number)
    return total


def _best(run: Recorded, records: Sequence[TrialRecord]) -> Best | None:
    """The best score at the longest training that any trial has one of.

    While none of the search on all rows has, in a nested search, of any outer fold.
    """
    own = sees_all_rows(run.folder)
    records = [record for record in records if own(record.number)] or records
    for length in reversed(run.file.lengths):
        ranked = best_first(records, length, run.file.directions)
        if ranked:
            return Best(ranked[0].scores[length], length, ranked[0].number)
    return None
