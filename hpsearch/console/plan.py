"""What a study asks for and will take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from hpsearch.console.output import output, print_named
from hpsearch.counts import count_of
from hpsearch.errors import conclusion

if TYPE_CHECKING:
    from hpsearch.api.plan import Explaining, Plan

SLOWED = 1.3  # times; more is worth saying


def print_plan(plan: Plan) -> None:
    """What a study asks for, on stdout, and what it will take."""
    out = output()
    table = Table(box=None)
    cut = any(part.cut for part in plan.phases)  # by the budget
    fewer = plan.has_fewer_rows
    names = ("phase", "runs", *("cut",) * cut, "promoted", "controls", "new", "epochs")
    for name in (*names, *("rows",) * fewer, "members", "member epochs"):
        table.add_column(name, justify="left" if name == "phase" else "right")
    for part in plan.phases:
        going_on = (part.promoted, part.controls)
        counts = (part.runs, *(part.cut,) * cut, *going_on, part.new, part.epochs)
        rows = (part.rows or "all",) * fewer
        shown = map(str, (*counts, *rows, part.members))
        table.add_row(part.name, *shown, f"{part.total_epochs:,}")
    out.print(table)
    lines = [(f"{name}:", what) for name, what in plan.searched.items()]
    lines += [("relations", ", ".join(plan.relations))] if plan.relations else []
    lines += [("outer folds", plan.outer)] if plan.outer else []
    lines += [
        (
            "total",
            f"{count_of(plan.total_epochs, 'epoch', form=',')}, summed over folds and seeds; "
            "resumed epochs count once",
        )
    ]
    lines += [("budget", text) for text in plan.budget]
    lines += [("warning", text) for text in plan.small_spaces]
    if plan.probe and plan.seconds and plan.disk:
        time, disk, n = plan.seconds, plan.disk, len(plan.probe.costs)
        lines += [
            (
                "time",
                f"{_duration(time.expected)} ({_duration(time.low)} … "
                f"{_duration(time.high)}) with {count_of(plan.workers, 'worker')}",
            ),
            (
                "disk",
                f"{_size(disk.expected)} ({_size(disk.low)} … {_size(disk.high)}), plus up to "
                f"{_size(plan.peak_disk)} of states while it runs",
            ),
            (
                "probe",
                f"{count_of(n, 'random trial')}, {count_of(plan.probe.epochs, 'epoch')} each, "
                f"{plan.probe.seconds:.1f} s"
                + f", on a machine that was {plan.probe.slowdown:.1f} times slower than when idle"
                * (plan.probe.slowdown > SLOWED),
            ),
        ]
        failed = [cost.failed for cost in plan.probe.costs if cost.failed]
        if failed:
            why = conclusion(failed[-1])
            lines.append(("warning", f"{len(failed)} of the {count_of(n, 'trial')} failed: {why}"))
    if plan.explaining is not None:
        lines.append(("afterwards", _explaining(plan.explaining)))
    print_named(lines)


def _explaining(one: Explaining) -> str:
    took = "" if one.seconds is None else f", about {_duration(one.seconds)}"
    return (
        f"explain takes at most {count_of(one.trainings, 'training', form=',')} of "
        f"{count_of(one.epochs, 'epoch', form=',')}{took}; "
        "--trainings sets fewer"
    )


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
