"""Studies in a real MLflow server, to be looked at with a browser."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities import Run

from hpsearch.records.layout import Home
from tests.harness.servers import free_port

EVIL = "<img src=x onerror=document.title='ran'>"  # a folder of a home may be called so
PATIENCE_SECONDS = 60  # a busy machine shows a page late; a test that passes does not wait


@dataclass(frozen=True)
class Site:
    """The server, and the study `small` that it shows beside others.

    Attributes:
        address: http://host:port
        lines: that `ui` said on start.
        runs: in MLflow, by name.
        home: with the stores that it shows; the study's file lies beside it.
        opened: the file with the address that a browser was given on start.
    """

    address: str
    lines: list[str]
    runs: dict[str, Run]
    home: Path
    opened: Path

    @property
    def page(self) -> str:
        """Of the study's trials, as `ui` names it."""
        line = next(line for line in self.lines if line.startswith("small: "))
        return line.removeprefix("small: ")


@contextmanager
def started_ui(home: Path, *options: str) -> Iterator[tuple[str, list[str]]]:
    """`python -m hpsearch ui` on a home: its address, and the lines that it said on start.

    It is interrupted at the end, as by Ctrl-C.
    """
    port = free_port()
    command = [sys.executable, "-m", "hpsearch", "ui", "--home", str(home), "--port", str(port)]
    command += options
    with (home / "ui.log").open("w+") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/health", process)
            yield address, _said(home / "ui.log")
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(timeout=30)
    assert code == 130


def _said(log: Path) -> list[str]:
    """The lines of a server that answers, which says where its pages are a moment later."""
    until, before = time.monotonic() + PATIENCE_SECONDS, ""
    while time.monotonic() < until:
        said = log.read_text()
        if "Studies on " in said and said == before:
            return said.splitlines()
        before = said
        time.sleep(0.2)
    raise AssertionError(f"it must say where the studies are, got: {before}")


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the address answers; the process is that of its server."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError(f"{address} must answer")


def shown_runs(home: Path) -> dict[str, Run]:
    """The runs of the study `small` in MLflow, by name."""
    client = mlflow.MlflowClient(Home(home).tracking_uri)
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    return {str(run.info.run_name): run for run in found}
