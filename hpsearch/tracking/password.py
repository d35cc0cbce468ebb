"""A password before the web pages: MLflow's basic-auth, configured in a folder of the home."""

from __future__ import annotations

import importlib.util
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from hpsearch.errors import TrackingError, headline
from hpsearch.records.layout import PasswordFiles
from hpsearch.records.whole_files import storage_errors

USER = "admin"
LEAST = 12  # characters, as MLflow wants them
# What MLflow's basic-auth is configured by; its own default password stands in its manual.
CONFIGURATION, SECRET = "MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_FLASK_SERVER_SECRET_KEY"
# MLflow would make the user with the password of this file; by then the user is there, so that
# the file holds one that opens nothing.
TEXT = """\
# Written by python -m hpsearch ui --password. The password itself is in auth.db, as a hash.
[mlflow]
default_permission = READ
database_uri = {database}
admin_username = {user}
admin_password = {unused}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


def set_password(files: PasswordFiles, password: str) -> None:
    """Let in the user `admin` with this password, from the next start of the server on.

    Raises:
        TrackingError: it is too short, MLflow's basic-auth is configured by variables or not
            installed, or the file of users is damaged.
        StorageError: the disk is full or read-only.
    """
    if len(password) < LEAST:
        raise TrackingError(
            f"the password must have at least {LEAST} characters, got {len(password)}"
        )
    if all(os.environ.get(name) for name in (CONFIGURATION, SECRET)):
        raise TrackingError(
            f"--password must be left out while {CONFIGURATION} and {SECRET} are set: they "
            "define the required passwords"
        )
    check_installed()
    with storage_errors(files.folder):
        files.folder.mkdir(mode=0o700, exist_ok=True)
        _configure(files)
        if not files.secret.exists():
            _write_private(files.secret, secrets.token_hex(32))
        files.database.touch(mode=0o600)
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore()
    try:
        store.init_db(files.database_uri)  # type: ignore[no-untyped-call]
        if store.has_user(USER):
            store.update_user(USER, password=password)
        else:
            store.create_user(USER, password, is_admin=True)
    except Exception as error:
        raise TrackingError(
            f"{files.database} must be MLflow's database of users, got "
            f"{type(error).__name__}: {headline(error)}; delete {files.folder} to start over"
        ) from error
    store.engine.dispose()


def _configure(files: PasswordFiles) -> None:
    """Write what MLflow reads, for where the home is now."""
    unused = secrets.token_urlsafe(24)
    place = files.database_uri.replace("%", "%%")  # as configparser reads it
    text = TEXT.format(database=place, user=USER, unused=unused)
    _write_private(files.configuration, text)


def protection(files: PasswordFiles) -> Mapping[str, str] | None:
    """The variables that configure MLflow's basic-auth: those that are set, else by the password
    of this home; None: there is neither.

    Raises:
        TrackingError: MLflow's basic-auth is not installed, or the variable names no file.
    """
    if all(os.environ.get(name) for name in (CONFIGURATION, SECRET)):
        if not Path(os.environ[CONFIGURATION]).is_file():
            raise TrackingError(f"{CONFIGURATION} must be a file, got {os.environ[CONFIGURATION]}")
        check_installed()
        return {}
    if files.configuration.is_file() and files.secret.is_file():
        check_installed()
        with storage_errors(files.folder):
            _configure(files)  # the home may have been moved or copied
        return {CONFIGURATION: str(files.configuration), SECRET: files.secret.read_text()}
    return None


def check_installed() -> None:
    """
    Raises:
        TrackingError: MLflow's basic-auth is not installed.
    """
    if importlib.util.find_spec("flask_wtf") is None:
        raise TrackingError(
            "a password needs MLflow's basic-auth, which is not installed: "
            "pip install 'hpsearch[auth]'"
        )


def _write_private(path: Path, text: str) -> None:
    """A file that nobody else may read, not even while it is written."""
    young = path.with_suffix(".new")
    young.unlink(missing_ok=True)
    with os.fdopen(os.open(young, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    young.replace(path)
