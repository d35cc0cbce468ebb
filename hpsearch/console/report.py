"""A finished study: trials, ranges, winner, test, claims, link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpsearch.console.output import output, print_named
from hpsearch.console.tables import (
    arms_table,
    front_table,
    outer_table,
    ranges_table,
    trials_table,
)

if TYPE_CHECKING:
    from hpsearch import Report
    from hpsearch.records.result import Result


def print_report(report: Report) -> None:
    """A finished study on stdout: trials, ranges, winner, test, link."""
    out = output()
    result = report.result
    out.print(trials_table(result))
    if result.front:
        out.print(front_table(result))
    ranges = ranges_table(result)
    if ranges.row_count:
        out.print(ranges)
    if result.arms:
        out.print(arms_table(result))
    if result.outer is not None:
        out.print(outer_table(result))
    counts = ", ".join(f"{n} {outcome}" for outcome, n in result.counts.items())
    params = ", ".join(f"{k} = {v}" for k, v in result.searched.items())
    lines = [
        (
            "study",
            f"{result.study}: {counts}"
            + ("" if report.ran else " (finished before; nothing was run)"),
        ),
        *(("", failure.text) for failure in report.failures),
        ("winner", f"trial {result.best_number}: {params}"),
        (result.objective, f"{result.validation} on validation data"),
    ]
    lines += [("", f"misses {missed}") for missed in result.unmet]
    lines += [("fidelity", text) for text in result.fidelity_texts]
    lines += [("WARNING", alarm) for alarm in result.alarms]
    lines += [("WARNING", text) for text in (*report.overtuning, *report.code_warnings)]
    lines += [("program", text) for text in report.repeats]
    if result.tried_text:
        lines.append(("", result.tried_text))
    if result.ended:
        lines.append(("", f"ended early by {result.ended}"))
    if result.optimistic:
        lines.append(("", f"optimistic: {result.optimistic}"))
    lines += [
        (name, f"{estimate} on the test set" + (_uses(result) if "loss" not in name else ""))
        for name, estimate in result.test.items()
        if "/" not in name  # each class's accuracy is in confusion.csv
    ]
    lines += [*result.outer_lines, *result.comparisons]
    if result.saw_test:
        lines.append(("WARNING", f"optimistic test scores: {result.saw_test}"))
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
    print_named(lines)


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
