"""What a person sees in the terminal: progress on stderr, results on stdout."""

from __future__ import annotations

import re
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from hpsearch.scheduler import BatchReport
    from hpsearch.search.events import Event
    from hpsearch.search.result import Result
    from hpsearch.service import Report

PLAIN_SECONDS = 5.0  # between two lines where stderr is no terminal
PLAIN_WIDTH = 120  # of tables where stdout is no terminal


class StudyProgress:
    """A bar a stage on a terminal, else a plain line every few seconds.

    with StudyProgress() as progress:
        run_study(path, on_event=progress.show, warn=progress.warn)
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
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
        self._best = ""
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
        from hpsearch.search.events import PhaseStarted, StageStarted, TrialReached

        if isinstance(event, StageStarted):
            label = f"stage {event.stage + 1}/{event.n_stages}, {event.epochs} epochs"
            self._begin(label, event.trials, event.done)
        elif isinstance(event, PhaseStarted):
            names = {"confirmation": "fresh seeds", "test": "refit and test"}
            self._begin(names[event.name], event.runs, 0)
        else:
            self._done, self._fresh = self._done + 1, self._fresh + 1
            if isinstance(event, TrialReached) and event.best is not None:
                self._best = f"best {event.best:.4f}"
            self._update()

    def warn(self, line: str) -> None:
        """Show a warning without breaking the bars."""
        self._console.print(f"warning: {line}", style="yellow", markup=False, highlight=False)

    def _begin(self, label: str, total: int, done: int) -> None:
        self._label, self._total, self._done, self._best = label, total, done, ""
        self._started, self._said, self._fresh = time.monotonic(), 0.0, 0
        self._task = self._bars.add_task(label, total=total, completed=done, best="", rate="")
        if done < total:
            self._line(f"{label}: {total} to do" + (f", {done} done before" if done else ""))

    def _update(self) -> None:
        rate = self._fresh / max(time.monotonic() - self._started, 1e-9)
        text = f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min"
        done = min(self._done, self._total)
        self._bars.update(self._task, completed=done, best=self._best, rate=text)
        ended = self._done >= self._total
        if ended or time.monotonic() - self._said > PLAIN_SECONDS:
            left = (self._total - done) / rate
            parts = [f"{self._label}: {done}/{self._total}", self._best, text]
            self._line(", ".join(filter(None, [*parts, "" if ended else f"{left:.0f} s left"])))

    def _line(self, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
            self._said = time.monotonic()


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
        Console(stderr=True).print(text, style="bold", markup=False, highlight=False)
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


def print_batch(report: BatchReport) -> None:
    """The summary of a batch on stdout."""
    out = output()
    table = Table(title=f"Batch {report.batch}", title_justify="left", box=None)
    for name in ("study", "outcome", "trials", "validation", "95 % interval", "test", "time"):
        table.add_column(name, justify="left" if name in ("study", "outcome") else "right")
    for row in report.studies:
        low, high = row.low, row.high
        table.add_row(
            row.study,
            row.outcome,
            "" if row.trials is None else str(row.trials),
            "" if row.validation is None else f"{row.validation:.4f}",
            "" if low is None or high is None else f"{low:.4f} … {high:.4f}",
            "" if row.test is None else f"{row.test:.4f}",
            f"{row.seconds:.1f} s" if row.seconds else "",
        )
    out.print(table)
    for row in report.studies:
        if row.reason:
            out.print(f"{row.study}: {row.reason}", markup=False, highlight=False, soft_wrap=True)
    out.print(report.line, markup=False, highlight=False, soft_wrap=True)


def print_report(report: Report) -> None:
    """A finished study on stdout: trials, ranges, winner, test, link."""
    out = output()
    result = report.result
    out.print(_trials(result))
    ranges = _ranges(result)
    if ranges.row_count:
        out.print(ranges)
    counts = ", ".join(f"{n} {outcome}" for outcome, n in result.counts.items())
    params = ", ".join(f"{k} = {v}" for k, v in result.searched.items())
    lines = [
        (
            "study",
            f"{result.study}: {counts}"
            + ("" if report.ran else " (finished before; nothing was run)"),
        ),
        ("winner", f"trial {result.best_number}: {params}"),
        (result.objective, f"{result.validation} on validation data"),
    ]
    if result.optimistic:
        lines.append(("", f"optimistic: {result.optimistic}"))
    lines += [
        (name, f"{estimate} on the test set" + (_uses(result) if "loss" not in name else ""))
        for name, estimate in result.test.items()
        if "/" not in name  # each class's accuracy is in confusion.csv
    ]
    if result.untested:
        lines.append(("", f"not tested: {result.untested}"))
    lines.append(("artifacts", result.folder))
    if report.link:
        lines.append(("MLflow", f"{report.ui}, then {report.link}" if report.ui else report.link))
    if report.missing:
        lines.append(("", f"MLflow does not have everything yet: {report.missing}"))
        lines.append(("", "the records are kept; the same command sends the rest"))
    for name, text in lines:
        out.print(f"{name:>20}  {text}", markup=False, highlight=False, soft_wrap=True)


def output() -> Console:
    """stdout; wide enough for tables where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


def _uses(result: Result) -> str:
    once = (
        "opened once" if result.test_uses == 1 else f"opened for {result.test_uses} configurations"
    )
    return f", {once}"


def _trials(result: Result) -> Table:
    table = Table(title=f"Best trials of {result.study}", title_justify="left", box=None)
    names = list(dict.fromkeys(name for entry in result.top for name in entry["params"]))
    for name in ("trial", "epochs", result.objective, "fresh seeds", *names):
        table.add_column(name, justify="right", overflow="fold", no_wrap=name == "trainer")
    for entry in result.top:
        confirmed = entry["confirmed"]
        table.add_row(
            str(entry["number"]),
            str(entry["epochs"]),
            f"{entry['score']:.4f}",
            "" if confirmed is None else f"{confirmed:.4f}",
            *(_short(name, entry["params"].get(name, "")) for name in names),
            style="bold" if entry["number"] == result.best_number else None,
        )
    return table


def _ranges(result: Result) -> Table:
    """The ranges of the winner's branch."""
    table = Table(
        title="Narrowed ranges (soft: draws outside stay possible)", title_justify="left", box=None
    )
    for name in ("parameter", "where", "declared", "narrowed", "left"):
        table.add_column(name, justify="right" if name == "left" else "left", overflow="fold")
    mine = [f"{name}={value}" for name, value in result.searched.items()]
    by_name: dict[str, dict[str, Any]] = {}
    for row in result.ranges:
        if row["parameter"] in result.searched and row["branch"] in ("", *mine):
            by_name[row["parameter"]] = row  # the branch's row comes after that of all trials
    for name, row in by_name.items():
        texts = [_classes(row[key]) for key in ("branch", "declared", "now")]
        table.add_row(name, *texts, f"{row['share']:.0%}")
    return table


def _classes(text: str) -> str:
    """A text with estimators by their class alone; the winner's line has the whole path."""
    return re.sub(r"\b(?:[A-Za-z_]\w*\.)+([A-Za-z_]\w*)", r"\1", text)


def _short(name: str, value: object) -> str:
    if name == "trainer":
        return _classes(str(value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
