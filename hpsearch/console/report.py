"""A finished study: winner, test, trials, ranges, claims, warnings, addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hpsearch.console.output import output, print_named, print_table
from hpsearch.console.tables import (
    arms_table,
    front_table,
    outer_table,
    ranges_table,
    trials_table,
)
from hpsearch.counts import count_of
from hpsearch.value_texts import value_text

if TYPE_CHECKING:
    from hpsearch import Report
    from hpsearch.records.result import Result


Named = tuple[str, str]
RETRY = "correct the cause and run the study again with --accept-code"
RETEST = f"{RETRY}; only the failed refits are run again"


def print_report(report: Report) -> None:
    """A finished study on stdout: the winner and its test, tables, what they rest on, warnings,
    and where to look on."""
    result, out = report.result, output()
    print_named(_winner(report))
    print_named([*result.outer_lines, *result.comparisons])
    tables = [trials_table(result)]
    tables += [front_table(result)] if result.front else []
    tables += [ranges] if (ranges := ranges_table(result)).row_count else []
    tables += [arms_table(result)] if result.arms else []
    tables += [outer_table(result)] if result.outer is not None else []
    for table in tables:
        out.print()
        print_table(table)
    out.print()
    print_named(_grounds(report))
    print_named((("WARNING", text) for text in _warnings(report)), style="bold yellow")
    print_named(_places(report))


def _winner(report: Report) -> Iterator[Named]:
    result = report.result
    counts = ", ".join(f"{n} {outcome}" for outcome, n in result.counts.items())
    before = "" if report.ran else " (already finished; nothing was run)"
    yield "study", f"{result.study}: {counts}{before}"
    params = ", ".join(f"{k} = {value_text(v)}" for k, v in result.searched.items())
    yield "winner", f"trial {result.best_number}: {params}"
    yield result.objective, f"{result.validation} on validation data"
    for name, estimate in result.test.items():
        if "/" not in name:  # each class's accuracy is in confusion.csv
            uses = _uses(result) if "loss" not in name else ""
            yield name, f"{estimate} on the test set{uses}"
    if result.untested:
        yield "", f"not tested: {result.untested}"
    if report.failed_refits:
        yield "", RETEST


def _grounds(report: Report) -> Iterator[Named]:
    """What the result rests on, and what the study was asked."""
    result = report.result
    yield from (("", failure.text) for failure in report.failures)
    if not result.arms:
        sound = (one["text"] for one in result.fidelity if one["predicts"] is not False)
        yield from (("fidelity", text) for text in sound)
    yield from (("program", text) for text in report.repeats)
    if result.tried_text:
        yield "", result.tried_text
    if result.ended:
        yield "", result.ended_text
    yield from (("table", _agreement(group)) for group in report.answers.agreement)
    for claim in report.answers.claims:
        yield "claim", f"{claim['text']}: {claim['verdict'].upper()}"
        yield "", claim["detail"]


def _warnings(report: Report) -> Iterator[str]:
    yield from (*report.result.warnings, *report.overtuning, *report.code_warnings)
    yield from report.library_warnings
    if report.model_problem:
        retry = f"; {RETRY}" if report.model_failed else ""
        yield f"the model for new rows has not seen the test rows: {report.model_problem}{retry}"


def _places(report: Report) -> Iterator[Named]:
    """Where to look on; addresses come last, one a line."""
    yield "artifacts", report.result.folder
    if report.missing:
        yield "", f"MLflow does not have everything yet: {report.missing}"
        yield (
            "",
            "the records are kept; the same command sends the rest, or python -m hpsearch sync",
        )
    if report.link and report.ui:
        yield "MLflow", f"{report.ui}, then"
    if report.link:
        yield "" if report.ui else "MLflow", report.link


def _agreement(group: dict[str, Any]) -> str:
    name = f"{group['cells']}: " if group["cells"] else ""
    return (
        f"{name}{group['equal']} of {count_of(group['n'], 'cell')} equal the printed ones, "
        f"{group['within_one_image']} are within one image; mean difference "
        f"{group['mean_absolute_difference']:.4f}"
    )


def _uses(result: Result) -> str:
    once = result.test_uses == 1 and not result.chapters
    return ", used once" if once else f", used for {result.uses_text}"
