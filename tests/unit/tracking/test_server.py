"""Who may reach the UI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from mlflow.server.security_utils import is_allowed_host_header

from hpsearch.errors import TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.server import ServedApps, hosts, is_loopback, named_host, serve_ui


def lets_in(host: str, asked: str, *more: str) -> bool:
    """Whether MLflow lets in who asks by this Host header."""
    return bool(is_allowed_host_header(hosts(host, 5000, more), asked))


def test_only_this_machine_s_names_are_allowed_by_default() -> None:
    for asked in ("localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "[::1]"):
        assert lets_in("127.0.0.1", asked)
    for asked in ("evil.example", "localhost.evil.example:5000", "127.0.0.1.evil.example", "10.x"):
        assert not lets_in("127.0.0.1", asked)
    assert lets_in("10.0.0.7", "10.0.0.7:5000")
    assert lets_in("10.0.0.7", "lab.example", "lab.example")
    assert not lets_in("10.0.0.7", "10.0.0.7.evil.example:5000")


@pytest.mark.parametrize("asked", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"])
def test_a_tunnel_may_have_another_port_of_this_machine(asked: str) -> None:
    assert lets_in("127.0.0.1", asked)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "10.0.0.7", "0.0.0.0", "::"])
def test_the_address_that_is_named_is_let_in_and_can_be_opened(host: str) -> None:
    named = f"{named_host(host)}:5000"
    assert lets_in(host, named)
    assert named not in ("0.0.0.0:5000", "[::]:5000")


def test_a_host_that_stands_for_all_is_asked_for_by_any_of_them() -> None:
    assert lets_in("0.0.0.0", "127.0.0.1:5000")
    assert not lets_in("0.0.0.0", "192.0.2.1:5000")  # of no machine


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
        password=False,
        without_password=False,
        allowed_hosts=[],
        runs=runs,
        apps=ServedApps(("a", "a:b"), ("c", "c:d"), lambda address: []),
        say=print,
    )


def test_others_are_let_in_only_with_a_password_or_on_purpose(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_FLASK_SERVER_SECRET_KEY", "secret")
    with pytest.raises(TrackingError, match="add --password to set one, or --without-password"):
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
    with pytest.raises(TrackingError, match=r"rebuild it with .*sync"):
        serve(nowhere, [folder])
