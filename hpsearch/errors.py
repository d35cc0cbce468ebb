"""The errors of hpsearch, sorted by what the caller should do about them.

HpsearchError            a known error: one line for the user, no traceback
├── StudyFileError       fix the study file or the command line (exit code 2)
├── StudyChangedError    the file differs from that of the run to continue (exit code 2)
├── DataError            get the data set, or correct its description
├── TrainerError         correct the training function (hpsearch.testing)
├── StudyLockedError     another process runs this study: wait for it, or stop it
├── StorageError         a store can't be opened or written: free space, correct the URL
├── WorkerError          worker processes can't be started: see why, or run in this process
├── TrialFailed          a trial can't be trained: recorded with it, the study goes on
├── StudyFailed          no trial has a score, so there is no winner to pick
├── StudyStopped         the caller asked it to stop: the same call resumes it (exit code 75)
├── RunningError         another process runs this batch or schedule: let it finish
└── TrackingError        MLflow can't be reached: training goes on, warn once
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

SHOWN = 50  # of the valid names in a message; a table may have thousands of columns
SLIP = 0.65  # of difflib's ratio; random_state and n_estimators have 0.5, sdg and sgd 0.67
SHORTEST = 3  # characters of a beginning that tell which name is meant
LONGEST = 2000  # characters of a problem; a value that was got may be of any length


@dataclass(frozen=True)
class Problem:
    """One mistake to correct. It becomes a sentence where it is shown; no code parses that.

    Attributes:
        key: path of the key, e.g. "space.learning_rate.low"; list items by number from 0.
        rule: "must be …", or "is missing".
        got: the invalid value as it is shown, e.g. its repr; "" for none.
        hint: what to do about it.
        nearest: the valid name closest to the invalid one.
    """

    key: str
    rule: str
    got: str = ""
    hint: str = ""
    nearest: str = ""

    @property
    def predicate(self) -> str:
        """The sentence without its subject, the key."""
        got = f", got {self.got}" if self.got else ""
        near = f" (did you mean {self.nearest!r}?)" if self.nearest else ""
        hint = f": {self.hint}" if self.hint else ""
        return f"{self.rule}{got}{near}{hint}"

    @property
    def statement(self) -> str:
        """A sentence whose subject is the key: "data.shots must be at most 6, got 7"."""
        return f"{self.key} {self.predicate}"

    def __str__(self) -> str:
        """An item of a list of problems: "data.shots: must be at most 6, got 7"."""
        text = f"{self.key}: {self.predicate}" if self.key else self.predicate
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


class HpsearchError(Exception):
    """Base of all known errors; `str(error)` is the message for the user."""

    exit_code = 1


class StudyFileError(HpsearchError):
    """The study file, or an option of the command line, is invalid; lists every mistake.

    Attributes:
        problems: the mistakes, if they were found in the file; () otherwise.
    """

    exit_code = 2

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def listing(cls, path: Path, problems: Sequence[Problem]) -> Self:
        """The error for a file with these problems."""
        noun = "mistake" if len(problems) == 1 else "mistakes"
        lines = "\n".join(f"  {problem}" for problem in problems)
        message = f"{path} has {len(problems)} {noun}; nothing was started:\n{lines}"
        return cls(message, problems)


class StudyChangedError(HpsearchError):
    """The study file was changed in a way that does not fit the earlier trials."""

    exit_code = 2


class DataError(HpsearchError):
    """A data set is missing, damaged, or too small for the request.

    Attributes:
        problem: the key of [data] to correct; None if the files are wrong.
    """

    def __init__(self, what: str | Problem) -> None:
        super().__init__(what.statement if isinstance(what, Problem) else what)
        self.problem = what if isinstance(what, Problem) else None


class TrainerError(HpsearchError):
    """A training function breaks a rule that studies depend on."""


class TrialFailed(HpsearchError):
    """A trial can't be trained, for a known reason, so there is no traceback.

    Attributes:
        limit: the limit that it exceeded, by its name in a record; "" for none.
        lost: its program was killed from outside: it is tried again, as after a worker's death.
    """

    def __init__(
        self, message: str, *, limit: Literal["", "gpu_memory"] = "", lost: bool = False
    ) -> None:
        super().__init__(message)
        self.limit, self.lost = limit, lost


class StudyLockedError(HpsearchError):
    """Another process holds the lock of this study."""


class StorageError(HpsearchError):
    """The home folder or a database can't be used."""


