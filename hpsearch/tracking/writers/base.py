"""The contract of what writes the runs of records into an MLflow store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Point = tuple[str, float, int, int]  # metric, value, time in ms since 1970, step


@dataclass(frozen=True)
class RunUpdate:
    """What one run gets; what it has of it already stays as it is.

    Attributes:
        run_id: "": the run is made.
        name, started: of a run that is made; ms since 1970.
        points: of metrics, in the order in which they are logged.
        params: a name that is there must have the same value.
        tags: a name that is there gets the new value.
    """

    run_id: str
    name: str
    started: int
    points: Sequence[Point] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunEnd:
    """How one run ends.

    Attributes:
        status: MLflow's word.
        ended: ms since 1970.
        name: its new one; "": it keeps what it has.
    """

    run_id: str
    status: str
    ended: int
    name: str = ""


class RunWriter(ABC):
    """Writes runs into one experiment of one store, for the projector alone.

    A run's points, params and tags come first, then its files, then its end: a run that has ended
    has everything. A
    kill may leave any part of these calls, and all of them may be repeated: nothing comes twice.
    Whatever MLflow or its database raises goes to the caller.

    Attributes:
        at_once: how many records the projector puts into one call.
    """

    at_once: int

    @abstractmethod
    def log(self, news: Sequence[RunUpdate]) -> list[str]:
        """Make the runs that are not there, and add what is new; the id of each."""

    @abstractmethod
    def log_files(self, run_id: str, texts: Mapping[str, str], files: Sequence[Path]) -> None:
        """Put artifacts beside a run that was logged: texts by name, and files."""

    @abstractmethod
    def end(self, ends: Sequence[RunEnd]) -> None:
        """Set the final status of runs."""
