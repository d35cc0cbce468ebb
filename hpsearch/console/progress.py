"""Progress on stderr: of a study, and of the studies of a batch."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hpsearch.console.output import console
from hpsearch.counts import all_of, all_tried, count_of, noun_of
from hpsearch.errors import one_line

if TYPE_CHECKING:
    from hpsearch.study.events import Event

PLAIN_SECONDS = 5.0  # between two lines where stderr is no terminal


class StudyProgress:
    """A bar a stage on a terminal, else a plain line every few seconds.

    with StudyProgress() as progress:
        run_study(path, on_event=progress.show, warn=progress.warn)
    """

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._label, self._total, self._done, self._started, self._said = "", 0, 0, 0.0, 0.0
        self._fresh = 0
        self._best, self._end = "", math.inf
        self._task: Any = None

    def __enter__(self) -> StudyProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, event: Event) -> None:
        """Show one event of a study."""
        from hpsearch.study.events import (
            ArmFailed,
            BatchFailed,
            BudgetEnded,
            CodeDoubt,
            LibraryWarned,
            OptunaRefilled,
            PhaseStarted,
            SpaceTried,
            StageStarted,
            StudiesLearned,
            StudySized,
            TrackingAwaited,
            TrialReached,
        )

        if isinstance(event, StageStarted):
            length = count_of(event.epochs, "epoch")
            rows = "" if event.rows is None else f" on {count_of(event.rows, 'row')}"
            label = f"stage {event.stage + 1}/{event.n_stages}, {length}{rows}"
            self._begin(_of_arm(event.arm, label), event.trials, event.done, event.seconds)
        elif isinstance(event, PhaseStarted):
            names = {
                "confirmation": "confirmation",
                "test": "refit and test",
                "model": "model on all rows",
            }
            self._begin(_of_arm(event.arm, names[event.name]), event.runs, event.done)
        elif isinstance(event, BudgetEnded):
            what = f"stage {event.stage + 1}" if event.stage_only else "the search"
            self.note(_of_arm(event.arm, f"budget.{event.key} ends {what}"))
        elif isinstance(event, SpaceTried):
            where = f"stage {event.stage + 1}: " if event.n_stages > 1 else ""
            self.note(
                _of_arm(
                    event.arm,
                    f"{where}{all_tried(event.configurations)}; {event.left} of the {event.asked} "
                    "requested trials are not needed",
                )
            )
        elif isinstance(event, OptunaRefilled):
            first, *others = event.problems
            more = f" and {len(others)} more" if others else ""
            self.warn(
                f"Optuna's study must agree with the records, got {first}{more}: it was rebuilt "
                "from the records"
            )
        elif isinstance(event, StudySized | TrackingAwaited):
            self.note(event.text)
        elif isinstance(event, StudiesLearned):
            each = (f"{name} ({count_of(n, 'trial')})" for name, n in event.studies.items())
            self.note(f"learns from {', '.join(each) or 'no earlier study: none fits'}")
        elif isinstance(event, CodeDoubt):
            self.warn(event.warning)
        elif isinstance(event, LibraryWarned):
            self.warn(f"{event.warning} (see {event.log}; repeats are counted in the report)")
        elif isinstance(event, ArmFailed):
            self.warn(f"{event.arm} has no result: {one_line(event.reason)}")
        elif isinstance(event, BatchFailed):
            self.warn(
                _of_arm(
                    event.arm,
                    f"{all_of(event.trials, 'trial')} of the first batch failed with "
                    f"{event.reason}; "
                    f"the study ends after budget.failures = {event.limit} "
                    f"{noun_of(event.limit, 'failure')} in a row",
                )
            )
        else:
            self._done, self._fresh = self._done + 1, self._fresh + 1
            if isinstance(event, TrialReached) and event.best is not None:
                self._best = f"best {event.best:.4f}"
            self._update()

    def warn(self, line: str) -> None:
        """Show a warning without breaking the bars."""
        self._console.print(f"warning: {line}", style="yellow")

    def note(self, line: str) -> None:
        """Show a line without breaking the bars."""
        self._console.print(line, soft_wrap=True)

    def _begin(self, label: str, total: int, done: int, seconds: float | None = None) -> None:
        self._end = math.inf if seconds is None else time.monotonic() + seconds
        self._label, self._total, self._done, self._best = label, total, done, ""
        self._started, self._said, self._fresh = time.monotonic(), 0.0, 0
        self._task = self._bars.add_task(label, total=total, completed=done, best="", rate="")
        if done < total:
            before = f", {done} done before" if done else ""
            limit = "" if seconds is None else f", in {seconds:.0f} s at most"
            self._line(f"{label}: {total} to do{before}{limit}")

    def _update(self) -> None:
        rate = self._fresh / max(time.monotonic() - self._started, 1e-9)
        text = f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min"
        done = min(self._done, self._total)
        self._bars.update(self._task, completed=done, best=self._best, rate=text)
        ended = self._done >= self._total
        if ended or time.monotonic() - self._said > PLAIN_SECONDS:
            left = min((self._total - done) / rate, max(0.0, self._end - time.monotonic()))
            parts = [f"{self._label}: {done}/{self._total}", self._best, text]
            self._line(", ".join(filter(None, [*parts, "" if ended else f"{left:.0f} s left"])))

    def _line(self, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(text, soft_wrap=True)
            self._said = time.monotonic()


def _of_arm(arm: str, label: str) -> str:
    return f"{arm}: {label}" if arm else label


class BatchProgress:
    """The progress of a batch's studies, one after another, each under its name."""

    def __init__(self) -> None:
        self._inner: StudyProgress | None = None

    def __enter__(self) -> BatchProgress:
        return self

    def __exit__(self, *of_what: object) -> None:
        self._close()

    def study(self, name: str, number: int, of: int) -> None:
        """A study begins."""
        self._close()
        text = f"study {number} of {of}: {name}"
        console(stderr=True).print(text, style="bold")
        self._inner = StudyProgress()
        self._inner.__enter__()

    def show(self, event: Event) -> None:
        """Show one event of the study."""
        assert self._inner is not None
        self._inner.show(event)

    def warn(self, line: str) -> None:
        """Show a warning."""
        (self._inner or StudyProgress()).warn(line)

    def _close(self) -> None:
        if self._inner is not None:
            self._inner.__exit__(None, None, None)
            self._inner = None
