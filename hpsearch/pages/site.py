"""Our pages: which address shows what.

All are GET and change nothing. "/" stays MLflow's, whose own pages are /#/experiments and
so on: a server never sees what stands behind the "#".
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, request, send_file, send_from_directory

from hpsearch.errors import HpsearchError
from hpsearch.pages.board import Board
from hpsearch.pages.planned_runs import batch_rows, scheduler
from hpsearch.pages.rendering import (
    STATIC,
    Head,
    RenderedRows,
    compile_templates,
    forward_html,
    headline,
    message_html,
    page_html,
    parts_html,
)
from hpsearch.pages.ways import STUDIES, view_page, ways_on
from hpsearch.records.layout import Artifact, Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.study_names import from_file_name
from hpsearch.tracking.views import View

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

# Nothing foreign, and nothing inline: what a template forgot to escape would not run either.
OURS = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# The report's own scripts run, Plotly's compiled ones too, but apart from this server ("sandbox"
# without allow-same-origin): they read nothing of it and send nothing anywhere.
OF_REPORT = (
    "sandbox allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation; default-src 'none'; "
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
FIRST_SECONDS = 0.1  # that studies are read for while somebody looks at nothing


def pages(home: Home, soon: Sequence[str] = ()) -> Blueprint:
    """Our pages on a home.

    Args:
        soon: addresses of files that the links of the start page need.
    """
    made = Blueprint("hpsearch", __name__)
    site = _Site(home, soon)
    routes: tuple[tuple[str, Callable[..., AnyResponse]], ...] = (
        (STUDIES, site.start),
        (f"{STUDIES}/news", site.news),
        (f"{STUDIES}/static/<name>", site.static),
        (f"{STUDIES}/<study>/<int:run>/report.html", site.report),
        ("/s/<study>", site.view),
        ("/s/<study>/<int:run>", site.view),
        ("/s/<study>/<int:run>/<view>", site.view),
    )
    for number, (rule, view) in enumerate(routes):
        made.add_url_rule(rule, f"page{number}", view, methods=["GET"])
    return made


class _Site:
    def __init__(self, home: Home, soon: Sequence[str]) -> None:
        self.home, self.boot, self.soon = home, uuid.uuid4().hex[:8], soon
        self.rows = RenderedRows()
        compile_templates()
        self.board = Board(home, partial(ways_on, home))

    def start(self) -> AnyResponse:
        """The start page, or with ?study=NAME all runs of one study."""
        study = request.args.get("study")
        look = self.board.look(study, seconds=FIRST_SECONDS)
        head = Head(str(self.home.path), study, self.boot, self.soon)
        now = datetime.now(UTC)
        batches, schedules = batch_rows(self.home), scheduler(self.home, now)
        return _page(page_html(head, look, batches, schedules, self.rows))

    def news(self) -> AnyResponse:
        """What changed on the start page since a revision of it, as JSON."""
        study = request.args.get("study")
        known = request.args.get("since", type=int)
        if known is None or request.args.get("boot") != self.boot:
            known = -1
        look = self.board.look(study)
        parts = parts_html(batch_rows(self.home), scheduler(self.home, datetime.now(UTC)))
        digest = hashlib.sha256(parts.encode()).hexdigest()[:16]
        said = {
            "boot": self.boot,
            "revision": look.revision,
            "headline": headline(look, study),
            "unread": look.unread,
            "running": sum(one.row.state == "running" for one in look.rows),
            "parts": digest,
        }
        if look.revision != known:
            said["order"] = [one.row.key for one in look.rows]
            said["rows"] = {
                one.row.key: self.rows(one.row) for one in look.rows if one.revision > known
            }
        if digest != request.args.get("parts"):
            said["parts_html"] = parts
        return _guarded(Response(json.dumps(said), mimetype="application/json"), OURS)

    def static(self, name: str) -> AnyResponse:
        """The stylesheet and the script."""
        return _guarded(send_from_directory(STATIC, name, max_age=0), OURS)

    def report(self, study: str, run: int) -> AnyResponse:
        """A run's report.html."""
        name = from_file_name(study)
        folder = self.board.run(name, run)
        path = None if folder is None else _inside(folder, Artifact.REPORT)
        if path is None:
            return _missing(f"{name}/{run} has no report: python -m hpsearch report writes one.")
        return _guarded(send_file(path, mimetype="text/html", max_age=0), OF_REPORT)

    def view(self, study: str, run: int | None = None, view: str = View.TRIALS) -> AnyResponse:
        """To a page of a run in MLflow; the trials, best first, where none is named."""
        name = from_file_name(study)
        folder = self.board.run(name, run)
        row = None if folder is None else self.board.row(folder)
        if folder is None or row is None:
            return _missing(f"There is no study {name!r}.")
        try:
            address = view_page(self.home, folder, row, view)
        except HpsearchError as error:  # a damaged file
            return _missing(f"{error}.")
        if not address:
            return _missing(f"MLflow has no such page for {name!r} yet.")
        own = address.startswith("/")
        return _page(forward_html(address)) if own else redirect(address)


def _inside(folder: RunFolder, which: Artifact) -> Path | None:
    """An artifact of a run that is a file of its own folder; None where it is none."""
    path, top = folder.files.artifact(which), folder.path.resolve()
    try:
        whole = path.resolve(strict=True)  # a link may lead anywhere
    except OSError:
        return None
    return whole if whole.is_file() and whole == top / path.relative_to(folder.path) else None


def _page(html: str) -> AnyResponse:
    return _guarded(Response(html, mimetype="text/html"), OURS)


def _missing(text: str) -> AnyResponse:
    page = _page(message_html("Not there", text))
    page.status_code = 404
    return page


def _guarded(response: AnyResponse, policy: str) -> AnyResponse:
    response.headers["Content-Security-Policy"] = policy
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-cache"
    return response
