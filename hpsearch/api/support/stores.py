"""The addresses of the stores of a home."""

from __future__ import annotations

import os
from pathlib import Path

from hpsearch.addresses import check_port, without_password
from hpsearch.errors import HpsearchError
from hpsearch.records.layout import Home

STORAGE, TRACKING_URI = "HPSEARCH_STORAGE", "HPSEARCH_TRACKING_URI"  # in the environment
IN_MEMORY = ("sqlite://", "sqlite:///", "sqlite:///:memory:")


def storage_of(home: Home, named: str | None) -> str:
    """Optuna's storage URL: the named one, else HPSEARCH_STORAGE, else SQLite in the home.

    Raises:
        HpsearchError: its port is none, or it is a database in memory.
    """
    url = (named or os.environ.get(STORAGE) or home.storage_url).strip()
    _check_kept(f"--storage or {STORAGE}", url)
    check_port(f"--storage or {STORAGE}", url)
    return url


def tracking_of(home: Home, named: str | None) -> str:
    """MLflow's tracking URI: the named one, else HPSEARCH_TRACKING_URI, else SQLite in the home.

    Raises:
        HpsearchError: it is no URI, its port is none, or it is a database in memory.
    """
    uri = (named or os.environ.get(TRACKING_URI) or home.tracking_uri).strip()
    _check_kept(f"--tracking-uri or {TRACKING_URI}", uri)
    uri = absolute_uri(uri)
    check_port(f"--tracking-uri or {TRACKING_URI}", uri)
    return uri


def _check_kept(name: str, url: str) -> None:
    if url in IN_MEMORY:
        raise HpsearchError(
            f"{name} must be a database that outlives this process, got {url!r}: "
            "name a file, sqlite:////folder/file.db"
        )


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
