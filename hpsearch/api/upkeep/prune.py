"""Delete old runs of studies, except the best and the last ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.api.support.deletion import StoredRun, sweep
from hpsearch.api.support.retention import FinishedRun, reasons_to_keep
from hpsearch.api.support.stores import storage_of, tracking_of
from hpsearch.counts import count_of
from hpsearch.errors import (
    DamagedError,
    FormatError,
    HpsearchError,
    StudyFileError,
    StudyLockedError,
    headline,
)
from hpsearch.records.databases import shrink
from hpsearch.records.layout import Artifact, Home, StudyFiles
from hpsearch.records.run_lock import held, running
from hpsearch.study.recorded import Recorded, find_runs
from hpsearch.study_names import as_written
from hpsearch.studyfile.schema_problems import from_options
from hpsearch.studyfile.tables.schedule import Retention
from hpsearch.tracking.deletion import TrackedRuns
from hpsearch.tracking.stores.own_store import follow_home

if TYPE_CHECKING:
    import pandas as pd

RUNNING = "the study is running"
UNFINISHED = "not finished; python -m hpsearch delete deletes it"


@dataclass(frozen=True)
class PruneRow:
    """A run, and whether it is deleted.

    Attributes:
        run: "quickstart/1".
        goes: whether it is deleted.
        reason: why it is deleted or kept.
        ended: when it ended, in UTC and ISO format; "" if it is unfinished.
        objective, score: the winner's objective over fresh seeds; "" and None if it is unfinished.
        bytes: if it is deleted, the size of its files: records, and artifacts in the home's own
            MLflow store.
    """

    run: str
    goes: bool
    reason: str
    ended: str = ""
    objective: str = ""
    score: float | None = None
    bytes: int = 0


@dataclass
class Pruning:
    """What a pruning deletes and keeps.

    Attributes:
        rows: a row per run, by study and number.
        marked: the number of MLflow runs in other stores, which are only marked as deleted.
        test_uses: configurations whose scores on the test set will be forgotten with the records.
        models: versions of registered models that are deleted with their runs.
        deleted: the names of the deleted runs; none in a dry run.
        database_bytes: the number of bytes by which the home's databases have shrunk.
    """

    rows: list[PruneRow] = field(default_factory=list)
    marked: int = 0
    test_uses: int = 0
    models: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    database_bytes: int = 0

    @property
    def going(self) -> list[PruneRow]:
        """The runs to delete."""
        return [row for row in self.rows if row.goes]

    @property
    def file_bytes(self) -> int:
        """The size of the files of the runs to delete."""
        return sum(row.bytes for row in self.going)

    @property
    def line(self) -> str:
        """One line for logs and messages."""
        n, kept = len(self.deleted), len(self.rows) - len(self.deleted)
        freed = size_text(self.file_bytes + self.database_bytes)
        head = f"{count_of(n, 'run')} deleted, {kept} kept"
        return head + (f", {freed} freed" if n else "")

    def notes(self) -> Iterator[str]:
        """Everything else that is deleted with the runs, one line each."""
        yield from (f"registered model {m} will be deleted with its run" for m in self.models)
        if self.marked:
            yield (
                f"MLflow runs in a store that is not the home's own: {self.marked}. They are "
                "marked as deleted; `mlflow gc` there frees their space"
            )
        if self.test_uses:
            yield f"uses of the test set whose records will be deleted: {self.test_uses}"

    def table(self) -> pd.DataFrame:
        """A row per run."""
        import pandas as pd

        names = list(PruneRow.__dataclass_fields__)
        return pd.DataFrame([asdict(row) for row in self.rows], columns=names)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self) | {"file_bytes": self.file_bytes}


def size_text(n_bytes: float) -> str:
    """1.2 MB"""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000 or unit == "GB":
            return f"{n_bytes:.0f} B" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    raise AssertionError


def prune_studies(
    study: str | None = None,
    *,
    older: str | None = None,
    keep_best: int | None = None,
    keep_last: int | None = None,
    home: str | Path | None = None,
    storage: str | None = None,
    dry_run: bool = False,
    agree: Callable[[Pruning], bool] = lambda pruning: True,
    now: datetime | None = None,
) -> Pruning | None:
    """Delete the old runs of a study, or of all, except the best and the last of each study.

    Running and unfinished runs are kept, and those whose registered model has an alias. After a
    kill, the same call completes the deletion.

    Args:
        study: its name; None: all studies.
        older: only runs that ended longer ago are deleted, e.g. "30d" or "12h".
        keep_best: the number of runs with the best validation scores to keep.
        keep_last: the number of newest finished runs to keep.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        storage: Optuna's storage URL, where the studies were run; None: HPSEARCH_STORAGE, else
            SQLite in `home`.
        dry_run: delete nothing.
        agree: called with what would be deleted, if anything; if it returns False, nothing is
            deleted.
        now: the time, in UTC; None: the machine's.

    Returns:
        What was deleted, or would be in a dry run; None if `agree` returned False.

    Raises:
        StudyFileError: there is no such study, or a value is invalid.
        TrackingError: MLflow can't be reached.
        StorageError: Optuna's storage can't be opened.
    """
    said = {"older": older, "keep_best": keep_best, "keep_last": keep_last}
    table = from_options(Retention, said)
    stores = Home.find(Path(home) if home else None)
    names = list(dict.fromkeys(run.study for run in find_runs(stores, study)))
    if study is not None and [*map(as_written, names)] != [as_written(study)]:
        raise StudyFileError(f"prune takes a study with all of its runs, got the run {study!r}")
    return prune(stores, names, table, storage, dry_run=dry_run, agree=agree, now=now)


def prune(
    home: Home,
    studies: Iterable[str],
    table: Retention,
    storage: str | None = None,
    tracking_uri: str | None = None,
    *,
    dry_run: bool = False,
    agree: Callable[[Pruning], bool] = lambda pruning: True,
    now: datetime | None = None,
) -> Pruning | None:
    """Like `prune_studies`, for existing studies.

    Args:
        tracking_uri: MLflow's URI, with its password.
    """
    url, uri = storage_of(home, storage), tracking_of(home, tracking_uri)
    follow_home(home)
    tops = [home.study(name) for name in studies]
    if not dry_run:
        _finish_deletions(home)
    found, going = Pruning(), list[StoredRun]()
    for top in tops:
        rows, stored = _planned(home, top, table, now or datetime.now(UTC), url, uri)
        found.rows += rows
        going += stored
    _note_what_goes_along(found, going)
    if dry_run or not going:
        return found
    if not agree(found):
        return None
    failure: HpsearchError | None = None
    for one in going:
        try:
            with held(one.run.folder.files.study):
                one.delete(for_good=True)
        except StudyLockedError:
            _keep(found, one.name, RUNNING)
        except HpsearchError as error:  # the others may be deleted all the same
            failure = error
            _keep(found, one.name, f"can't be deleted: {headline(error)}")
        else:
            found.deleted.append(one.name)
    if failure is not None and not found.deleted:
        raise failure
    found.database_bytes = shrink(home.optuna) + shrink(home.mlflow)
    return found


def _finish_deletions(home: Home) -> None:
    """Finish deletions that a kill cut short, unless the study is running."""
    for top in home.all_studies():
        if top.half_deleted():
            with suppress(StudyLockedError), held(top):
                sweep(top)


def _planned(
    home: Home, top: StudyFiles, table: Retention, now: datetime, url: str, uri: str
) -> tuple[list[PruneRow], list[StoredRun]]:
    """The decision about each run of a study, and the runs to delete."""
    runs = find_runs(home, top.name)
    unfinished = RUNNING if running(top) else UNFINISHED
    rows: dict[int, PruneRow] = {}
    finished: list[FinishedRun] = []
    for run in runs:
        row, past = _looked_at(run, unfinished)
        rows[run.number] = row
        finished += [past] if past is not None else []
    kept = dict(reasons_to_keep(finished, table, now))
    stored = []
    for run in runs:
        if run.number in kept or all(one.number != run.number for one in finished):
            continue
        one = StoredRun(run, url, TrackedRuns(run.folder, run.id, uri))
        served = [str(v) for v in one.tracked.versions if v.aliases] if one.tracked else []
        if served:
            kept[run.number] = f"served: {', '.join(served)}"
        else:
            stored.append(one)
    for number, reason in kept.items():
        rows[number] = replace(rows[number], reason=reason)
    if unfinished == RUNNING:
        stored = []  # whoever runs it may read them
        rows = {n: r if r.reason else replace(r, reason=RUNNING) for n, r in rows.items()}
    for one in stored:
        reason = f"older than {table.older}, neither best nor last"
        number = one.run.number
        rows[number] = replace(rows[number], goes=True, reason=reason, bytes=one.n_bytes)
    return list(rows.values()), stored


def _looked_at(run: Recorded, unfinished: str) -> tuple[PruneRow, FinishedRun | None]:
    """A run as its records say, and what there is to rank it by if it is finished."""
    name = f"{run.study}/{run.number}"
    row = PruneRow(name, False, unfinished)
    try:
        result = run.result()
        if result is None:
            return row, None
        ended = _ended(run)
    except (StudyFileError, FormatError, DamagedError) as error:
        return replace(row, reason=f"can't be read: {headline(error)}"), None
    score = result.validation.mean
    goal = result.objective, result.direction
    row = replace(row, reason="", ended=ended.isoformat(), objective=result.objective, score=score)
    return row, FinishedRun(run.number, ended, goal, score)


def _ended(run: Recorded) -> datetime:
    """When its result was found."""
    files = run.folder.files
    said = (run.folder.read_sealed(files.parent) or {}).get("ended")
    seconds = said / 1000 if said else files.artifact(Artifact.RESULT).stat().st_mtime
    return datetime.fromtimestamp(seconds, UTC)


def _note_what_goes_along(found: Pruning, going: Iterable[StoredRun]) -> None:
    for one in going:
        found.test_uses += one.test_uses
        if one.tracked is not None:
            found.marked += 0 if one.tracked.is_own else len(one.tracked.ids)
            found.models += map(str, one.tracked.versions)


def _keep(found: Pruning, name: str, reason: str) -> None:
    """Change a row to say that its run is kept after all."""
    found.rows = [
        replace(row, goes=False, reason=reason) if row.run == name else row for row in found.rows
    ]
