"""What a person sees in the terminal: progress on stderr, results on stdout."""

from __future__ import annotations

import re
import time
from collections.abc import Hashable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.scheduler import BatchReport
    from hpsearch.search.events import Event
    from hpsearch.search.result import Estimate, Result
    from hpsearch.service import Report
    from hpsearch.service.planning import Plan
    from hpsearch.service.verifying import Verification

PLAIN_SECONDS = 5.0  # between two lines where stderr is no terminal
SLOWED = 1.3  # times; more is worth saying
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
        from hpsearch.search.events import (
            ArmFailed,
            BudgetEnded,
            PhaseStarted,
            StageStarted,
            TrialReached,
        )

        if isinstance(event, StageStarted):
            label = f"stage {event.stage + 1}/{event.n_stages}, {event.epochs} epochs"
            self._begin(_of_arm(event.arm, label), event.trials, event.done)
        elif isinstance(event, PhaseStarted):
            names = {"confirmation": "fresh seeds", "test": "refit and test"}
            self._begin(_of_arm(event.arm, names[event.name]), event.runs, 0)
        elif isinstance(event, BudgetEnded):
            what = f"stage {event.stage + 1}" if event.key == "plateau" else "the search"
            self.note(_of_arm(event.arm, f"budget.{event.key} ends {what}"))
        elif isinstance(event, ArmFailed):
            self.warn(f"{event.arm} has no result: {event.reason.splitlines()[0]}")
        else:
            self._done, self._fresh = self._done + 1, self._fresh + 1
            if isinstance(event, TrialReached) and event.best is not None:
                self._best = f"best {event.best:.4f}"
            self._update()

    def warn(self, line: str) -> None:
        """Show a warning without breaking the bars."""
        self._console.print(f"warning: {line}", style="yellow", markup=False, highlight=False)

    def note(self, line: str) -> None:
        """Show a line without breaking the bars."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

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
    if result.front:
        out.print(_front(result))
    ranges = _ranges(result)
    if ranges.row_count:
        out.print(ranges)
    if result.arms:
        out.print(_arms(result))
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
    lines += [("", f"misses {missed}") for missed in result.unmet]
    lines += [("fidelity", text) for text in result.fidelity_texts]
    lines += [("WARNING", alarm) for alarm in result.alarms]
    if result.ended:
        lines.append(("", f"ended early by {result.ended}"))
    if result.optimistic:
        lines.append(("", f"optimistic: {result.optimistic}"))
    lines += [
        (name, f"{estimate} on the test set" + (_uses(result) if "loss" not in name else ""))
        for name, estimate in result.test.items()
        if "/" not in name  # each class's accuracy is in confusion.csv
    ]
    if result.untested:
        lines.append(("", f"not tested: {result.untested}"))
    lines += [("table", _agreement(group)) for group in report.answers.agreement]
    for claim in report.answers.claims:
        lines.append(("claim", f"{claim['text']}: {claim['verdict'].upper()}"))
        lines.append(("", claim["detail"]))
    lines.append(("artifacts", result.folder))
    if report.link:
        lines.append(("MLflow", f"{report.ui}, then {report.link}" if report.ui else report.link))
    if report.missing:
        lines.append(("", f"MLflow does not have everything yet: {report.missing}"))
        lines.append(("", "the records are kept; the same command sends the rest"))
    for name, text in lines:
        out.print(f"{name:>20}  {text}", markup=False, highlight=False, soft_wrap=True)


def print_status(rows: pd.DataFrame) -> None:
    """The state of studies on stdout, a line each; who runs them and why they failed below."""
    out = output()
    table = Table(box=None)
    for name in ("study", "state", "stage", "trials", "outcomes", "best"):
        table.add_column(name, overflow="fold")
    for row in rows.to_dict("records"):
        counts = {name: row[name] for name in ("running", "paused", "complete", "pruned")}
        counts |= {name: row[name] for name in ("diverged", "failed")}
        table.add_row(
            _run(row),
            row["state"],
            f"{row['stage']}/{row['stages']}",
            f"{row['trials']}/{row['planned']}",
            ", ".join(f"{n} {outcome}" for outcome, n in counts.items() if n),
            _best(row),
        )
    out.print(table)
    for row in rows.to_dict("records"):
        for text in filter(None, (row["holder"], row["reason"])):
            out.print(f"{_run(row)}: {text}", markup=False, highlight=False, soft_wrap=True)


def _run(row: Mapping[Hashable, Any]) -> str:
    return str(row["study"]) if row["run"] == 1 else f"{row['study']}/{row['run']}"


def _best(row: Mapping[Hashable, Any]) -> str:
    """The best score so far, with where it was reached; "" as long as there is none."""
    if not isinstance(row["best"], float):
        return ""
    where = f"at {row['best_epochs']} epochs, trial {row['best_trial']}"
    return f"{row['metric']} {row['best']:.4f} {where}"


def print_verification(found: Verification) -> None:
    """What was checked, on stdout, and what differs."""
    out, replay = output(), found.replay
    lines = [
        ("data", f"digests of {found.records} records"),
        (
            "draws",
            f"{replay.draws} configurations from the study file, the seed and the results"
            + f", within {replay.tolerance:g} on another machine" * bool(replay.tolerance),
        ),
        ("scores", f"{replay.scores} from their curves"),
        ("decisions", f"{replay.decisions} ends of stages" + ", the result" * replay.result),
    ]
    for one in found.again:
        how = "bit for bit" if one.exact else f"within {one.tolerance:g} on another machine"
        what = f"trained again, {one.values} values and {one.states} states compared {how}"
        lines.append((f"trial {one.trial}", f"{one.outcome} after {one.epochs} epochs, {what}"))
    lines.append(("", f"{len(found.problems)} differences" if found.problems else "equal"))
    lines += [("differs", problem) for problem in found.problems]
    for name, text in lines:
        out.print(f"{name:>20}  {text}", markup=False, highlight=False, soft_wrap=True)


def print_plan(plan: Plan) -> None:
    """What a study asks for, on stdout, and what it will take."""
    out = output()
    table = Table(box=None)
    cut = any(part.cut for part in plan.phases)  # by the budget
    names = ("phase", "runs", *("cut",) * cut, "promoted", "controls", "new", "epochs", "members")
    for name in (*names, "member epochs"):
        table.add_column(name, justify="left" if name == "phase" else "right")
    for part in plan.phases:
        going_on = (part.promoted, part.controls)
        counts = (part.runs, *(part.cut,) * cut, *going_on, part.new, part.epochs, part.members)
        table.add_row(part.name, *map(str, counts), f"{part.total_epochs:,}")
    out.print(table)
    lines = [("total", f"{plan.total_epochs:,} epochs of a member, continued ones counted once")]
    lines += [("budget", text) for text in plan.budget]
    if plan.probe and plan.seconds and plan.disk:
        time, disk, n = plan.seconds, plan.disk, len(plan.probe.costs)
        lines += [
            (
                "time",
                f"{_duration(time.expected)} ({_duration(time.low)} … "
                f"{_duration(time.high)}) with {plan.workers} workers",
            ),
            (
                "disk",
                f"{_size(disk.expected)} ({_size(disk.low)} … {_size(disk.high)}), and up "
                f"to {_size(plan.peak_disk)} of states while it runs",
            ),
            (
                "probe",
                f"{n} trials at random, {plan.probe.epochs} epochs each, "
                f"{plan.probe.seconds:.1f} s"
                + f", on a machine slowed down {plan.probe.slowdown:.1f} times"
                * (plan.probe.slowdown > SLOWED),
            ),
        ]
        failed = [cost.failed for cost in plan.probe.costs if cost.failed]
        if failed:
            last = failed[-1].strip().splitlines()[-1]
            lines.append(("warning", f"{len(failed)} of the {n} trials failed: {last}"))
    for name, text in lines:
        out.print(f"{name:>20}  {text}", markup=False, highlight=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _size(n_bytes: float) -> str:
    for size, unit in ((1e9, "GB"), (1e6, "MB")):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes / 1e3:.0f} kB"


def output() -> Console:
    """stdout; wide enough for tables where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


