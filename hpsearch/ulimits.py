"""Limits that the system sets to a process, and whether they leave enough to work with.

With too little address space the libraries below end in tracebacks, or hang while they load, so
that limits are looked at before anything loads.
"""

from __future__ import annotations

import errno
import resource
import traceback
from collections.abc import Iterator
from typing import NamedTuple

MB = 1_000_000


class Limit(NamedTuple):
    """A limit of a process.

    Attributes:
        what: it limits.
        ulimit: the option of the shell's ulimit.
        to_load: the least that the libraries load with, rounded up.
        to_train: the least that the smallest study of two workers ends well with, rounded up.
    """

    what: str
    ulimit: str
    number: int
    to_load: int = 0
    to_train: int = 0
    unit: int = 1
    unit_name: str = ""

    @property
    def got(self) -> int:
        """What is set; RLIM_INFINITY where nothing is."""
        return resource.getrlimit(self.number)[0]

    def text(self, value: int) -> str:
        """A value as it is shown."""
        return f"{value // self.unit}{self.unit_name}"


MEMORY = Limit("memory", "ulimit -v", resource.RLIMIT_AS, 600 * MB, 1200 * MB, MB, " MB")
DATA = Limit("memory", "ulimit -d", resource.RLIMIT_DATA, 500 * MB, 1000 * MB, MB, " MB")
FILES = Limit("open files", "ulimit -n", resource.RLIMIT_NOFILE, 16, 32)
PROCESSES = Limit("processes and threads", "ulimit -u", resource.RLIMIT_NPROC)
OF_ERROR = {errno.EMFILE: FILES, errno.ENOMEM: MEMORY}
OF_SENTENCE = {"failed to map segment": MEMORY, "can't start new thread": PROCESSES}
STARTERS = ("subprocess.py", "popen_fork.py")  # where EAGAIN is that no process can be started


def too_low(*, to_train: bool) -> str:
    """What is wrong with the limits of this process; "" if nothing is.

    Args:
        to_train: it is going to; else it loads libraries alone.
    """
    for limit in (MEMORY, DATA, FILES):
        least = limit.to_train if to_train else limit.to_load
        if limit.got != resource.RLIM_INFINITY and limit.got < least:
            return (
                f"{limit.ulimit}, the limit of {limit.what}, must be at least "
                f"{limit.text(least)}, got {limit.text(limit.got)}: raise it in this shell, e.g. "
                f"with {limit.ulimit} unlimited"
            )
    return ""


def exhausted(error: BaseException) -> str:
    """Which limit an error came from, as a line; "" if it came from none."""
    for cause in _causes(error):
        limit = _limit_of(cause)
        if limit is None:
            continue
        shown = str(cause) or type(cause).__name__
        if limit.got == resource.RLIM_INFINITY:
            return (
                f"this machine must have more {limit.what}, got {shown}: use fewer workers with "
                "--workers, or close other programs"
            )
        return (
            f"{limit.ulimit} must allow all {limit.what} needed at once, got "
            f"{limit.text(limit.got)} ({shown}): raise it, or use fewer workers with --workers"
        )
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _limit_of(error: BaseException) -> Limit | None:
    if isinstance(error, MemoryError):
        return MEMORY
    if isinstance(error, OSError):
        frames = traceback.extract_tb(error.__traceback__)
        starting = any(frame.filename.endswith(STARTERS) for frame in frames)
        if error.errno == errno.EAGAIN and starting:
            return PROCESSES
        return OF_ERROR.get(error.errno or 0)
    # Python and the loader say these two in words only.
    if isinstance(error, ImportError | RuntimeError):
        return next((limit for words, limit in OF_SENTENCE.items() if words in str(error)), None)
    return None
