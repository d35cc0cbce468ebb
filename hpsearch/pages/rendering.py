"""From what is known to HTML. Everything that comes from outside is escaped by the templates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hpsearch.counts import count_of
from hpsearch.pages import wording
from hpsearch.pages.board import Look
from hpsearch.pages.planned_runs import BatchRow, Scheduler
from hpsearch.pages.study_row import StudyRow
from hpsearch.pages.ways import STUDIES
from hpsearch.records.outcome import Outcome
from hpsearch.tracking.links import short_address

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")
SYMBOLS = {  # beside the word, for those who don't see the colour
    "reading": "…",
    "running": "▶",
    "interrupted": "‖",
    "finished": "✓",
    "failed": "✕",
    "unreadable": "?",
}
BAD = (Outcome.FAILED, Outcome.DIVERGED)


@dataclass(frozen=True)
class Head:
    """What stands above the tables.

    Attributes:
        home: the folder of stores.
        study: of which all runs are shown; None: the newest run of every study.
        boot: which start of the server this is.
        soon: addresses of files that whoever follows a link will need.
    """

    home: str
    study: str | None
    boot: str
    soon: Sequence[str] = ()


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["clock"] = wording.clock
    made.filters["counted"] = count_of
    made.filters["score"] = wording.score
    made.globals.update(
        symbols=SYMBOLS, bad=BAD, short_address=short_address, studies=STUDIES, headline=headline
    )
    return made


def compile_templates() -> None:
    """Do before the first page what would make it wait."""
    for path in TEMPLATES.iterdir():
        _environment().get_template(path.name)


def headline(look: Look, study: str | None = None) -> str:
    """How many studies there are, or runs of one, and how many of them run."""
    states = [one.row.state for one in look.rows]
    n, running = len(states), states.count("running")
    parts = [count_of(n, "study", "studies") if study is None else count_of(n, "run")]
    parts += [f"{running} running"] if running else []
    parts += [f"{look.unread} being read"] if look.unread else []
    return ", ".join(parts)


def row_html(row: StudyRow) -> str:
    """The row of one run."""
    return _environment().get_template("row.html").render(row=row)


class RenderedRows:
    """The HTML of rows, made once as long as they don't change."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[StudyRow, str]] = {}

    def __call__(self, row: StudyRow) -> str:
        known = self._known.get(row.key)
        if known is None or known[0] is not row:
            known = self._known[row.key] = (row, row_html(row))
        return known[1]


def page_html(
    head: Head,
    look: Look,
    batches: Sequence[BatchRow],
    schedules: Scheduler,
    of_row: Callable[[StudyRow], str],
) -> str:
    """The whole start page.

    Args:
        of_row: gives the HTML of a row: `row_html`, or what remembers it.
    """
    rows = {one.row.key: of_row(one.row) for one in look.rows}
    return (
        _environment()
        .get_template("studies.html")
        .render(head=head, look=look, rows=rows, parts=parts_html(batches, schedules))
    )


def parts_html(batches: Sequence[BatchRow], schedules: Scheduler) -> str:
    """The tables of batches and schedules; "" where there are none."""
    return _environment().get_template("parts.html").render(batches=batches, schedules=schedules)


def forward_html(address: str) -> str:
    """A page that sets how MLflow's pages open in this browser, and goes on to one of them."""
    return _environment().get_template("forward.html").render(address=address)


def message_html(title: str, text: str) -> str:
    """A page with one sentence."""
    return _environment().get_template("message.html").render(title=title, text=text)
