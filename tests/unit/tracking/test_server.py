"""Who may reach the UI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hpsearch.errors import TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.server import hosts, is_loopback, serve_ui


def test_only_this_machine_s_names_are_allowed_by_default() -> None:
    assert hosts("127.0.0.1", 5000, []) == [
        "localhost",
        "localhost:5000",
        "127.0.0.1",
        "127.0.0.1:5000",
        "[::1]",
        "[::1]:5000",
    ]
    assert {"lab.example", "lab.example:80", "10.0.0.7:80"} <= set(
        hosts("10.0.0.7", 80, ["lab.example"])
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_what_only_this_machine_reaches_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "127.evil.example", "::"])
def test_what_others_can_reach_is_known(host: str) -> None:
    assert not is_loopback(host)


def serve(home: Path, runs: Sequence[RunFolder] = ()) -> None:
    serve_ui(
        Home(home),
        host="0.0.0.0",
        port=5999,
        without_password=False,
        allowed_hosts=[],
        runs=runs,
        say=print,
    )


def test_others_are_let_in_only_with_a_password_or_on_purpose(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrackingError, match="--without-password"):
        serve(home)
    monkeypatch.setenv("MLFLOW_FLASK_SERVER_SECRET_KEY", "secret")
    with pytest.raises(TrackingError, match="MLFLOW_AUTH_CONFIG_PATH and"):
        serve(home)
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(home / "nowhere.ini"))
    with pytest.raises(TrackingError, match=r"must be a file, got .*nowhere.ini"):
        serve(home)


def test_a_home_whose_studies_are_on_a_server_says_which(nowhere: Path) -> None:
    folder = RunFolder(nowhere / "studies" / "small" / "1")
    folder.path.mkdir(parents=True)
    folder.write_json(
        folder.files.mlflow, {"tracking_uri": "http://lab:5000", "parent_run_id": "a"}
    )
    with pytest.raises(TrackingError, match="are in http://lab:5000: look there"):
        serve(nowhere, [folder])
    folder.write_json(folder.files.mlflow, {"tracking_uri": Home(nowhere).tracking_uri})
    with pytest.raises(TrackingError, match=r"sync .* makes it again"):
        serve(nowhere, [folder])
