"""The report of a finished study: figures as files, and one page with all of them to play with."""

from __future__ import annotations

from pathlib import Path

from hpsearch.records.layout import Artifact
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.whole_files import write_whole
from hpsearch.reports.answer import Answer
from hpsearch.reports.chapters import chapters, made_charts
from hpsearch.reports.page.document import document
from hpsearch.reports.png_charts import Vector, draw_for_paper, draw_png, svg_of
from hpsearch.reports.study_charts import worth
from hpsearch.reports.study_charts.overview import overview
from hpsearch.reports.study_view import StudyView
from hpsearch.reports.tables import narrowing_table
from hpsearch.spreadsheets import csv_text


def write_report(folder: RunFolder, result: Result, *, light: bool = False) -> Path:
    """Write stages.csv, narrowing.csv, narrowing.json, expected_best.csv, incumbents.json,
    search.png, figures/ and report.html among the artifacts; returns the page.

    Args:
        light: the figures of the page are drawn, and cannot be played with.
    """
    view, files = StudyView.of(folder, result), folder.files
    stages = view.stage_table()
    files.artifact(Artifact.STAGES).write_text(csv_text(stages), encoding="utf-8")
    ranges = [row.as_dict() for row in view.ranges]
    narrowing = csv_text(narrowing_table(ranges))
    files.artifact(Artifact.NARROWING).write_text(narrowing, encoding="utf-8")
    folder.write_json(files.artifact(Artifact.NARROWING_JSON), ranges)
    best = csv_text(worth.best_table(view.best_curves))
    files.artifact(Artifact.EXPECTED_BEST).write_text(best, encoding="utf-8")
    bests = [one.as_dict() for one in view.incumbents]
    folder.write_json(files.artifact(Artifact.INCUMBENTS), bests)
    charts = made_charts(view)
    files.figures.mkdir(exist_ok=True)
    draw_png(files.artifact(Artifact.SEARCH_FIGURE), overview(view))
    drawn = {}
    for chart in (chart for of_question in charts.values() for chart in of_question):
        draw_png(files.figure(chart.name), chart)
        drawn[chart.name] = svg_of(chart)
    page = files.artifact(Artifact.REPORT)
    text = document(Answer.of(view), chapters(view, charts, stages), drawn, light=light)
    write_whole(page, text.encode())
    return page


def write_figures(folder: RunFolder, result: Result, form: Vector, width: float) -> list[Path]:
    """Write the report's figures for a paper, beside its PNG files; returns their paths.

    Args:
        width: in inches.
    """
    files, paths = folder.files, []
    files.figures.mkdir(exist_ok=True)
    for charts in made_charts(StudyView.of(folder, result)).values():
        for chart in charts:
            path = files.figure(chart.name, form)
            draw_for_paper(path, chart, width)
            paths.append(path)
    return paths
