"""Limits that the system sets to a process, and whether they leave enough to work with.

With too little address space the libraries below end in tracebacks, or hang while they load, so
that limits are looked at before anything loads.
"""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from typing import NamedTuple

MB = 1_000_000


class Limit(NamedTuple):
    """A limit and the least that the smallest study of two workers ends well with, rounded up.

    Attributes:
        ulimit: the option of the shell's ulimit.
    """

    what: str
    ulimit: str
    number: int
    least: int
    unit: int = 1
    unit_name: str = ""

    @property
    def got(self) -> int:
        """What is set; RLIM_INFINITY where nothing is."""
        return resource.getrlimit(self.number)[0]

    def text(self, value: int) -> str:
        """A value as it is shown."""
        if value == resource.RLIM_INFINITY:
            return "no limit"
        return f"{value // self.unit}{self.unit_name}"


MEMORY = Limit("memory", "ulimit -v", resource.RLIMIT_AS, 1200 * MB, MB, " MB")
DATA = Limit("memory", "ulimit -d", resource.RLIMIT_DATA, 1000 * MB, MB, " MB")
FILES = Limit("open files", "ulimit -n", resource.RLIMIT_NOFILE, 32)
PROCESSES = Limit("processes and threads", "ulimit -u", resource.RLIMIT_NPROC, 0)
OF_ERROR = {
    errno.EMFILE: FILES,
    errno.ENOMEM: MEMORY,
    errno.EAGAIN: PROCESSES,  # what fork says
}
OF_SENTENCE = {"failed to map segment": MEMORY, "can't start new thread": PROCESSES}


def too_low() -> str:
    """What is wrong with the limits of this process; "" if nothing is."""
    for limit in (MEMORY, DATA, FILES):
        if limit.got != resource.RLIM_INFINITY and limit.got < limit.least:
            return (
                f"{limit.ulimit}, the limit of {limit.what}, must be at least "
                f"{limit.text(limit.least)}, got {limit.text(limit.got)}: raise it in this shell"
            )
    return ""


def exhausted(error: BaseException) -> str:
    """Which limit an error came from, as a line; "" if it came from none."""
    for cause in _causes(error):
        limit = _limit_of(cause)
        if limit is not None:
            shown = str(cause) or type(cause).__name__
            return (
                f"there must be {limit.what} enough for all that runs at once, got {shown} "
                f"({limit.ulimit}: {limit.text(limit.got)}): raise the limit, or start fewer "
                "workers with --workers"
            )
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _limit_of(error: BaseException) -> Limit | None:
    if isinstance(error, MemoryError):
        return MEMORY
    if isinstance(error, OSError) and error.errno in OF_ERROR:
        return OF_ERROR[error.errno]
    # Python and the loader say these two in words only.
    if isinstance(error, ImportError | RuntimeError):
        return next((limit for words, limit in OF_SENTENCE.items() if words in str(error)), None)
    return None
