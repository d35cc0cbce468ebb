"""The report of a call of run_batch."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hpsearch.errors import one_line
from hpsearch.records.result import Result

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["finished", "found", "stopped", "waiting", "locked", "failed"]
UNFINISHED = ("stopped", "waiting", "locked")
EXIT_UNFINISHED = 75  # sysexits.h: try again later


@dataclass(frozen=True)
class StudyRow:
    """The outcome of one study.

    Attributes:
        outcome: "finished" now, "found" finished before, "stopped" in the middle, "waiting" if
            it was not begun, "locked" by another process that runs it, or "failed".
        reason: why it was stopped, not begun, or failed; for a finished study, a remark.
        objective, validation, low, high: the winner over fresh seeds, with its 95 % interval.
        test: the winner's objective on the test set.
        trials: the number of trials.
        seconds: the time that this call spent on it.
        folder: the folder of its artifacts.
        winner: its trial and searched hyperparameters, "" without a result.
        link: the address of its trials in MLflow, "" without a result.
    """

    study: str
    outcome: Outcome
    reason: str = ""
    objective: str = ""
    validation: float | None = None
    low: float | None = None
    high: float | None = None
    test: float | None = None
    trials: int | None = None
    seconds: float = 0.0
    folder: str = ""
    winner: str = ""
    link: str = ""

    @classmethod
    def of(
        cls, name: str, result: Result, *, ran: bool, missing: str, seconds: float, link: str = ""
    ) -> StudyRow:
        """The row of a study that has a result.

        Args:
            ran: False if it was finished before.
            missing: why MLflow does not have everything yet, "" if it has.
            link: the address of its trials in MLflow.
        """
        test = result.test_score
        params = ", ".join(f"{name} = {value}" for name, value in result.searched.items())
        return cls(
            study=name,
            outcome="finished" if ran else "found",
            reason=f"MLflow is not up to date: {missing}" if missing else "",
            objective=result.objective,
            validation=result.validation.mean,
            low=result.validation.low,
            high=result.validation.high,
            test=test.mean if test else None,
            trials=sum(result.counts.values()),
            seconds=round(seconds, 1),
            folder=result.folder,
            winner=f"trial {result.best_number}" + (f": {params}" if params else ""),
            link=link,
        )

    @property
    def line(self) -> str:
        """One line for messages."""
        if self.outcome == "failed":
            return f"{self.study}: failed: {one_line(self.reason)}"
        if self.validation is None:
            return f"{self.study}: {self.outcome}" + (f": {self.reason}" if self.reason else "")
        low, high = self.low, self.high
        parts = [f"{self.objective} {self.validation:.4f}"]
        parts[0] += "" if low is None or high is None else f" ({low:.4f} … {high:.4f})"
        parts += [f"test {self.test:.4f}"] if self.test is not None else []
        before = " (finished before)" if self.outcome == "found" else ""
        parts = [f"{self.study}{before}: {', '.join(parts)}", self.winner, self.link]
        return "; ".join(filter(None, parts))


@dataclass(frozen=True)
class BatchReport:
    """The report of a call of run_batch.

    Attributes:
        batch: its name.
        file: the batch file.
        studies: a row for each, in the order in which they ran.
        seconds: its whole duration.
        cut: what ended it early: "window", "budget", "asked", "failure" or "".
        schedule: the name of the schedule that started it, "" if a person did.
        retention: what its [retention] deleted, "" if it has none.
        host: the name of the machine.
    """

    batch: str
    file: str
    studies: Sequence[StudyRow]
    seconds: float
    cut: str = ""
    schedule: str = ""
    retention: str = ""
    host: str = field(default_factory=socket.gethostname)

    @property
    def counts(self) -> dict[str, int]:
        """The number of studies by outcome."""
        return dict(Counter(row.outcome for row in self.studies))

    @property
    def exit_code(self) -> int:
        """0: all are finished; 1: one failed; 75: one is unfinished, the same call resumes."""
        if self.counts.get("failed"):
            return 1
        return EXIT_UNFINISHED if any(self.counts.get(o) for o in UNFINISHED) else 0

    @property
    def line(self) -> str:
        """One line for logs and messages."""
        counts = ", ".join(f"{n} {outcome}" for outcome, n in self.counts.items())
        reasons = {
            "window": "; its window is closed",
            "budget": "; its budget is spent",
            "asked": "; stopped on request",
            "failure": "; stopped after the failure",
        }
        return f"{self.batch}: {counts}, {_duration(self.seconds)}{reasons.get(self.cut, '')}"

    def table(self) -> pd.DataFrame:
        """A row per study."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.studies])

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "batch": self.batch,
            "file": self.file,
            "host": self.host,
            "schedule": self.schedule,
            "counts": self.counts,
            "cut": self.cut,
            "seconds": round(self.seconds, 1),
            "retention": self.retention,
            "exit_code": self.exit_code,
            "studies": [asdict(row) for row in self.studies],
        }

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> BatchReport:
        """The inverse of `as_dict`."""
        names = ("batch", "file", "seconds", "cut", "schedule")
        rows = tuple(StudyRow(**row) for row in said["studies"])
        newer = {name: said[name] for name in ("retention", "host") if name in said}
        return cls(studies=rows, **{name: said[name] for name in names}, **newer)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
