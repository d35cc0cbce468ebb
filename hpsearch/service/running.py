"""Running a study from its file to its result, with MLflow beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hpsearch.errors import HpsearchError, StudyFailed
from hpsearch.execution.executors import available_cores
from hpsearch.search.events import Event
from hpsearch.search.reading import ReadStudy, read_study, refuse_unfit
from hpsearch.search.run import Run, open_run
from hpsearch.search.study import Study
from hpsearch.search.study_file import StudyFile
from hpsearch.service.artifacts import write_artifacts
from hpsearch.service.parent import write_parent
from hpsearch.service.report import Report, report_of
from hpsearch.tracking.home import Home
from hpsearch.tracking.projection import Projection
from hpsearch.tracking.record import JOURNAL, RunFolder

PROJECTED = "projected.json"
FAILED = "failed.json"  # why the last start ended in StudyFailed
VERSIONS = ("hpsearch", "numpy", "optuna", "scikit-learn")  # what the numbers depend on
UI_ADDRESS = "http://127.0.0.1:5000"  # where `python -m hpsearch ui` listens unless told otherwise


def run_study(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    home: str | Path | None = None,
    workers: int | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
    fresh: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
    warn: Callable[[str], None] = lambda line: None,
) -> Report:
    """Run a study, or go on with it, or look up its result if it is finished.

    Args:
        path: the study file.
        overrides: "key=value", as for --set.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ of the current directory.
        workers: processes, 0 for this one; None: as the file says, else one a core.
        storage: Optuna's storage URL; None: SQLite in `home`.
        tracking_uri: MLflow's; None: SQLite in `home`.
        fresh: start a new run of the study.
        on_event: called with what happens.
        warn: called with one line where something does not stop the study.

    Raises:
        HpsearchError: a known error, its text is for the user.
        KeyboardInterrupt: interrupted; the same call goes on.
    """
    read = read_study(Path(path), overrides)
    stores = Home.find(Path(home) if home else None)
    if fresh or not (stores.studies / read.file.name).exists():
        refuse_unfit(read)  # before anything is made
    stores.create()
    count = workers if workers is not None else read.file.execution.workers
    count = available_cores() if count is None else count
    batch, n_members = read.file.sampler.batch, read.file.n_members
    if count > batch * n_members:
        warn(
            f"sampler.batch = {batch} keeps {batch * n_members} of {count} workers busy; a new "
            f"study would use all of them with sampler.batch = {ceil(count / n_members)}"
        )
    database = storage or stores.storage_url
    uri = _absolute(tracking_uri or stores.tracking_uri)
    _check_apart(database, uri)
    run = open_run(read, stores, fresh=fresh)
    try:
        study = Study(read, run, database, count)
        return _run(study, read, run, stores, uri, on_event, warn)
    finally:
        run.close()


def _absolute(uri: str) -> str:
    """The tracking URI with an absolute path; HpsearchError if it is no URI."""
    prefix = "sqlite:///"
    if uri.startswith(prefix) and not uri.startswith(prefix + "/"):
        return prefix + str(Path(uri.removeprefix(prefix)).absolute())
    if "://" not in uri:
        raise HpsearchError(
            "--tracking-uri must be a URI such as http://host:5000 or sqlite:///mlflow.db, "
            f"got {uri!r}"
        )
    return uri


def _check_apart(storage: str, tracking_uri: str) -> None:
    """Refuse one database for both: Optuna and MLflow each keep an alembic_version table."""
    try:
        first, second = make_url(storage), make_url(tracking_uri)
    except ArgumentError:
        return  # not a database, or its user hears of it where it is opened
    if first.get_backend_name() != second.get_backend_name():
        return
    if first.get_backend_name() == "sqlite":
        places = [Path(url.database or "").absolute() for url in (first, second)]
    else:
        places = [(url.host, url.port, url.database) for url in (first, second)]  # type: ignore[misc]
    if places[0] == places[1]:
        raise HpsearchError(
            "--storage and the MLflow store must be two databases, got one for both: "
            f"{second.render_as_string()}"
        )


def _run(
    study: Study,
    read: ReadStudy,
    run: Run,
    home: Home,
    uri: str,
    on_event: Callable[[Event], None],
    warn: Callable[[str], None],
) -> Report:
    projection = Projection(run.folder, home, uri, warn)
    result = study.finished()
    there = uri != home.tracking_uri or home.mlflow.exists()
    if result is not None and there and is_projected(run.folder, read.file, uri):
        return report_of(projection, result, ran=False, missing="")
    (run.folder.path / FAILED).unlink(missing_ok=True)
    write_parent(read, run, result)
    projection.start()
    try:
        ran = result is None
        if result is None:
            for event in study.events():
                projection.keep_alive()
                on_event(event)
            result = study.finished()
            assert result is not None
        write_artifacts(read, run.folder, result)
        write_parent(read, run, result)
        run.folder.announce({"kind": "parent"})
    except BaseException as error:
        with suppress(HpsearchError):  # a full disk is not to hide what happened
            if isinstance(error, StudyFailed):
                run.folder.write_json(FAILED, {"reason": str(error)})
            write_parent(read, run, None, status="KILLED")
            run.folder.announce({"kind": "parent"})
        projection.finish(seconds=5)  # what is not sent then is sent by the next start
        raise
    complete = projection.finish()
    if complete:
        run.folder.write_json(PROJECTED, _projected(run.folder, read.file, uri))
    return report_of(projection, result, ran=ran, missing="" if complete else projection.problem)


def is_projected(folder: RunFolder, file: StudyFile, uri: str) -> bool:
    """Whether MLflow has all of a run's journal, and the answers to all questions."""
    return bool(folder.read_json(PROJECTED) == _projected(folder, file, uri))


def _projected(folder: RunFolder, file: StudyFile, uri: str) -> dict[str, Any]:
    journal = folder.path / JOURNAL
    return {
        "tracking_uri": uri,
        "bytes": journal.stat().st_size if journal.exists() else 0,
        "asked": file.model_dump(mode="json", include={"comparison", "claims"}),
    }
