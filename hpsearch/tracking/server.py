"""The MLflow UI on the stores of a home."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Thread

import psutil

from hpsearch.errors import TrackingError
from hpsearch.records.layout import Home
from hpsearch.records.read_only import readable_databases
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.password import protection
from hpsearch.tracking.stores.own_store import follow_home, tracked
from hpsearch.tracking.stores.sqlite_store import is_there

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 2 processes instead of 10 of 250 MB
}
# The second of each is a pattern as fnmatch has them, where "[" begins a set.
LOOPBACK = ("localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*", "[::1]", "[[]::1]:*")


@dataclass(frozen=True)
class ServedApps:
    """Apps with pages of ours beside MLflow's, by name and "module:function".

    Attributes:
        plain: for everybody who reaches the server.
        with_password: behind MLflow's basic-auth.
        lines: from the server's address, what is said on start.
    """

    plain: tuple[str, str]
    with_password: tuple[str, str]
    lines: Callable[[str], Sequence[str]]


def serve_ui(
    home: Home,
    *,
    host: str,
    port: int,
    password: bool,
    without_password: bool,
    allowed_hosts: Sequence[str],
    runs: Sequence[RunFolder],
    apps: ServedApps,
    say: Callable[[str], None],
    when_up: Callable[[str], object] = lambda address: None,
) -> int:
    """Run the MLflow server until it is interrupted; returns its exit code.

    Args:
        password: ask for one on this machine's own addresses, too.
        without_password: let anybody in who can reach a host that is not this machine's own.
        allowed_hosts: names by which browsers may ask for it, beside this machine's.
        runs: of the studies of the home, some; they say where else to look if MLflow has none.
        apps: what is served beside MLflow's pages.
        say: called with a line that says where to look.
        when_up: called in a thread with the server's address as soon as it answers.

    Raises:
        TrackingError: there is no store yet, the port is taken, or others could reach it.
    """
    if not home.mlflow.exists():
        if elsewhere := _told_elsewhere(runs, home):
            raise TrackingError(
                f"{home.path} must hold an mlflow.db to show, but its studies are in "
                f"{' and '.join(elsewhere)}: look there"
            )
        if runs:
            raise TrackingError(
                f"{home.mlflow} must exist to be shown, but only the studies exist: rebuild "
                f"it with python -m hpsearch sync --tracking-uri {home.tracking_uri}"
            )
        raise TrackingError(
            f"{home.path} has no mlflow.db yet: run a first study with python -m hpsearch study "
            "studies/quickstart.toml"
        )
    follow_home(home)
    open_to_all = without_password or (is_loopback(host) and not password)
    protected = None if open_to_all else _protection(home, host)
    _check_free(host, port)
    address = f"http://{named_host(host)}:{port}"
    say(f"starting on {address} (Ctrl-C stops the server)")
    app = apps.plain if protected is None else apps.with_password
    command = [sys.executable, "-m", "hpsearch.tracking.server_process", *app, "--workers", "1"]
    command += ["--default-artifact-root", home.artifacts.as_uri()]
    command += ["--host", host, "--port", str(port), "--uvicorn-opts=--no-access-log"]
    command += ["--allowed-hosts", ",".join(hosts(host, port, allowed_hosts))]
    environment = {**os.environ, **ENVIRONMENT, "HPSEARCH_HOME": str(home.path)}
    environment["PYTHONWARNINGS"] = ""  # what packages deprecate is no error of ours
    environment |= protected or {}
    with readable_databases(home) as stores:
        if stores != home:
            say(f"{home.path} can't be written: MLflow shows a copy of its database as it is now")
        command += ["--backend-store-uri", stores.tracking_uri]
        process = subprocess.Popen(command, env=environment, cwd=stores.path)

        def is_up() -> None:
            for line in apps.lines(address):
                say(line)
            when_up(address)

        waiting = Thread(target=_wait_for, args=(process, host, port, is_up))
        waiting.daemon = True
        waiting.start()
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=10)


def _wait_for(
    process: subprocess.Popen[bytes], host: str, port: int, then: Callable[[], object]
) -> None:
    """Do something when the server of a process answers; nothing, if it ends before."""
    asked = "localhost" if is_any(host) else host.strip("[]")
    while process.poll() is None:
        try:
            socket.create_connection((asked, port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            then()
            return


def _told_elsewhere(runs: Sequence[RunFolder], home: Home) -> list[str]:
    """The stores of runs that are not this home's and may be there, without passwords."""

    told = [tracked(folder) for folder in runs]
    known = {str(ids.get("tracking_uri", "")) for ids in told}
    return sorted(uri for uri in known - {home.tracking_uri} if is_there(uri))


def hosts(host: str, port: int, more: Sequence[str]) -> list[str]:
    """What a browser may call the server by, exactly: MLflow's own patterns let in more.

    This machine's loopback may be asked on any port, as a tunnel has one of its own. Only a page
    of this machine has such an address, so that no page of another one gets in by it.
    """
    names = [*more]
    if not is_loopback(host):
        names += [socket.gethostname(), socket.getfqdn()]
    names += _own_addresses() if is_any(host) else [_in_url(host)]
    exact = [form for name in names for form in (name, f"{name}:{port}")]
    return list(dict.fromkeys([*LOOPBACK, *exact]))


def named_host(host: str) -> str:
    """The host of the address that is told to people; "all of them" is no address."""
    return socket.gethostname() if is_any(host) else _in_url(host)


def is_any(host: str) -> bool:
    """Whether it stands for all addresses of this machine, as 0.0.0.0 does."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def _own_addresses() -> list[str]:
    """Those of this machine, as they stand in a URL."""
    found = (one.address for some in psutil.net_if_addrs().values() for one in some)
    known = []
    for text in found:
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            continue  # of another kind, e.g. that of the card
        known.append(_in_url(str(address)))
    return sorted(known)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _protection(home: Home, host: str) -> Mapping[str, str]:
    """The variables by which a password is asked for, beside those that are set.

    Raises:
        TrackingError: there is none, so that anybody could look.
    """
    found = protection(home.password)
    if found is None:
        raise TrackingError(
            f"--host {host} lets others reach all results, so it needs a password, and none is "
            "set: add --password to set one, or --without-password to let everybody in; without "
            "--host, only this machine can reach it"
        )
    return found


def _check_free(host: str, port: int) -> None:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            raise TrackingError(
                f"can't listen on {host}:{port}: {error.strerror}; choose another port with --port"
            ) from error


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
