"""The report of a finished study: figures as PNG, and one page with all of them to play with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from hpsearch.reports import course_charts, front_charts, search_charts
from hpsearch.reports.confusion import CONFUSION
from hpsearch.reports.html_report import html_report
from hpsearch.reports.png_charts import draw_png
from hpsearch.reports.study_view import StudyView
from hpsearch.reports.tables import AGREEMENT, ARMS, CLAIMS, front_table
from hpsearch.search.result import Result
from hpsearch.tracking.record import RunFolder, write_whole

REPORT = "report.html"
FIGURES = "figures"
CHARTS = (
    front_charts.pareto_front,
    search_charts.history,
    course_charts.curves,
    search_charts.importance,
    search_charts.parallel,
    search_charts.slices,
    search_charts.contour,
    course_charts.funnel,
    search_charts.divergence,
    course_charts.timeline,
)
SHOWN_RANGES = ("stage", "parameter", "branch", "declared", "before", "now", "share", "survivors")


def write_report(folder: RunFolder, result: Result) -> Path:
    """Write stages.csv, figures/ and report.html among the artifacts; returns the page."""
    view = StudyView.of(folder, result)
    stages = view.stage_table()
    stages.to_csv(folder.artifacts / "stages.csv", index=False)
    charts = [chart for make in CHARTS if (chart := make(view)) is not None]
    figures = folder.artifacts / FIGURES
    figures.mkdir(exist_ok=True)
    for chart in charts:
        draw_png(figures / f"{chart.name}.png", chart)
    page = folder.artifacts / REPORT
    write_whole(page, html_report(view, charts, list(_tables(view, stages))).encode())
    return page


def _answers(view: StudyView) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """What the study compared and was asked, from the files beside the report."""
    arms = view.folder.artifacts / ARMS
    if view.result.arms and arms.exists():
        yield "Compared", "Each by its own winner; intervals over fresh seeds.", pd.read_csv(arms)
    agreement = view.folder.read_json(f"{view.folder.artifacts.name}/{AGREEMENT}")
    if agreement:
        about = "How far the trials agree with a printed table; comparison.csv has every cell."
        yield "Printed table", about, pd.DataFrame(agreement)
    claims = view.folder.read_json(f"{view.folder.artifacts.name}/{CLAIMS}")
    if claims:
        shown = pd.DataFrame(claims)[["text", "verdict", "detail"]]
        yield "Claims", "What the study was asked, and the figures of each verdict.", shown


def _tables(view: StudyView, stages: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    result = view.result
    best = pd.DataFrame(
        [
            {
                "trial": entry["number"],
                "epochs": entry["epochs"],
                result.objective: entry["score"],
                "fresh seeds": entry["confirmed"],
                **entry["params"],
            }
            for entry in result.top
        ]
    )
    if result.front:
        about = (
            "The configurations that no other one beats in everything on fresh seeds; the winner "
            f"is the best in the first objective, {result.objective}."
        )
        yield "Pareto front", about, front_table(result)
    yield "Best trials", "By training length, then by score; trials.csv has all of them.", best
    yield from _answers(view)
    yield "Stages", "Each stage trains longer than the one before; the best go on.", stages
    ranges = [row for stage in view.stages for row in stage["ranges"]]
    if ranges:
        table = pd.DataFrame(ranges)[list(SHOWN_RANGES)]
        table["stage"] += 1
        table["survivors"] = table["survivors"].map(lambda found: " ".join(map(str, found)))
        yield "Narrowing", "Which trials set which range; the mass left is in share.", table
    written = view.folder.artifacts / CONFUSION
    if written.exists():
        confusion = pd.read_csv(written)
        yield "Confusions on the test set", "Rows: true classes; a mean over refits.", confusion
