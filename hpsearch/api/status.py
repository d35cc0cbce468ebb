"""How far the studies of a home are, from their records alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from hpsearch.analysis.failures import failures
from hpsearch.errors import DamagedError, FormatError, StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Result
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.recorded import Recorded, find_runs
from hpsearch.study.stages import best_first
from hpsearch.study.stored_space import sees_all_rows

OUTCOMES = tuple(Outcome)
UNREADABLE = (StudyFileError, FormatError, DamagedError)  # by this version, or at all
ALL_TRIED = "all configurations"
COLUMNS = (
    *("study", "run", "state", "stage", "stages", "trials", "planned", "ended"),
    *OUTCOMES,
    *("metric", "best", "best_epochs", "best_trial", "holder", "reason", "failures"),
)


def study_status(study: str | None = None, *, home: str | Path | None = None) -> pd.DataFrame:
    """One row a run: its state and how far it is. Locks nothing and may be called at any time.

    The columns: study and run (its number); state, "running", "interrupted", "finished",
    "failed" or "unreadable" (another version of hpsearch wrote it, or a file is damaged); stage
    of stages, from 1; trials drawn of those planned; ended, why a finished study drew no more of
    them: "all configurations" were tried (then as many are planned as were drawn), or by which
    key of [budget]; then how many of them are running, paused, complete, …; metric, and the best
    score so far with its training length (the longest that any trial reached) and trial; holder,
    the process that runs it; reason, why it failed or can't be read; failures, a line for each
    reason that trials failed or diverged for.

    Args:
        study: its name, or "name/2" for one run; None: all studies.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ of the current directory.

    Raises:
        StudyFileError: there is no such study.
    """
    stores = Home.find(Path(home) if home else None)
    rows = [_row(run) for run in find_runs(stores, study)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(
        {"best": "Float64", "best_epochs": "Int64", "best_trial": "Int64"}
    )


def _row(run: Recorded) -> dict[str, Any]:
    try:
        return _readable(run)
    except UNREADABLE as error:  # the other studies are shown all the same
        return _unreadable(run, str(error))


def _readable(run: Recorded) -> dict[str, Any]:
    """
    Raises:
        StudyFileError, FormatError: another version of hpsearch wrote it.
        DamagedError: one of its files is not what was written.
    """
    holder, failure = run.holder(), run.folder.read_sealed(run.folder.files.failed) or {}
    records, stages = list(run.folder.read_all("trial")), run.file.stages
    closed = sum(bool(run.decisions(n)) for n in range(len(stages)))
    result, planned = run.result(), _planned(run)
    if result is not None:
        state = "finished"
    elif holder is not None:
        state = "running"
    else:
        state = "failed" if failure else "interrupted"
    counts = Counter[str](record.outcome for record in records)
    ended = "" if result is None or len(records) >= planned else _ended(result)
    return {
        "study": run.study,
        "run": run.number,
        "state": state,
        "stage": min(closed + 1, len(stages)),
        "stages": len(stages),
        "trials": len(records),
        "planned": len(records) if ended == ALL_TRIED else planned,
        "ended": ended,
        **{outcome: counts[outcome] for outcome in OUTCOMES},
        "metric": run.file.objective.name,
        **_best(run, records),
        "holder": holder or "",
        "reason": failure["reason"] if state == "failed" else "",
        "failures": [one.text for one in failures(records)],
    }


def _unreadable(run: Recorded, reason: str) -> dict[str, Any]:
    counts = dict.fromkeys(("stage", "stages", "trials", "planned", *OUTCOMES), 0)
    best = dict.fromkeys(("best", "best_epochs", "best_trial"))
    about = {"study": run.study, "run": run.number, "state": "unreadable", "ended": "", **counts}
    end = {"holder": run.holder() or "", "reason": reason, "failures": []}
    return {**about, "metric": "", **best, **end}


def _ended(result: Result) -> str:
    """Why fewer trials were drawn than the stages ask for.

    A result of an older version does not say of which searches all configurations were tried;
    where no budget cut them, that is what is left.
    """
    tried = bool(result.tried) or not result.ended
    return ", ".join([ALL_TRIED] * tried + [result.ended] * bool(result.ended))


def _planned(run: Recorded) -> int:
    """Trials that the study draws: those of the stages without the promoted, as far as known."""
    stages = run.file.stages
    total = stages[0].trials * run.n_arms
    for number, stage in enumerate(stages[1:]):
        counts = [len(decided["promoted"]) for decided in run.decisions(number)]
        left = run.n_arms - len(counts)
        going_on = sum(counts) + left * round(stage.trials * stage.promote)
        total += stage.trials * run.n_arms - going_on
    return total


def _best(run: Recorded, records: list[TrialRecord]) -> dict[str, Any]:
    """The best score at the longest training that any trial has one of.

    While none of the search on all rows has, in a nested search, of any outer fold.
    """
    own = sees_all_rows(run.folder)
    records = [record for record in records if own(record.number)] or records
    for stage in reversed(run.file.stages):
        ranked = best_first(records, stage.epochs, run.file.directions)
        if ranked:
            score = ranked[0].scores[stage.epochs]
            found = {"best": score, "best_epochs": stage.epochs}
            return found | {"best_trial": ranked[0].number}
    return dict.fromkeys(("best", "best_epochs", "best_trial"))