def _agreement(group: dict[str, Any]) -> str:
    name = f"{group['cells']}: " if group["cells"] else ""
    return (
        f"{name}{group['equal']} of {group['n']} cells equal to the printed ones, "
        f"{group['within_one_image']} within one image; "
        f"mean difference {group['mean_absolute_difference']:.4f}"
    )


def _uses(result: Result) -> str:
    once = (
        "opened once" if result.test_uses == 1 else f"opened for {result.test_uses} configurations"
    )
    return f", {once}"


def _trials(result: Result) -> Table:
    table = Table(title=f"Best trials of {result.study}", title_justify="left", box=None)
    names = list(dict.fromkeys(name for entry in result.top for name in entry["params"]))
    others = [*result.objectives][1:]
    misses = ["misses"] * any(entry.get("missed") for entry in result.top)
    for name in ("trial", "epochs", result.objective, "fresh seeds", *others, *misses, *names):
        table.add_column(name, justify="right", overflow="fold", no_wrap=name == "trainer")
    for entry in result.top:
        confirmed = entry["confirmed"]
        table.add_row(
            str(entry["number"]),
            str(entry["epochs"]),
            f"{entry['score']:.4f}",
            "" if confirmed is None else f"{confirmed:.4f}",
            *(f"{entry['values'][name]:.5g}" for name in others),
            *(f"{entry['missed']:.1%}" * bool(entry["missed"]) for _ in misses),
            *(_short(name, entry["params"].get(name, "")) for name in names),
            style="bold" if entry["number"] == result.best_number else None,
        )
    return table


