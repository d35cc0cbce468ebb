"""The scheduler's side of a run of a schedule: starts its process, hears its news, stops it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

from hpsearch.processes import child_environment

STOP_SECONDS = 8.0  # for a clean stop; after that it is killed, which loses no more than a slice


def start(module: str, options: dict[str, Any]) -> Occurrence:
    """Start a run.

    Args:
        module: the program that is started, with `python -m`.
        options: handed to it; they go to run_batch.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module],
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
