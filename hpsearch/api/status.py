"""How far the studies of a home are, from their records alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.api.support.status_index import StatusIndex
from hpsearch.errors import DamagedError, FormatError, StudyFileError
from hpsearch.records.layout import Home, RunFiles
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_lock import running
from hpsearch.records.stamps import stamps_of

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.study.recorded import Recorded

OUTCOMES = tuple(Outcome)
UNREADABLE = (StudyFileError, FormatError, DamagedError)  # by this version, or at all
COLUMNS = (
    *("study", "run", "state", "stage", "stages", "trials", "planned", "ended"),
    *OUTCOMES,
    *("metric", "best", "best_epochs", "best_trial", "holder", "reason", "failures"),
)

OF_STATE = [
    "state",
    "stage",
    "stages",
    "trials",
    "planned",
    "ended",
    "holder",
    "reason",
    "failures",
]


def study_status(study: str | None = None, *, home: str | Path | None = None) -> pd.DataFrame:
    """A row per run: its state and progress. Locks nothing and may be called at any time.

    The columns: study and run (its number); state: "running", "interrupted", "finished",
    "failed" or "unreadable" (another version of hpsearch wrote it, or a file is damaged); stage
    and stages, from 1; trials drawn and planned; ended: why a finished study drew no more trials,
    "all configurations" if all were tried (then the planned number is that drawn), or the key of
    [budget]; the number of running, paused, complete trials, and so on; metric, and the best
    score so far with its training length (the longest that any trial reached) and trial; holder:
    the process that runs it; reason: why it failed or can't be read; failures: a line for each
    reason for which trials failed or diverged.

    Args:
        study: its name, or "name/2" for one run; None: all studies.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.

    Raises:
        StudyFileError: there is no such study.
    """
    import pandas as pd

    return pd.DataFrame(status_rows(study, home=home), columns=list(COLUMNS)).astype(
        {"best": "Float64", "best_epochs": "Int64", "best_trial": "Int64"}
    )


def status_rows(
    study: str | None = None, *, home: str | Path | None = None
) -> list[dict[str, Any]]:
    """The rows of `study_status` as dictionaries, without pandas, which takes longer to load."""
    stores = Home.find(Path(home) if home else None)
    index = StatusIndex.of(stores)
    rows = [_row(index, files) for files in _runs(stores, study)]
    index.write()
    return rows


def _runs(home: Home, study: str | None) -> list[RunFiles]:
    """
    Raises:
        StudyFileError: there is no such study.
    """
    if study is None:
        return [one.run(number) for one in home.all_studies() for number in one.numbers()]
    from hpsearch.study.recorded import find_runs

    return [run.folder.files for run in find_runs(home, study)]


def _row(index: StatusIndex, files: RunFiles) -> dict[str, Any]:
    """What the index knows, or what the records say; only a study's newest run is ever run."""
    holder = running(files.study) if files.number == files.study.newest else None
    known = index.row(files) if holder is None else None
    if known is not None:
        return known
    # Reading takes the study file's models, which take longer to load than an index to read.
    from hpsearch.records.run_folder import RunFolder
    from hpsearch.study.recorded import Recorded

    stamps, run = stamps_of(files), Recorded(files.study.name, files.number, RunFolder(files.path))
    try:
        row = _readable(run, holder)
    except UNREADABLE as error:  # the other studies are shown all the same
        return _unreadable(run, str(error))
    if holder is None:
        index.keep(files, stamps, row)
    return row


def _readable(run: Recorded, holder: str | None) -> dict[str, Any]:
    """
    Raises:
        StudyFileError, FormatError: another version of hpsearch wrote it.
        DamagedError: one of its files is not what was written.
    """
    from hpsearch.study.run_state import run_state

    found = run_state(run, list(run.folder.read_all("trial")), holder)
    best = found.best
    return {
        "study": run.study,
        "run": run.number,
        "metric": run.file.objective.name,
        **{name: getattr(found, name) for name in OF_STATE},
        "failures": list(found.failures),
        **{str(outcome): n for outcome, n in found.counts.items()},
        "best": best.score if best else None,
        "best_epochs": best.epochs if best else None,
        "best_trial": best.trial if best else None,
    }


def _unreadable(run: Recorded, reason: str) -> dict[str, Any]:
    counts = dict.fromkeys(("stage", "stages", "trials", "planned", *OUTCOMES), 0)
    best = dict.fromkeys(("best", "best_epochs", "best_trial"))
    about = {"study": run.study, "run": run.number, "state": "unreadable", "ended": "", **counts}
    end = {"holder": run.holder() or "", "reason": reason, "failures": []}
    return {**about, "metric": "", **best, **end}
