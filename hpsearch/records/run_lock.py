"""The lock on a study: one process at a time runs it."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hpsearch.errors import StorageError, StudyLockedError
from hpsearch.processes import alive, birth
from hpsearch.records.layout import StudyFiles
from hpsearch.records.whole_files import storage_errors

HOLDER = re.compile(r"process (\d+) on (.*) \(since .*\)", re.DOTALL)


@contextmanager
def held(study: StudyFiles) -> Iterator[None]:
    """Keep others from running a study for the length of the block.

    Raises:
        StudyLockedError: somebody runs it.
    """
    lock = lock_study(study)
    try:
        yield
    finally:
        unlock_study(study, lock)


@contextmanager
def unchanged(study: StudyFiles) -> Iterator[None]:
    """As `held`, for who only reads: where no lock can be written, it is enough that no one runs
    the study when the block begins.

    Raises:
        StudyLockedError: somebody runs it.
    """
    if os.access(study.path, os.W_OK):
        with held(study):
            yield
        return
    if who := running(study):
        raise _taken(study, who)
    yield


def lock_study(study: StudyFiles) -> FileLock:
    """The operating system's lock on a study: it ends with the process, however that ends.

    Raises:
        StudyLockedError: another process has it.
        StorageError: the folder is read-only, or its file system gives one lock to two processes.
    """
    lock = FileLock(study.lock)
    with storage_errors(study.lock):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            who = _holder(study.holder)[0] if study.holder.exists() else "another process"
            raise _taken(study, who) from None
    if other := _other_here(study):
        lock.release()
        raise StorageError(
            f"{study.lock} must be on a file system whose locks hold for all, got the lock while "
            f"{other} has it: use a home on a local disk, or on NFS version 4, with --home"
        )
    who = f"process {os.getpid()} on {socket.gethostname()}"
    when = time.strftime("%Y-%m-%d %H:%M:%S")
    with storage_errors(study.holder):
        study.holder.write_text(f"{who} (since {when})\n{birth(os.getpid())}")
    return lock


def _other_here(study: StudyFiles) -> str | None:
    """Another process of this machine that runs the study; None where nobody is known to."""
    who = running(study)
    found = HOLDER.fullmatch(who or "")
    here = found and found[2] == socket.gethostname() and int(found[1]) != os.getpid()
    return who if here else None


def _taken(study: StudyFiles, who: str) -> StudyLockedError:
    return StudyLockedError(
        f"study {study.name!r} is already running: {who}. Wait for it, or stop it"
    )


def unlock_study(study: StudyFiles, lock: FileLock) -> None:
    """Let others have the lock."""
    study.holder.unlink(missing_ok=True)
    lock.release()


def running(study: StudyFiles) -> str | None:
    """Who runs the study, as its lock's holder wrote; None where nobody does.

    Nothing is locked to find out. Of a process on another machine it can't be known whether it
    is still there: it counts until it ends the study, or somebody else runs it.
    """
    try:
        text, born = _holder(study.holder)
    except FileNotFoundError:
        return None
    found = HOLDER.fullmatch(text)
    if found is None:  # being written
        return text or "another process"
    here = found[2] == socket.gethostname()
    return text if not here or alive(int(found[1]), born) else None


def _holder(path: Path) -> tuple[str, str]:
    """Who has the lock, and the birth of that process."""
    who, _, born = path.read_text().partition("\n")
    return who, born
