"""Setting a password for the web pages."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest

from hpsearch.errors import TrackingError
from hpsearch.records.layout import Home
from hpsearch.tracking.password import protection, set_password


def test_a_short_password_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    files = Home(tmp_path).password
    with pytest.raises(TrackingError, match="at least 12 characters, got 5"):
        set_password(files, "short")
    assert not files.folder.exists()
    assert protection(files) is None


def test_variables_that_are_set_come_before_the_password_of_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Home(tmp_path).password
    files.folder.mkdir()
    for path in (files.configuration, files.secret):
        path.write_text("of the home")
    monkeypatch.setattr("hpsearch.tracking.password.check_installed", lambda: None)
    assert protection(files) == {
        "MLFLOW_AUTH_CONFIG_PATH": str(files.configuration),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of the home",
    }
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(files.secret))
    monkeypatch.setenv("MLFLOW_FLASK_SERVER_SECRET_KEY", "of the shell")
    assert protection(files) == {}


def test_a_home_that_was_moved_has_its_own_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpsearch.tracking.password.check_installed", lambda: None)
    files = Home(tmp_path / "100% mine").password
    files.folder.mkdir(parents=True)
    for path in (files.configuration, files.secret):
        path.write_text("database_uri = sqlite:////elsewhere/auth.db")
    assert protection(files) is not None
    read = ConfigParser()
    read.read(files.configuration)
    assert read["mlflow"]["database_uri"] == files.database_uri


def test_a_password_beside_variables_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_FLASK_SERVER_SECRET_KEY"):
        monkeypatch.setenv(name, "set")
    with pytest.raises(TrackingError, match="must be left out while"):
        set_password(Home(tmp_path).password, "long-enough-12")
