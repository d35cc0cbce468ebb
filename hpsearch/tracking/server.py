"""The MLflow UI on the stores of a home."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hpsearch.errors import TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.sqlite_store import is_there
from hpsearch.tracking.views import pages_of

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 2 processes instead of 10 of 250 MB
}
# What MLflow's basic-auth is configured by; its own default password stands in its manual.
AUTH = ("MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_FLASK_SERVER_SECRET_KEY")


def serve_ui(
    home: Home,
    *,
    host: str,
    port: int,
    without_password: bool,
    allowed_hosts: Sequence[str],
    runs: Sequence[RunFolder],
    say: Callable[[str], None],
) -> int:
    """Run the MLflow server until it is interrupted; returns its exit code.

    Args:
        without_password: let anybody in who can reach a host that is not this machine's own.
        allowed_hosts: names by which browsers may ask for it, beside this machine's.
        runs: whose sorted run tables are named on start.

    Raises:
        TrackingError: there is no store yet, the port is taken, or others could reach it.
    """
    if not home.mlflow.exists():
        if elsewhere := _told_elsewhere(runs, home):
            raise TrackingError(
                f"{home.path} must hold an mlflow.db to show, got studies that are in "
                f"{' and '.join(elsewhere)}: look there"
            )
        if runs:
            raise TrackingError(
                f"{home.mlflow} must be there to show, got studies without it: "
                f"python -m hpsearch sync --tracking-uri {home.tracking_uri} makes it again"
            )
        raise TrackingError(
            f"{home.path} must hold an mlflow.db, which a first study makes: "
            "python -m hpsearch study studies/quickstart.toml"
        )
    protected = _protection(host, without_password=without_password)
    _check_free(host, port)
    address = f"http://{_in_url(host)}:{port}"
    say(f"MLflow on {address} (Ctrl-C ends it)")
    for folder in runs:
        page = study_page(folder, home)
        if page:
            say(f"{folder.files.study.name}: {address}/{page}")
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--backend-store-uri", home.tracking_uri]
    command += ["--default-artifact-root", home.artifacts.as_uri()]
    command += ["--host", host, "--port", str(port)]
    command += ["--allowed-hosts", ",".join(hosts(host, port, allowed_hosts)), *protected]
    process = subprocess.Popen(command, env={**os.environ, **ENVIRONMENT}, cwd=home.path)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=10)


def _told_elsewhere(runs: Sequence[RunFolder], home: Home) -> list[str]:
    """The stores of runs that are not this home's and may be there, without passwords."""

    told = [folder.read_sealed(folder.files.mlflow) or {} for folder in runs]
    known = {str(ids.get("tracking_uri", "")) for ids in told}
    return sorted(uri for uri in known - {home.tracking_uri} if is_there(uri))


def study_page(folder: RunFolder, home: Home) -> str:
    """The page of a run's trials, best first; "" where this home's MLflow does not have it."""
    ids = folder.read_sealed(folder.files.mlflow)
    if not ids or ids["tracking_uri"] != home.tracking_uri:
        return ""
    pages = pages_of(folder)
    return pages.trials if pages else ""


def hosts(host: str, port: int, more: Sequence[str]) -> list[str]:
    """What a browser may call the server by, exactly: MLflow's own patterns let in more."""
    names = ["localhost", "127.0.0.1", "[::1]", *more]
    if not is_loopback(host):
        names += [_in_url(host), socket.gethostname(), socket.getfqdn()]
    return list(dict.fromkeys(form for name in names for form in (name, f"{name}:{port}")))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _protection(host: str, *, without_password: bool) -> list[str]:
    """The server's options where others can reach it.

    Raises:
        TrackingError: anybody could.
    """
    if is_loopback(host) or without_password:
        return []
    if not all(os.environ.get(name) for name in AUTH):
        raise TrackingError(
            f"--host {host} lets others reach all results: MLflow's basic-auth must be "
            f"configured by {' and '.join(AUTH)} (its manual says how), or "
            "--without-password must say that this is wanted; without --host only this machine "
            "reaches it"
        )
    if not Path(os.environ[AUTH[0]]).is_file():
        raise TrackingError(f"{AUTH[0]} must be a file, got {os.environ[AUTH[0]]}")
    if importlib.util.find_spec("flask_wtf") is None:
        raise TrackingError("MLflow's basic-auth needs more packages: pip install 'mlflow[auth]'")
    return ["--app-name", "basic-auth"]


def _check_free(host: str, port: int) -> None:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            raise TrackingError(
                f"{host}:{port} must be free to listen on, got: {error.strerror}; "
                "choose another with --port"
            ) from error


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
