"""What stands on the start page, and that all of it is text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from hpsearch.pages.board import Look, Shown
from hpsearch.pages.planned_runs import BatchRow, Scheduler, ScheduleRow
from hpsearch.pages.rendering import (
    Head,
    forward_html,
    headline,
    message_html,
    page_html,
    parts_html,
    row_html,
)
from hpsearch.pages.study_row import Link, Score, StudyRow
from hpsearch.records.outcome import Outcome
from hpsearch.scheduler.batch_report import StudyRow as BatchStudy

EVIL = "<img src=x onerror=alert(1)>\"'&</td><script>alert(2)</script>"
WHEN = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
NO_SCHEDULES = Scheduler((), "", runs=False)
FINISHED = StudyRow(
    "small",
    1,
    "finished",
    WHEN,
    trials=21,
    planned=21,
    counts={Outcome.COMPLETE: 12, Outcome.DIVERGED: 9},
    metric="validation_accuracy",
    best=Score("0.9560", "0.9227 … 0.9893", "over 5 fresh splits"),
    best_trial=17,
    test=Score("0.9192", "", "test_accuracy"),
    warnings=("budget.epochs ended the search",),
    links=(Link("Trials", "/s/small/1/trials"), Link("Report", "/studies/small/1/report.html")),
)
LOOK = Look(1, [Shown(FINISHED, 1)], 0)


class Text(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", self.text)

    def links(self) -> list[str | None]:
        return [about["href"] for tag, about in self.tags if tag == "a"]


def test_a_finished_study_has_its_scores_counts_and_ways_on() -> None:
    row = Text(row_html(FINISHED))
    for text in ("small", "finished", "0.9560", "0.9227 … 0.9893", "over 5 fresh splits"):
        assert text in row.words
    assert "12 complete" in row.words
    assert "9 diverged" in row.words
    assert "1 warning" in row.words
    assert "budget.epochs ended the search" in row.words
    assert row.links() == ["/s/small/1/trials", *(link.address for link in FINISHED.links)]
    names = [about.get("aria-label") for tag, about in row.tags if tag == "a"]
    assert names[1:] == ["Trials of small", "Report of small"]  # alone they say what they open
    assert not any(tag == "progress" for tag, _ in row.tags)


def test_a_running_study_says_how_far_it_is() -> None:
    html = row_html(
        StudyRow(
            "small", 2, "running", WHEN, earlier=1, stage="stage 2 of 3", trials=14, planned=20,
            left="about 3 min left",
        )
    )  # fmt: skip
    row = Text(html)
    assert "small/2" in row.words
    assert "14 of 20 trials" in row.words
    assert "stage 2 of 3" in row.words
    assert "about 3 min left" in row.words
    (bar,) = [about for tag, about in row.tags if tag == "progress"]
    assert (bar["max"], bar["value"]) == ("20", "14")
    assert "/studies?study=small" in row.links()  # to both runs


@pytest.mark.parametrize("state", ["failed", "unreadable"])
def test_what_went_wrong_is_said(state: str) -> None:
    row = StudyRow("small", 1, state, WHEN, reason="no luck")  # type: ignore[arg-type]
    assert "no luck" in Text(row_html(row)).words


def test_html_from_anywhere_is_text() -> None:
    study = StudyRow(
        EVIL,
        1,
        "failed",
        WHEN,
        earlier=1,
        stage=EVIL,
        trials=1,
        planned=2,
        left=EVIL,
        metric=EVIL,
        best=Score(EVIL, EVIL, EVIL),
        test=Score(EVIL, EVIL, EVIL),
        warnings=(EVIL, EVIL),
        reason=EVIL,
        links=(Link(EVIL, "/s/x"),),
    )
    result = BatchStudy(EVIL, "failed", EVIL, EVIL, 0.5)
    schedule = ScheduleRow(EVIL, EVIL, EVIL, [WHEN], "waits", EVIL, WHEN, True, EVIL)
    look = Look(1, [Shown(study, 1)], 0)
    batches = [BatchRow(EVIL, EVIL, WHEN, [result], True)]
    page = Text(
        page_html(
            Head(EVIL, EVIL, "boot"),
            look,
            batches,
            Scheduler([schedule], EVIL, True, [EVIL]),
            row_html,
        )
    )
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert [about for tag, about in page.tags if tag == "script"] == [
        {"src": f"/studies/static/{name}.js", "defer": None} for name in ("settings", "studies")
    ]
    assert not [name for _, about in page.tags for name in about if name.startswith("on")]
    assert page.text.count(EVIL) > 15
    assert not [tag for tag, _ in Text(message_html(EVIL, EVIL)).tags if tag in ("img", "script")]
    forward = Text(forward_html(f"/{EVIL}"))
    assert not [tag for tag, _ in forward.tags if tag == "img"]
    assert [about["href"] for tag, about in forward.tags if tag == "a"] == [f"/{EVIL}"]


def test_the_table_has_a_caption_and_names_its_rows_and_columns() -> None:
    page = Text(
        page_html(
            Head("/h", None, "b"), Look(1, [Shown(FINISHED, 1)], 0), [], NO_SCHEDULES, row_html
        )
    )
    heads = [about["scope"] for tag, about in page.tags if tag == "th"]
    assert heads == ["col"] * 8 + ["row"]
    tags = [tag for tag, _ in page.tags]
    assert tags.index("caption") == tags.index("table") + 1
    assert page.links()[0] == "#studies"  # past the head
    assert "Schedules" not in page.text
    assert "Batches" not in page.text


def test_the_head_counts() -> None:
    running = Shown(StudyRow("a", 1, "running"), 1)
    unread = Shown(StudyRow("b", 1, "reading"), 1)
    assert headline(Look(1, [Shown(FINISHED, 1)], 0)) == "1 study"
    assert headline(Look(1, [running, unread], 1)) == "2 studies, 1 running, 1 being read"


def test_schedules_and_batches_say_what_comes_and_what_came() -> None:
    schedule = ScheduleRow(
        "night", "/s/night.toml", "cron 0 2 * * *", [WHEN], "", "night: 2 finished", WHEN, False
    )
    batch = BatchRow(
        "night", "night: 1 failed", WHEN, [BatchStudy("a", "failed", "no luck")], True
    )
    scheduler = Scheduler([schedule], "The scheduler is running (process 7).", True)
    parts = Text(parts_html([batch], scheduler))
    for text in ("cron 0 2 * * *", "process 7", "night: 2 finished", "a: failed, no luck"):
        assert text in parts.words
    times = [about["datetime"] for tag, about in parts.tags if tag == "time"]
    assert times == [WHEN.isoformat()] * 3


def test_a_traceback_is_folded_behind_its_end() -> None:
    reason = (
        "10 trials in a row failed, trial 9 with:\nTraceback (most recent call last):\n"
        '  File "a.py", line 2\n    raise OSError\nOSError: no luck\n\nOf all trials:\n10 failed'
    )
    row = StudyRow("small", 1, "failed", WHEN, reason=reason)
    assert row.short_reason == "10 trials in a row failed, trial 9 with: OSError: no luck"
    assert reason in Text(row_html(row)).text
    assert len(StudyRow("small", 1, "failed", reason="x" * 999).short_reason) == 240
