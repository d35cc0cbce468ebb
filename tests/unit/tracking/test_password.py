"""Setting a password for the web pages."""

from __future__ import annotations

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
