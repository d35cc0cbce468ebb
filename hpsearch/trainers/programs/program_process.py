"""A running program of a user's own: started, followed, and ended with all that it started.

It leads a process group. A guard, a few lines of shell, holds a pipe from here: should this
process die, however it dies, the pipe closes and the guard ends the group. The guard is there
before the program, which tells it its number through that pipe: there is no moment in which a
program runs unguarded.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hpsearch.processes import GUARDED, alive, birth

GRACE_SECONDS = 10.0  # between SIGTERM and SIGKILL
POLL_SECONDS = 0.1  # between two looks at what it printed; its end is seen at once
REAP_SECONDS = 2.0  # after SIGKILL; a group of zombies that nobody waits for never goes
MOST_UNREAD = 64_000_000  # bytes of an output file, which is emptied beyond that
SETTLING_SECONDS = 0.02  # for a write under way when a program is stopped
CHUNK = 1 << 20
LONGEST_FIRST_LINE = 256  # of a script, what systems read
GUARD = f"""
read -r group || exit
read -r line && exit
kill -s TERM -- "-$group"
kill -s CONT -- "-$group"
i=0
while kill -s 0 -- "-$group" && [ $i -lt {int(GRACE_SECONDS)} ]; do sleep 1; i=$((i + 1)); done
kill -s KILL -- "-$group"
"""
# Its stdin is the pipe to the guard; the program becomes this very process.
LEADER = 'echo $$ >&0 && exec "$@" </dev/null'


class Output:
    """A file that a program writes to, read as it grows.

    Args:
        path: of the file; it need not be there yet.

    Attributes:
        offset: bytes that were read.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.offset = path, 0

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

    def size(self) -> int:
        """Bytes that are there."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def end_line(self) -> None:
        """End the last line, where its writer did not."""
        if self._cut_line():
            with self.path.open("ab") as file:
                file.write(b"\n")

    def cut_line(self) -> None:
        """Take off a last line without its end, which a kill may have cut anywhere."""
        cut = self._cut_line()
        if cut:
            os.truncate(self.path, self.size() - cut)

    def _cut_line(self) -> int:
        """Bytes of a last line that has no end."""
        size = end = self.size()
        while end:
            start = max(0, end - CHUNK)
            with self.path.open("rb") as file:
                file.seek(start)
                place = file.read(end - start).rfind(b"\n")
            if place >= 0:
                return size - (start + place + 1)
            end = start
        return size

    def keep(self, lines: bytes) -> None:
        """Throw away what was read but for these lines; nobody may write meanwhile.

        A kill in the middle leaves the lines, and then a part of what was there.
        """
        with self.path.open("r+b") as file:
            file.write(lines)
            file.truncate()
        self.offset = len(lines)


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
        self._note, self._over = note, False
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD],
            env={**os.environ, GUARDED: "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with out.open("ab") as stdout, err.open("ab") as stderr, self._guarding():
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", LEADER, "sh", *argv],
                cwd=workdir,
                env={**env, GUARDED: "1"},
                stdin=self._guard.stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            pid = self._process.pid
            note.write_text(json.dumps({"pid": pid, "birth": birth(pid), "host": platform.node()}))

    @contextmanager
    def _guarding(self) -> Iterator[None]:
        """A block after which, where it raises, the guard ends what was started."""
        try:
            yield
        except BaseException as error:
            assert self._guard.stdin is not None
            self._guard.stdin.close()
            if isinstance(error, Exception):
                self._guard.wait()
            raise

    def wait(self, seconds: float) -> int | None:
        """Its exit code, negative of a signal; None where it still runs after this time."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """A block in which it writes nothing."""
        group = self._process.pid
        _signal_group(group, signal.SIGSTOP)
        try:
            time.sleep(SETTLING_SECONDS)
            yield
        finally:
            _signal_group(group, signal.SIGCONT)

    def end(self) -> None:
        """End it, and what it started and left behind: SIGTERM, and after a while SIGKILL."""
        if self._over:
            return
        with self._guarding():
            end_group(self._process.pid, self._process.poll)
            self._process.wait()
        self._over = True
        assert self._guard.stdin is not None
        with suppress(OSError):
            self._guard.stdin.write(b"\n")
            self._guard.stdin.close()
        self._guard.wait()

    def settle(self) -> None:
        """Note that it ended as it was to."""
        self._note.unlink(missing_ok=True)


def end_group(group: int, reap: Callable[[], object] = lambda: None) -> None:
    """End what is left of a process group.

    Args:
        reap: takes notice of the end of its leader, where that is a child of this process.
    """
    if not _signal_group(group, signal.SIGTERM):
        return
    _signal_group(group, signal.SIGCONT)
    if not _gone(group, GRACE_SECONDS, reap):
        _signal_group(group, signal.SIGKILL)
        _gone(group, REAP_SECONDS, reap)


def _gone(group: int, seconds: float, reap: Callable[[], object]) -> bool:
    """Whether nobody of a process group is left within this time."""
    deadline, pause = time.monotonic() + seconds, POLL_SECONDS / 100
    while True:
        reap()
        if not _signal_group(group, 0):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(2 * pause, POLL_SECONDS / 2)


def was_cut(note: Path) -> bool:
    """Whether a program in a folder did not end by itself."""
    return note.exists()


def end_noted(note: Path) -> None:
    """End the program that runs in a folder since before a kill, should it still be there.

    One on another machine can't be reached: its guard ends it, and is given the time for that.
    """
    try:
        process = json.loads(note.read_text())
        pid, born = int(process["pid"]), str(process["birth"])
        host = str(process.get("host", platform.node()))  # older notes do not say it
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    if host != platform.node():
        time.sleep(GRACE_SECONDS + REAP_SECONDS)
        note.write_text("{}")  # once is enough
    elif pid > 1 and alive(pid, born):
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
    beside = Path(workdir, program)
    if os.sep not in program:
        path = shutil.which(program, path=env.get("PATH"))
        if path is None:
            hint = f": write ./{program}, or name its interpreter first" * beside.is_file()
            return f"{program} must be a program on PATH, got none of this name{hint}"
        return _interpreter_problem(program, Path(path), env)
    if not beside.is_file():
        return f"{program} must be a file in {workdir}, got none"
    if not os.access(beside, os.X_OK):
        return f"{program} must be executable: chmod +x {program}, or name its interpreter first"
    return _interpreter_problem(program, beside, env)


def _interpreter_problem(program: str, path: Path, env: Mapping[str, str]) -> str:
    """That what a script names in its first line, #!, is not there; "" where it is."""
    try:
        with path.open("rb") as file:
            line = file.readline(LONGEST_FIRST_LINE)
    except OSError:  # executable, and not to be read
        return ""
    if not line.startswith(b"#!"):
        return ""
    words = line[2:].strip(b" \t\n").decode("utf-8", "replace").split(" ")
    missing = words[0].startswith("/") and not Path(words[0]).is_file()
    if not missing and Path(words[0]).name == "env" and words[1:] and words[1][:1] != "-":
        del words[0]
        missing = shutil.which(words[0], path=env.get("PATH")) is None
    return f"{program} must have its interpreter, got none at {words[0]!r}" if missing else ""


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