class DamagedError(StorageError):
    """A file of the records was changed or damaged.

    Attributes:
        name: the name of the file.
        got: what is wrong with it.
    """

    def __init__(self, name: str | Path, got: str) -> None:
        super().__init__(
            f"{name} must hold what hpsearch wrote, got {got}: restore it from an export or a "
            "backup, or rebuild what is possible with python -m hpsearch doctor --repair"
        )
        self.name, self.got = name, got


class FormatError(StorageError):
    """The file was written by a newer version of hpsearch."""


class WorkerError(HpsearchError):
    """Worker processes end before they are ready, or can't be started."""


class StudyFailed(HpsearchError):
    """The study can't go on: every trial of a batch failed, or none has a score."""


class StudyStopped(HpsearchError):
    """The caller asked the study to stop; nothing is lost, and the same call resumes it."""

    exit_code = 75  # sysexits.h: try again later


class RunningError(HpsearchError):
    """Another process holds the lock of this batch, or of the schedules of this home folder."""


class TrackingError(HpsearchError):
    """MLflow can't be reached or rejected a write."""


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """Raise an interrupt in the block as KeyboardInterrupt, even if it came while a module loaded:
    some modules then raise an ImportError whose cause is the interrupt."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, KeyboardInterrupt):
                raise KeyboardInterrupt from error
            cause = cause.__cause__
        raise


def headline(text: object) -> str:
    """The first line of an error's message, "" if it has none."""
    return next(iter(str(text).strip().splitlines()), "")


def one_line(text: object) -> str:
    """The whole message of an error in one line."""
    lines = (line.strip() for line in str(text).strip().splitlines())
    return "; ".join(filter(None, lines)).replace(":; ", ": ")


def conclusion(traceback: str) -> str:
    """The last line of a traceback, the error itself; "" if the traceback is empty."""
    return next(reversed(traceback.strip().splitlines()), "")


def closest(name: object, valid: Iterable[str]) -> str:
    """The valid name that `name` plausibly stands for, "" if there is none.

    It is a name that differs by a typing mistake, or the closest name of which `name` is a word or
    the beginning: validation_accuracy for accuracy, maximize for max.
    """
    text, names = str(name), list(valid)
    slips = difflib.get_close_matches(text, names, n=1, cutoff=SLIP)
    longer = [other for other in names if _is_part(text, other)]
    return next(iter([*slips, *difflib.get_close_matches(text, longer, n=1, cutoff=0)]), "")


def _is_part(text: str, name: str) -> bool:
    beginning = len(text) >= SHORTEST and name.startswith(text)
    return beginning or (text != "" and text in re.split(r"[^A-Za-z0-9]+", name))


def nearest(name: object, valid: Iterable[str]) -> str:
    """ " (did you mean 'x'?)" for the valid name closest to `name`, "" if none is close."""
    near = closest(name, valid)
    return f" (did you mean {near!r}?)" if near else ""


def unknown(name: object, valid: Iterable[str]) -> str:
    """The message for a name that is not in `valid`."""
    return unknown_name("", name, valid).predicate


def unknown_name(key: str, name: object, valid: Iterable[str], *, first: str = "") -> Problem:
    """The problem with a name that is not in `valid`, or with a missing one, None.

    Args:
        first: what else the name must be, before the names are listed.
    """
    names = list(valid)
    shown = names if len(names) <= SHOWN else [*names[:SHOWN], f"and {len(names) - SHOWN} more"]
    rule = f"{first}must be one of {', '.join(shown)}"
    if name is None:
        return Problem(key, rule)
    return Problem(key, rule, repr(str(name)), nearest=closest(name, names))
