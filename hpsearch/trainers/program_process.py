"""A running program of a user's own: started, followed, and ended with all that it started.

It leads a process group. A guard, three lines of shell, holds a pipe from here: should this
process die, however it dies, the pipe closes and the guard ends the group.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from hpsearch.processes import GUARDED, alive, birth

GRACE_SECONDS = 10.0  # between SIGTERM and SIGKILL
POLL_SECONDS = 0.1  # between two looks at what it printed; its end is seen at once
REAP_SECONDS = 2.0  # after SIGKILL; a group of zombies that nobody waits for never goes
MOST_UNREAD = 64_000_000  # bytes of an output file, which is emptied beyond that
CHUNK = 1 << 20
GUARD = f"""
read -r line && exit
kill -s TERM -- "-$0"
i=0
while kill -s 0 -- "-$0" && [ $i -lt {int(GRACE_SECONDS)} ]; do sleep 1; i=$((i + 1)); done
kill -s KILL -- "-$0"
"""


class Output:
    """A file that a program writes to, read as it grows.

    Args:
        path: of the file; it need not be there yet.
        start: bytes that are left out.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        self.path, self.offset = path, start

    def read(self) -> bytes:
        """What came since, a chunk at most."""
        try:
            with self.path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self.offset:  # it was written anew
                    self.offset = 0
                file.seek(self.offset)
                content = file.read(CHUNK)
        except FileNotFoundError:
            return b""
        self.offset += len(content)
        return content

    def empty(self) -> None:
        """Throw away what was read; the writer must append, and not write meanwhile."""
        os.truncate(self.path, 0)
        self.offset = 0


class ProgramProcess:
    """A program, from its start to the end of its process group.

    Args:
        argv: its words.
        workdir: where it is started.
        env: its whole environment.
        out, err: files that its output is appended to.
        note: where its process is noted, for whoever finds the folder after a kill.

    Raises:
        OSError: it can't be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        workdir: str,
        env: Mapping[str, str],
        out: Path,
        err: Path,
        note: Path,
    ) -> None:
        end_noted(note)
        with out.open("ab") as stdout, err.open("ab") as stderr:
            self._process = subprocess.Popen(
                argv,
                cwd=workdir,
                env={**env, GUARDED: "1"},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        pid = self._process.pid
        self._note = note
        note.write_text(json.dumps({"pid": pid, "birth": birth(pid)}))
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, str(pid)],
            env={**os.environ, GUARDED: "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait(self, seconds: float) -> int | None:
        """Its exit code, negative of a signal; None where it still runs after this time."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def empty(self, output: Output) -> bytes:
        """Stop it, read what it wrote, throw the file's content away, and let it go on."""
        group = self._process.pid
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGSTOP)
        try:
            rest = b""
            while more := output.read():
                rest += more
            output.empty()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGCONT)
        return rest

    def end(self) -> None:
        """End it, and what it started and left behind: SIGTERM, and after a while SIGKILL."""
        group = self._process.pid
        try:
            if self._process.poll() is None:
                _signal_group(group, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(GRACE_SECONDS)
            end_group(group)
            self._process.wait()
        finally:
            self._note.unlink(missing_ok=True)
            assert self._guard.stdin is not None
            with suppress(OSError):
                self._guard.stdin.write(b"\n")
                self._guard.stdin.close()
            self._guard.wait()


def end_group(group: int) -> None:
    """End what is left of a process group."""
    if not _signal_group(group, signal.SIGTERM):
        return
    deadline = time.monotonic() + GRACE_SECONDS
    while _signal_group(group, 0) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS / 2)
    _signal_group(group, signal.SIGKILL)
    deadline = time.monotonic() + REAP_SECONDS
    while _signal_group(group, 0) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS / 10)


def end_noted(note: Path) -> None:
    """End the program that runs in a folder since before a kill, should it still be there."""
    try:
        said = json.loads(note.read_text())
        pid, born = int(said["pid"]), str(said["birth"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if alive(pid, born):
        end_group(pid)


def _signal_group(group: int, number: int) -> bool:
    """Send a signal; whether there was anybody to get it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS, of a group of zombies
        return False
    return True


def problem_of(argv: Sequence[str], workdir: str, env: Mapping[str, str]) -> str:
    """Why a program can't be started, as far as it can be seen; "" where it can."""
    if not Path(workdir).is_dir():
        return f"workdir must be a folder, got {workdir!r}"
    program = argv[0]
    path = Path(workdir, program) if os.sep in program else None
    if path is None:
        if shutil.which(program, path=env.get("PATH")) is None:
            return f"{program} must be a program on PATH, got none of this name"
    elif not path.is_file():
        return f"{program} must be a file in {workdir}, got none"
    elif not os.access(path, os.X_OK):
        return f"{program} must be executable: chmod +x {program}, or name its interpreter first"
    return ""


def ended_by(code: int) -> str:
    """How a program ended, from its exit code."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " (the machine's memory may have been full)" if -code == signal.SIGKILL else ""
    return f"was ended by {name}{hint}"