def _front(result: Result) -> Table:
    """The configurations that no other one beats in everything."""
    title = "Pareto front, means over fresh seeds (in brackets: in the search)"
    table = Table(title=title, title_justify="left", box=None)
    names = list(dict.fromkeys(name for member in result.front for name in member.params))
    for name in ("trial", *result.objectives, *names):
        table.add_column(name, justify="right", overflow="fold", no_wrap=name == "trainer")
    for member in result.front:
        searched = {name: f" ({value:.5g})" for name, value in member.searched_values.items()}
        table.add_row(
            str(member.number),
            *(f"{e.mean:.5g}{searched.get(name, '')}" for name, e in member.values.items()),
            *(_short(name, member.params.get(name, "")) for name in names),
            style="bold" if member.number == result.best_number else None,
        )
    return table


def _arms(result: Result) -> Table:
    """What each compared combination found."""
    title = "Compared, each by its own winner (mean and 95 % interval over fresh seeds)"
    table = Table(title=title, title_justify="left", box=None)
    metric = result.test_name
    for name in (*result.arms[0].values, "trial", result.objective, metric, "searched"):
        table.add_column(name, justify="left" if name == "searched" else "right", overflow="fold")
    for arm in result.arms:
        searched = ", ".join(f"{k} = {_short(k, v)}" for k, v in arm.searched.items())
        table.add_row(
            *(_short(name, value) for name, value in arm.values.items()),
            "" if arm.best_number is None else str(arm.best_number),
            _interval(arm.validation),
            _interval(arm.test.get(metric)),
            searched or arm.failure.partition("\n")[0],
            style="bold" if arm.best_number == result.best_number else None,
        )
    return table


def _interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:.4f}"
    return f"{estimate.mean:.4f} ± {(estimate.high - estimate.low) / 2:.4f}"


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


def print_frame(frame: pd.DataFrame, *, as_json: bool) -> None:
    """A table of results on stdout; as JSON a list with an object a row."""
    if as_json:
        print(frame.to_json(orient="records", force_ascii=False))
        return
    table = Table(box=None)
    for name in frame.columns:
        table.add_column(name, overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(str(cell)) for cell in row))  # a Text: brackets are no markup
    output().print(table)
