"""Show studies in a browser: the start page, and MLflow's own pages."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

from hpsearch.errors import TrackingError
from hpsearch.pages.ways import STUDIES
from hpsearch.records.layout import Home
from hpsearch.study.recorded import find_run, find_runs
from hpsearch.tracking.links import short_address
from hpsearch.tracking.password import USER, set_password
from hpsearch.tracking.server import ServedApps, serve_ui

SHOWN = 5  # studies whose pages are printed
APP = ("hpsearch", "hpsearch.pages.app:create_app")
APP_WITH_PASSWORD = ("hpsearch-basic-auth", "hpsearch.pages.app:create_app_with_password")


def ui(
    study: str | None = None,
    *,
    home: str | Path | None = None,
    host: str = "127.0.0.1",
    port: int = 5000,
    password: str | None = None,
    without_password: bool = False,
    allowed_hosts: Sequence[str] = (),
    open_page: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Serve the start page and MLflow until it is interrupted; returns its exit code.

    Args:
        study: the study whose page is printed at the start; None: the newest studies.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        host: the address to listen on; an address that other machines can reach needs a password.
        password: a new password for the user `admin`, for this start and later ones; it is also
            required on this machine's own addresses.
        without_password: admit anybody who can reach `host`.
        allowed_hosts: host names to accept in requests, in addition to this machine's.
        open_page: open the start page in this machine's web browser, too.
        say: called with the lines that say where the pages are.

    Raises:
        HpsearchError: there is no such study.
        TrackingError: there is no store yet, the port is taken, others could reach it without a
            password, or the password is too short.
    """
    if password is not None and without_password:
        raise TrackingError("--password must be left out beside --without-password")
    stores = Home.find(Path(home) if home else None)
    if study is not None:
        shown = [find_run(stores, study)]
    else:
        newest = {run.study: run for run in find_runs(stores)}  # the last of each study
        shown = sorted(newest.values(), key=lambda run: -run.folder.path.stat().st_mtime)[:SHOWN]

    def lines(address: str) -> list[str]:
        found = [(run.study, short_address(run.study)) for run in shown]
        if study is not None:
            found = [(run.name, short_address(run.study, run.number)) for run in shown]
        first = f"Studies on {address}{STUDIES}, MLflow on {address}"
        return [first, *(f"{name}: {address}{page}" for name, page in found)]

    if password is not None and stores.mlflow.exists():
        set_password(stores.password, password)
        say(f"{stores.password.folder} keeps the password; log in as {USER}")
    return serve_ui(
        stores,
        host=host,
        port=port,
        password=password is not None,
        without_password=without_password,
        allowed_hosts=allowed_hosts,
        runs=[run.folder for run in shown],
        apps=ServedApps(APP, APP_WITH_PASSWORD, lines),
        say=say,
        when_up=(lambda address: webbrowser.open(address + STUDIES)) if open_page else _nothing,
    )


def _nothing(address: str) -> None: ...
