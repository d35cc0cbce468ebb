"""What can go wrong, sorted by what the caller does about it.

HpsearchError            a known error: one line for the user, no traceback
├── StudyFileError       fix the study file or the command line (exit code 2)
├── StudyChangedError    the file differs from the run it would continue (exit code 2)
├── DataError            get the data set, or correct its description
├── TrainerError         correct the training function (hpsearch.testing)
├── StudyLockedError     another process runs this study: wait for it, or stop it
├── StorageError         a store can't be opened or written: free space, correct the URL
├── WorkerError          worker processes can't be started: see why, or run in this process
├── StudyFailed          no trial gave a score: nothing to pick a winner from
├── StudyStopped         its caller asked it to stop: the same call goes on (exit code 75)
├── RunningError         another process runs this batch or schedule: leave it to that one
└── TrackingError        MLflow can't be reached: training goes on, warn once
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

SHOWN = 50  # of the valid names in a message; a table may have thousands of columns


class HpsearchError(Exception):
    """Base of all known errors; `str(error)` is what a user reads."""

    exit_code = 1


class StudyFileError(HpsearchError):
    """The study file, or an option of the command line, is wrong; says every mistake found."""

    exit_code = 2


class StudyChangedError(HpsearchError):
    """A study was edited in a way that its earlier trials would not fit."""

    exit_code = 2


class DataError(HpsearchError):
    """A data set is missing, damaged, or too small for what was asked of it."""


class TrainerError(HpsearchError):
    """A training function breaks a rule that studies rely on."""


class StudyLockedError(HpsearchError):
    """Another process holds the lock of this study."""


class StorageError(HpsearchError):
    """The folder of stores or a database can't be used."""


class WorkerError(HpsearchError):
    """Worker processes end before they are ready."""


class StudyFailed(HpsearchError):
    """The study can't go on: every trial of a batch failed, or none has a score."""


class StudyStopped(HpsearchError):
    """A study ended at the end of a slice because its caller asked for that; nothing is lost."""

    exit_code = 75  # sysexits.h: try again later


class RunningError(HpsearchError):
    """Another process holds the lock of this batch, or of this home's schedule."""


class TrackingError(HpsearchError):
    """MLflow can't be reached or refused a write."""


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """An interrupt of the block as KeyboardInterrupt, also where it came while a module loaded:
    some then end in an ImportError, with the interrupt as its cause."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, KeyboardInterrupt):
                raise KeyboardInterrupt from error
            cause = cause.__cause__
        raise


def nearest(name: object, valid: Iterable[str]) -> str:
    """ " (did you mean 'x'?)" for the valid name closest to `name`, "" if none is close."""
    near = difflib.get_close_matches(str(name), list(valid), n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""


def unknown(name: object, valid: Iterable[str]) -> str:
    """The message for a name that is none of `valid`."""
    names = list(valid)
    shown = names if len(names) <= SHOWN else [*names[:SHOWN], f"and {len(names) - SHOWN} more"]
    return f"must be one of {', '.join(shown)}, got {str(name)!r}{nearest(name, names)}"
