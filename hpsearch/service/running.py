"""Running a study from its file to its result, with MLflow beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hpsearch.addresses import without_password
from hpsearch.datasets.selection import open_pool
from hpsearch.errors import HpsearchError
from hpsearch.execution.cluster import scheduler_address
from hpsearch.execution.executors import available_cores
from hpsearch.reports.confusion import write_confusion
from hpsearch.reports.figures import draw_search
from hpsearch.reports.tables import write_tables
from hpsearch.search.events import Event
from hpsearch.search.reading import ReadStudy, read_study, refuse_unfit
from hpsearch.search.run import Run, open_run
from hpsearch.search.study import Study
from hpsearch.service.parent import write_parent
from hpsearch.service.report import Report, report_of
from hpsearch.tracking.home import Home
from hpsearch.tracking.projection import Projection
from hpsearch.tracking.record import JOURNAL

PROJECTED = "projected.json"
FIGURE = "search.png"  # written last of the artifacts
STORAGE, TRACKING_URI = "HPSEARCH_STORAGE", "HPSEARCH_TRACKING_URI"  # in the environment


def run_study(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    home: str | Path | None = None,
    workers: int | None = None,
    executor: str | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
    fresh: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
    warn: Callable[[str], None] = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> Report:
    """Run a study, or go on with it, or look up its result if it is finished.

    Args:
        path: the study file.
        overrides: "key=value", as for --set.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ of the current directory.
        workers: processes, 0 for this one; None: as the file says, else one a core.
        executor: a Dask cluster's scheduler, e.g. "dask://host:8786", whose workers are used, all
            of them where `workers` is None; None: as the file says, else this machine.
        storage: Optuna's storage URL; None: HPSEARCH_STORAGE, else SQLite in `home`.
        tracking_uri: MLflow's; None: HPSEARCH_TRACKING_URI, else SQLite in `home`.
        fresh: start a new run of the study.
        on_event: called with what happens.
        warn: called with one line where something does not stop the study.
        stop: asked at least every second of training; once it says True, the slices under way
            are waited for (10 s at most) and written, and StudyStopped is raised.
        tags: of the parent run in MLflow, beside our own.

    Raises:
        StudyStopped: `stop` said so; the same call goes on.
        HpsearchError: a known error, its text is for the user.
        KeyboardInterrupt: interrupted; the same call goes on.
    """
    read = read_study(Path(path), overrides)
    stores = Home.find(Path(home) if home else None)
    if fresh or not (stores.studies / read.file.name).exists():
        refuse_unfit(read)  # before anything is made
    stores.create()
    count = workers if workers is not None else read.file.execution.workers
    place = executor or read.file.execution.executor
    cluster = scheduler_address(place) if place else ""
    if not cluster and count is None:
        count = available_cores()
    _warn_of_idle(read, count or 0, warn)
    database = storage or os.environ.get(STORAGE) or stores.storage_url
    uri = _absolute(tracking_uri or os.environ.get(TRACKING_URI) or stores.tracking_uri)
    _check_apart(database, uri)
    run = open_run(read, stores, fresh=fresh)
    try:
        study = Study(read, run, database, count, stop, cluster)
        return _run(study, read, run, stores, uri, on_event, warn, tags)
    finally:
        run.close()


def _warn_of_idle(read: ReadStudy, workers: int, warn: Callable[[str], None]) -> None:
    batch, n_splits = read.file.sampler.batch, read.file.data.n_splits
    if workers > batch * n_splits:
        warn(
            f"sampler.batch = {batch} keeps {batch * n_splits} of {workers} workers busy; a new "
            f"study would use all of them with sampler.batch = {ceil(workers / n_splits)}"
        )


def _absolute(uri: str) -> str:
    """The tracking URI with an absolute path; HpsearchError if it is no URI."""
    prefix = "sqlite:///"
    if uri.startswith(prefix) and not uri.startswith(prefix + "/"):
        return prefix + str(Path(uri.removeprefix(prefix)).absolute())
    if "://" not in uri:
        raise HpsearchError(
            "--tracking-uri must be a URI such as http://host:5000 or sqlite:///mlflow.db, "
            f"got {without_password(uri)!r}"
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
            f"{without_password(tracking_uri)}"
        )


def _run(
    study: Study,
    read: ReadStudy,
    run: Run,
    home: Home,
    uri: str,
    on_event: Callable[[Event], None],
    warn: Callable[[str], None],
    tags: Mapping[str, str],
) -> Report:
    projection = Projection(run.folder, home, uri, warn)
    result = study.finished()
    there = uri != home.tracking_uri or home.mlflow.exists()
    if result is not None and there and run.folder.read_json(PROJECTED) == _projected(run, uri):
        return report_of(projection, result, ran=False, missing="")
    write_parent(read, run, result, tags=tags)
    projection.start()
    try:
        ran = result is None
        if result is None:
            for event in study.events():
                projection.keep_alive()
                on_event(event)
            result = study.finished()
            assert result is not None
        if not (run.folder.artifacts / FIGURE).exists() or ran:
            records = list(run.folder.read_all("trial"))
            write_tables(run.folder.artifacts, records, result)
            tests = [r for r in run.folder.read_all("test") if r.number == result.best_number]
            classes = open_pool(read.selection).examples.classes
            write_confusion(run.folder.artifacts, tests, classes)
            draw_search(run.folder.artifacts / FIGURE, records, result)
        write_parent(read, run, result, tags=tags)
        run.folder.announce({"kind": "parent"})
    except BaseException:
        with suppress(HpsearchError):  # a full disk is not to hide what happened
            write_parent(read, run, None, status="KILLED", tags=tags)
            run.folder.announce({"kind": "parent"})
        projection.finish(seconds=5)  # what is not sent then is sent by the next start
        raise
    complete = projection.finish()
    if complete:
        run.folder.write_json(PROJECTED, _projected(run, uri))
    return report_of(projection, result, ran=ran, missing="" if complete else projection.problem)


def _projected(run: Run, uri: str) -> dict[str, Any]:
    """What MLflow has when it has all of the journal."""
    journal = run.folder.path / JOURNAL
    return {
        "tracking_uri": without_password(uri),
        "bytes": journal.stat().st_size if journal.exists() else 0,
    }
