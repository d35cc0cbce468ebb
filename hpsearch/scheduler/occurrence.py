"""One run of a schedule, in a process of its own.

    python -m hpsearch.scheduler.occurrence

The first line on standard input says what to run, as JSON: an address with a password is in no
process list. The end of standard input means that the scheduler is gone: stop, resumably. Standard
output is a JSON line for every piece of news, the last one with the report or the error.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

from hpsearch.errors import HpsearchError, RunningError
from hpsearch.processes import child_environment

STOP_SECONDS = 8.0  # for a clean stop; after that it is killed, which loses no more than a slice


def start(options: dict[str, Any]) -> Occurrence:
    """Start a run; `options` go to run_batch."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch.scheduler.occurrence"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment(),
        start_new_session=True,  # Ctrl-C is the scheduler's to handle
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(options).encode() + b"\n")
    process.stdin.flush()
    return Occurrence(process)


@dataclass
class Occurrence:
    """A run under way, as the scheduler sees it."""

    process: subprocess.Popen[bytes]

    def __post_init__(self) -> None:
        self._lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(json.loads(line))

    def news(self) -> list[dict[str, Any]]:
        """What it has said since the last call."""
        lines, self._lines = self._lines, []
        return lines

    def over(self) -> bool:
        """Whether the process has ended; then `news` has all it said."""
        if self.process.poll() is None:
            return False
        self._close()
        return True

    def stop(self) -> None:
        """End it within seconds, so that it can be gone on with."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        self._reader.join(timeout=5)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


def main() -> int:
    """The process's life; returns its exit code."""
    options = json.loads(sys.stdin.readline())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_watch, daemon=True).start()
    from hpsearch.scheduler.batch import run_batch

    try:
        report = run_batch(
            **options,
            on_study=lambda name, number, of: _say(study=name, number=number, of=of),
            warn=lambda line: _say(warning=line),
        )
    except HpsearchError as error:
        _say(error=str(error), later=isinstance(error, RunningError))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    _say(report=report.as_dict())
    return report.exit_code


def _watch() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _say(**news: Any) -> None:
    os.write(REPORTS, json.dumps(news).encode() + b"\n")


REPORTS = 1  # the file descriptor of standard output, until __main__ moves it

if __name__ == "__main__":
    REPORTS = os.dup(1)
    os.dup2(2, 1)  # what libraries and users' functions print goes to the log
    sys.exit(main())
