"""The projector as a process of its own, so that training never waits for MLflow.

    python -m hpsearch.tracking.projector_process RUN_FOLDER ARTIFACTS LOCK_FOLDER

MLflow's address is in HPSEARCH_TRACKING_URI: everybody may read the arguments of a process.

"end" on standard input means: catch up, then stop; end of file without it means that the
coordinator died: stop at once. Standard output is a JSON line a report.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import sys
import threading
import time
from math import inf
from pathlib import Path
from typing import Any

from filelock import FileLock

from hpsearch.addresses import Scrubber
from hpsearch.errors import TrackingError
from hpsearch.processes import collect_rarely
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.tracking.projector import Projector

POLL_SECONDS = 0.25
RETRY_SECONDS = 5.0  # between attempts while a study runs and MLflow is away
LAST_ATTEMPTS = 3  # when the study is over
LAST_SECONDS = 30.0  # after which no other of them begins

# Metrics and params of MLflow that this process sends; the rest of MLflow's defaults are for
# people in front of a screen.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # we try again ourselves, nothing is lost by failing
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout is for our reports
}


def store_lock(home: Home, tracking_uri: str) -> FileLock:
    """The lock of a store: one projector writes to it at a time."""
    return FileLock(home.projector_lock(hashlib.sha256(tracking_uri.encode()).hexdigest()[:12]))


def _serve(folder: Path, uri: str, artifact_location: str, locks: Path) -> int:
    """The process's life; returns its exit code."""
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    projector = Projector(RunFolder(folder), uri, artifact_location)
    lock = store_lock(Home(locks), uri)
    ending, attempts, noted, last = False, 0, 0, inf
    while True:
        try:
            with lock:
                projector.catch_up()
            while noted < len(projector.notes):
                _say(note=projector.notes[noted])
                noted += 1
            if ending and projector.behind() == 0:
                return 0
            pause = 0.0 if ending else POLL_SECONDS
        except TrackingError as error:
            attempts += ending
            final = attempts >= LAST_ATTEMPTS or (ending and time.monotonic() > last)
            _say(error=str(error), behind=projector.behind(), final=final)
            if final:
                return 1
            pause = 1.0 if ending else RETRY_SECONDS
        try:
            order = orders.get(timeout=pause) if pause else orders.get_nowait()
        except queue.Empty:
            continue
        if order != "end":
            return 1
        ending, last = True, time.monotonic() + LAST_SECONDS


def _listen(orders: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        orders.put(line.strip())
        if line.strip() == "end":
            sys.stdin.read()  # until the coordinator is gone
    os._exit(1)


REPORTS = 1  # the file descriptor of standard output, until __main__ moves it


def _say(**report: Any) -> None:
    os.write(REPORTS, json.dumps(report).encode() + b"\n")


if __name__ == "__main__":
    # A trial is some 10,000 objects that live for a moment; looking through all of MLflow for
    # garbage after every 700 of them is a tenth of the time.
    collect_rarely()
    REPORTS = os.dup(1)
    os.dup2(2, 1)  # what libraries print goes to the log
    Scrubber(os.environ, ()).install()
    uri = os.environ["HPSEARCH_TRACKING_URI"]
    sys.exit(_serve(Path(sys.argv[1]), uri, sys.argv[2], Path(sys.argv[3])))
