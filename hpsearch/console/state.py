"""How far studies are, what was verified of one, and how a batch went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from hpsearch.console.output import output, print_named
from hpsearch.counts import count_of
from hpsearch.records.outcome import Outcome

if TYPE_CHECKING:
    from hpsearch import BatchReport
    from hpsearch.api.verify import Verification


def print_status(rows: Sequence[Mapping[str, Any]]) -> None:
    """The state of studies on stdout, a line each; who runs them and why they failed below."""
    out = output()
    table = Table(box=None)
    for name in ("study", "state", "stage", "trials", "outcomes", "best"):
        table.add_column(name, overflow="fold")
    for row in rows:
        counts = {outcome: row[outcome] for outcome in Outcome}
        table.add_row(
            _run(row),
            row["state"],
            f"{row['stage']}/{row['stages']}",
            f"{row['trials']}/{row['planned']}" + (f" ({row['ended']})" if row["ended"] else ""),
            ", ".join(f"{n} {outcome}" for outcome, n in counts.items() if n),
            _best(row),
        )
    out.print(table)
    for row in rows:
        for text in filter(None, (row["holder"], *row["failures"], row["reason"])):
            out.print(f"{_run(row)}: {text}", soft_wrap=True)


def _run(row: Mapping[str, Any]) -> str:
    return str(row["study"]) if row["run"] == 1 else f"{row['study']}/{row['run']}"


def _best(row: Mapping[str, Any]) -> str:
    """The best score so far, with where it was reached; "" as long as there is none."""
    if not isinstance(row["best"], float):
        return ""
    where = f"at {count_of(row['best_epochs'], 'epoch')}, trial {row['best_trial']}"
    return f"{row['metric']} {row['best']:.4f} {where}"


def print_verification(found: Verification) -> None:
    """What was checked, on stdout, and what differs."""
    from hpsearch.audit.reproduction import pauses_text

    replay = found.replay
    draws = count_of(replay.draws, "configuration")
    ends = count_of(replay.decisions, "end of a stage", "ends of stages")
    lines = [
        ("data", f"digests of {count_of(found.records, 'record')}"),
        (
            "draws",
            f"{draws} from the study file, the seed and the results"
            + f", within {replay.tolerance:g} on another machine" * bool(replay.tolerance),
        ),
        ("scores", f"{replay.scores} from their curves"),
        ("decisions", ends + ", the result" * replay.result),
    ]
    for one in found.again:
        how = "bit for bit" if one.exact else f"within {one.tolerance:g} on another machine"
        compared = f"{count_of(one.values, 'value')} and {count_of(one.states, 'state')}"
        what = f"{one.outcome} after {count_of(one.epochs, 'epoch')}, trained again"
        lines.append((f"trial {one.trial}", f"{what}, {compared} compared {how}"))
        if one.pauses:
            lines.append(("", pauses_text(one)))
    n = len(found.problems)
    lines.append(("", count_of(n, "difference") if n else "equal"))
    lines += [("differs", problem) for problem in found.problems]
    print_named(lines)


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
            out.print(f"{row.study}: {row.reason}", soft_wrap=True)
    retention = [f"retention: {report.retention}"] if report.retention else []
    for line in (*retention, report.line):
        out.print(line, soft_wrap=True)
