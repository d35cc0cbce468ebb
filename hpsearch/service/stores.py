"""The stores of a home: their addresses, and what MLflow has of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hpsearch.addresses import without_password
from hpsearch.errors import HpsearchError
from hpsearch.search.run import lock_study, unlock_study
from hpsearch.search.study_file import StudyFile
from hpsearch.tracking.home import Home
from hpsearch.tracking.record import JOURNAL, RunFolder

PROJECTED = "projected.json"
STORAGE, TRACKING_URI = "HPSEARCH_STORAGE", "HPSEARCH_TRACKING_URI"  # in the environment


def storage_of(home: Home, named: str | None) -> str:
    """Optuna's storage URL: the named one, else HPSEARCH_STORAGE, else SQLite in the home."""
    return named or os.environ.get(STORAGE) or home.storage_url


def tracking_of(home: Home, named: str | None) -> str:
    """MLflow's tracking URI: the named one, else HPSEARCH_TRACKING_URI, else SQLite in the home.

    Raises:
        HpsearchError: it is no URI.
    """
    return absolute_uri(named or os.environ.get(TRACKING_URI) or home.tracking_uri)


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
        unlock_study(home.studies / study, lock)


def projected(folder: RunFolder, file: StudyFile, uri: str) -> dict[str, Any]:
    """What MLflow has when it has all of the journal, and the answers to all questions."""
    journal = folder.path / JOURNAL
    return {
        "tracking_uri": without_password(uri),
        "bytes": journal.stat().st_size if journal.exists() else 0,
        "asked": file.model_dump(mode="json", include={"comparison", "claims"}),
    }


def is_projected(folder: RunFolder, file: StudyFile, uri: str) -> bool:
    """Whether MLflow has all of that."""
    return bool(folder.read_json(PROJECTED) == projected(folder, file, uri))


def absolute_uri(uri: str) -> str:
    """The tracking URI with an absolute path; HpsearchError if it is no URI."""
    prefix = "sqlite:///"
    if uri.startswith(prefix) and not uri.startswith(prefix + "/"):
        return prefix + str(Path(uri.removeprefix(prefix)).absolute())
    if "://" not in uri:
        raise HpsearchError(
            "--tracking-uri or HPSEARCH_TRACKING_URI must be a URI such as http://host:5000 or "
            "sqlite:///mlflow.db, "
            f"got {without_password(uri)!r}"
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
            f"{without_password(tracking_uri)}"
        )
