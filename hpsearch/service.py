"""Everything the command line does, as Python calls.

from hpsearch import run_study
report = run_study("studies/quickstart.toml")
print(report.result.best_params, report.result.test_score)
"""

from __future__ import annotations

import getpass
import os
import platform
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hpsearch.datasets.selection import open_pool
from hpsearch.errors import HpsearchError
from hpsearch.execution.executors import available_cores
from hpsearch.reports.confusion import write_confusion
from hpsearch.reports.figures import draw_search
from hpsearch.reports.tables import write_tables
from hpsearch.search.events import Event
from hpsearch.search.reading import ReadStudy, read_study, refuse_unfit
from hpsearch.search.result import Result
from hpsearch.search.run import Run, open_run
from hpsearch.search.study import RESULT, Study
from hpsearch.tracking.home import Home
from hpsearch.tracking.projection import Projection
from hpsearch.tracking.record import JOURNAL

PROJECTED = "projected.json"
VERSIONS = ("hpsearch", "numpy", "optuna", "scikit-learn")  # what the numbers depend on
FIGURE = "search.png"  # written last of the artifacts
UI_ADDRESS = "http://127.0.0.1:5000"  # where `python -m hpsearch ui` listens unless told otherwise


@dataclass(frozen=True)
class Report:
    """What a call of run_study ends with.

    Attributes:
        result: what the study found.
        ran: False if it was finished before and nothing was run.
        tracking_uri, experiment_id, parent_run_id: where it lies in MLflow; ids are "" as long as
            MLflow could not be reached.
        missing: why MLflow does not have everything yet, "" if it has.
        ui: the command that opens the MLflow UI on it; "" for a server, which has one.
    """

    result: Result
    ran: bool
    tracking_uri: str
    experiment_id: str
    parent_run_id: str
    missing: str
    ui: str

    @property
    def link(self) -> str:
        """The page of the study's trials, best first, in the MLflow UI."""
        if not self.experiment_id:
            return ""
        server = (
            self.tracking_uri.rstrip("/") if self.tracking_uri.startswith("http") else UI_ADDRESS
        )
        mine = f"tags.`mlflow.parentRunId` = '{self.parent_run_id}'"
        runs = quote(f"{mine} and tags.`hpsearch.kind` = 'trial'", safe="")
        key = quote("metrics.`objective`", safe="")
        ascending = str(self.result.direction == "minimize").lower()
        return (
            f"{server}/#/experiments/{self.experiment_id}/runs?searchFilter={runs}"
            f"&orderByKey={key}&orderByAsc={ascending}&workflowType=machine_learning"
        )

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        result, test = self.result, self.result.test_score
        return {
            "study": result.study,
            "counts": result.counts,
            "best_trial": result.best_number,
            "best_params": result.best_params,
            "objective": {"metric": result.objective, "direction": result.direction},
            "validation": vars(result.validation) | {"optimistic": result.optimistic},
            "test": (vars(test) if test else None),
            "test_metrics": {name: vars(estimate) for name, estimate in result.test.items()},
            "untested": result.untested,
            "test_uses": result.test_uses,
            "ranges": result.ranges,
            "artifacts": result.folder,
            "mlflow": {
                "tracking_uri": self.tracking_uri,
                "experiment_id": self.experiment_id,
                "parent_run_id": self.parent_run_id,
                "complete": not self.missing,
            },
        }


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
    batch, n_splits = read.file.sampler.batch, read.file.data.n_splits
    if count > batch * n_splits:
        warn(
            f"sampler.batch = {batch} keeps {batch * n_splits} of {count} workers busy; a new "
            f"study would use all of them with sampler.batch = {ceil(count / n_splits)}"
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
    if result is not None and there and run.folder.read_json(PROJECTED) == _projected(run, uri):
        return _report(projection, result, ran=False, missing="")
    _write_parent(read, run, result)
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
        _write_parent(read, run, result)
        run.folder.announce({"kind": "parent"})
    except BaseException:
        with suppress(HpsearchError):  # a full disk is not to hide what happened
            _write_parent(read, run, None, status="KILLED")
            run.folder.announce({"kind": "parent"})
        projection.finish(seconds=5)  # what is not sent then is sent by the next start
        raise
    complete = projection.finish()
    if complete:
        run.folder.write_json(PROJECTED, _projected(run, uri))
    return _report(projection, result, ran=ran, missing="" if complete else projection.problem)


def _projected(run: Run, uri: str) -> dict[str, Any]:
    """What MLflow has when it has all of the journal."""
    journal = run.folder.path / JOURNAL
    return {"tracking_uri": uri, "bytes": journal.stat().st_size if journal.exists() else 0}


def _report(projection: Projection, result: Result, *, ran: bool, missing: str) -> Report:
    ids = projection.ids
    return Report(
        result=result,
        ran=ran,
        tracking_uri=projection.tracking_uri,
        experiment_id=ids.get("experiment_id", ""),
        parent_run_id=ids.get("parent_run_id", ""),
        missing=missing,
        ui=_ui_command(projection),
    )


def _ui_command(projection: Projection) -> str:
    home, uri = projection.home, projection.tracking_uri
    if uri.startswith("http"):
        return ""
    if uri != home.tracking_uri:
        return f"python -m mlflow server --backend-store-uri {shlex.quote(uri)}"
    named = "" if home == Home.find(None) else f" --home {shlex.quote(str(home.path))}"
    return f"python -m hpsearch ui{named}"


def _write_parent(
    read: ReadStudy, run: Run, result: Result | None, status: str | None = None
) -> None:
    """What the projector puts on the parent run."""
    file = read.file
    known = run.folder.read_json("parent.json")
    started = known["started"] if known else int(time.time() * 1000)
    tags = {
        "mlflow.user": _user(),
        "mlflow.source.name": str(read.path.name),
        "mlflow.source.type": "LOCAL",
        "hpsearch.kind": "study",
        "hpsearch.optuna_study": run.storage_name,
        "hpsearch.outcome": "finished" if result else "interrupted" if status else "running",
        "hpsearch.protocol": "optimistic: " + reason
        if (reason := file.optimistic())
        else "honest",
        "mlflow.note.content": _note(read, result),
        **_environment(read.path.resolve().parent),
    }
    # When the result was found, so that a second projection repeats the first one's points.
    ended = int((run.folder.path / RESULT).stat().st_mtime * 1000) if result else None
    metrics: dict[str, float] = {}
    if result is not None:
        metrics["objective"] = result.validation.mean
        metrics |= {name: estimate.mean for name, estimate in result.test.items()}
        metrics |= {f"trials/{outcome}": float(n) for outcome, n in result.counts.items()}
        metrics["test_uses"] = float(result.test_uses)
    params = {"seed": str(file.seed), "data": file.data.name, "split": file.data.split.kind}
    params |= {"shots": str(file.data.shots or "all"), "sampler": file.sampler.name}
    params |= {f"objective.{k}": str(v) for k, v in file.objective.model_dump().items()}
    run.folder.write_json(
        "parent.json",
        {
            "run_id": run.id,
            "uid": f"{run.id}:study",
            "experiment": file.name,
            "name": run.name,
            "started": started,
            "ended": ended,
            "status": status or ("FINISHED" if result else "RUNNING"),
            "tags": tags,
            # Write-once in MLflow: sent when the file can no longer be corrected.
            "params": params if result else {},
            "metrics": metrics,
        },
    )


def _note(read: ReadStudy, result: Result | None) -> str:
    first = next((line for line in read.text.splitlines() if line.startswith("#")), "").lstrip(
        "# "
    )
    if result is None:
        return first
    test = result.test_score
    params = ", ".join(f"`{k}` = {v}" for k, v in result.searched.items())
    flatters = f" Optimistic: {result.optimistic}." if result.optimistic else ""
    return (
        f"{first}\n\n**Winner:** trial {result.best_number}: {params}\n\n"
        f"**{result.objective} over fresh seeds:** {result.validation}.{flatters}\n\n"
        f"**Test set, used for {result.test_uses} configuration(s), after the search:** "
        f"{test if test else 'not measured'}\n\n"
        "Tables, the study file and a figure are among the artifacts of the parent run."
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def _environment(folder: Path) -> dict[str, str]:
    """Versions, host and git commit, as tags."""
    tags = {f"hpsearch.version.{name}": version(name) for name in VERSIONS}
    tags |= {"hpsearch.python": platform.python_version(), "hpsearch.host": platform.node()}
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=5
        )
        if done.returncode == 0:
            tags["mlflow.source.git.commit"] = done.stdout.strip()
    return tags
