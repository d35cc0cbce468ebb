"""The stores of a home: their addresses, and the runs of studies that lie in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hpsearch.errors import HpsearchError, unknown
from hpsearch.search.run import STUDY, lock_study
from hpsearch.tracking.home import Home
from hpsearch.tracking.record import JOURNAL, RunFolder

PROJECTED = "projected.json"


@dataclass(frozen=True)
class StoredRun:
    """A run of a study that lies in a home.

    Attributes:
        study: the study's name.
        name: of the run: the study's name, and /2, /3 … after --fresh.
    """

    study: str
    name: str
    folder: RunFolder


def stored_runs(home: Home, study: str | None = None) -> list[StoredRun]:
    """The runs of a study, or one of them, or all runs of all studies, oldest first.

    Args:
        study: a study's name, or that of one run, such as "few-shot/2".

    Raises:
        HpsearchError: there is no such study.
    """
    found = []
    for top in sorted(home.studies.glob("*")):
        numbers = sorted(int(p.name) for p in top.iterdir() if p.name.isdigit())
        for number in numbers:
            name = top.name if number == 1 else f"{top.name}/{number}"
            if (top / str(number) / STUDY).exists():
                found.append(StoredRun(top.name, name, RunFolder(top / str(number))))
    if study is None:
        return found
    chosen = [run for run in found if study in (run.study, run.name)]
    if not chosen:
        names = dict.fromkeys(name for run in found for name in (run.study, run.name))
        raise HpsearchError(f"the study in {home.studies} {unknown(study, names or ['none'])}")
    return chosen


def newest_run(home: Home, study: str) -> StoredRun:
    """The run that a study's name means.

    Raises:
        HpsearchError: there is no such study.
    """
    runs = stored_runs(home, study)
    named = [run for run in runs if run.name == study and "/" in study]
    return named[0] if named else runs[-1]


@contextmanager
def held(home: Home, study: str) -> Iterator[None]:
    """Keep others from running a study for the length of the block.

    Raises:
        StudyLockedError: somebody runs it.
    """
    lock = lock_study(home.studies / study)
    try:
        yield
    finally:
        lock.release()


def projected(folder: RunFolder, uri: str) -> dict[str, Any]:
    """What MLflow has when it has all of the journal."""
    journal = folder.path / JOURNAL
    return {"tracking_uri": uri, "bytes": journal.stat().st_size if journal.exists() else 0}


def absolute_uri(uri: str) -> str:
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


def check_apart(storage: str, tracking_uri: str) -> None:
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
