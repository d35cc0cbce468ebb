"""The coordinator's side of the projector: starts it, hears its warnings, waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any

from hpsearch.addresses import without_password
from hpsearch.processes import child_environment
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.projector import artifact_location
from hpsearch.tracking.projector_process import ENVIRONMENT
from hpsearch.tracking.stores.own_store import follow_home, tracked

RESPAWN_SECONDS = 5.0  # at least so long between two starts
SILENT_SECONDS = 10.0  # of that wait before it is told of; a small study is sent in less
DRAIN_SECONDS = 600.0  # how long a study's end waits for the projector to catch up


@dataclass
class Projection:
    """A running projector process; training never waits for it.

    Args:
        folder: the run to project.
        home: whose MLflow store is used unless another is named.
        tracking_uri: of another MLflow store.
        warn: called with one line when MLflow can't be reached, once.
        tell: called with one line when the study's end waits for MLflow.
    """

    folder: RunFolder
    home: Home
    tracking_uri: str
    warn: Callable[[str], None]
    tell: Callable[[str], None] = lambda line: None
    _process: subprocess.Popen[bytes] | None = None
    _warned: bool = False
    _last: dict[str, Any] = field(default_factory=dict)
    _notes: set[str] = field(default_factory=set)
    _silent_until: float = inf

    def start(self) -> None:
        """Start the process; it reads the records from the disk."""
        if self.tracking_uri == self.home.tracking_uri:
            follow_home(self.home, self.folder.files.study)
        self.folder.files.mlflow.unlink(missing_ok=True)
        self._spawn()

    def keep_alive(self) -> None:
        """Start the process if it was not started, or if something ended it."""
        if self._process is None:
            self.start()
        elif time.monotonic() > self._spawned + RESPAWN_SECONDS:
            self._start_again(self._process)

    def _start_again(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is not None:
            self._close(process)
            self._spawn()

    def _spawn(self) -> None:
        self._spawned = time.monotonic()
        log = self.folder.files.projector_log.open("ab")
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "hpsearch.tracking.projector_process",
                str(self.folder.path),
                artifact_location(self.tracking_uri, self.home.artifacts),
                str(self.home.path),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={
                **ENVIRONMENT,
                **child_environment(),
                "PYTHONWARNINGS": "",  # what packages deprecate is no error of a study
                "HPSEARCH_TRACKING_URI": self.tracking_uri,
            },
            start_new_session=True,  # Ctrl-C is the coordinator's to handle
            cwd=self.folder.path,  # a stray mlruns/ in the user's folder changes MLflow's defaults
        )
        log.close()
        self._reader = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._reader.start()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            if "note" in said:
                if said["note"] not in self._notes:  # a process that was started again
                    self.warn(said["note"])
                self._notes.add(said["note"])
                continue
            self._last = said
            if not self._warned:
                self._warned = True
                where, why = without_password(self.tracking_uri), self._last["error"]
                self.warn(
                    f"can't write to MLflow at {where} ({why}); the study goes on, and its "
                    "records are safe"
                )

    def finish(self, *, seconds: float = DRAIN_SECONDS) -> bool:
        """Let it catch up and end; False if it could not within this time."""
        deadline = time.monotonic() + seconds
        self._silent_until = time.monotonic() + SILENT_SECONDS
        if self._process is None:
            self.start()
        else:
            self._start_again(self._process)
        code = self._ask_to_end(deadline)
        while code < 0 and time.monotonic() < deadline:
            self._spawn()  # something killed it: by its own will it ends with 0 or 1
            code = self._ask_to_end(deadline)
        return code == 0

    def _ask_to_end(self, deadline: float) -> int:
        """Its exit code, negative if it was killed."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        with suppress(OSError):  # it has ended already
            process.stdin.write(b"end\n")
            process.stdin.flush()
        while process.poll() is None and time.monotonic() < deadline:
            if time.monotonic() > self._silent_until:
                self._silent_until = inf
                self._tell_of_waiting(deadline)
            time.sleep(0.02)
        if process.poll() is None:
            process.kill()
        process.wait()
        self._close(process)
        return process.returncode

    def _tell_of_waiting(self, deadline: float) -> None:
        self.tell(
            f"waiting for MLflow at {without_password(self.tracking_uri)} to take all records, "
            f"{deadline - time.monotonic():.0f} s at most; Ctrl-C ends the wait, the records are "
            "kept, and python -m hpsearch sync sends the rest"
        )

    def _close(self, process: subprocess.Popen[bytes]) -> None:
        """Close the pipes of a process that has ended."""
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(OSError):  # what was not sent to it is lost with it
            process.stdin.close()
        self._reader.join(timeout=2)
        process.stdout.close()

    @property
    def problem(self) -> str:
        """Why it could not catch up."""
        return str(self._last.get("error") or f"see {self.folder.files.projector_log}")

    @property
    def ids(self) -> dict[str, str]:
        """tracking_uri, experiment_id and parent_run_id, once known."""
        return tracked(self.folder)
