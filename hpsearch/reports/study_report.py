"""The report of a finished study: figures as PNG, and one page with all of them to play with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hpsearch.analysis.best_order import texts
from hpsearch.records.estimate import Estimate
from hpsearch.records.layout import Artifact
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.whole_files import write_whole
from hpsearch.reports import case_charts, course_charts, front_charts, search_charts, worth_charts
from hpsearch.reports.ablation_chart import ablation, ablation_sections
from hpsearch.reports.charts import Chart
from hpsearch.reports.html_report import Section, claims_html, html_report, lines_html
from hpsearch.reports.methods.methods import Methods
from hpsearch.reports.png_charts import Vector, draw_for_paper, draw_png
from hpsearch.reports.study_view import StudyView
from hpsearch.reports.table_study import refit_charts, winner
from hpsearch.reports.table_study.card import card_sections
from hpsearch.reports.table_study.groups import group_sections
from hpsearch.reports.tables import (
    NARROWING_COLUMNS,
    front_table,
    narrowing_table,
    outer_table,
)
from hpsearch.spreadsheets import csv_text

CHARTS = (
    case_charts.cases,
    refit_charts.two_classes,
    refit_charts.one_versus_rest,
    refit_charts.residuals,
    winner.importance,
    ablation,
    front_charts.pareto_front,
    search_charts.history,
    worth_charts.expected_best,
    worth_charts.incumbents,
    course_charts.curves,
    search_charts.importance,
    search_charts.parallel,
    search_charts.slices,
    search_charts.contour,
    course_charts.funnel,
    search_charts.divergence,
    course_charts.timeline,
)
SHOWN_RANGES = [name for name in NARROWING_COLUMNS if name not in ("low", "high")]


def write_report(folder: RunFolder, result: Result) -> Path:
    """Write stages.csv, narrowing.csv, narrowing.json, expected_best.csv, incumbents.json,
    figures/ and report.html among the artifacts; returns the page."""
    view, files = StudyView.of(folder, result), folder.files
    stages = view.stage_table()
    files.artifact(Artifact.STAGES).write_text(csv_text(stages), encoding="utf-8")
    ranges = [row.as_dict() for row in view.ranges]
    narrowing = csv_text(narrowing_table(ranges))
    files.artifact(Artifact.NARROWING).write_text(narrowing, encoding="utf-8")
    folder.write_json(files.artifact(Artifact.NARROWING_JSON), ranges)
    best = csv_text(worth_charts.best_table(view.best_curves))
    files.artifact(Artifact.EXPECTED_BEST).write_text(best, encoding="utf-8")
    bests = [one.as_dict() for one in view.incumbents]
    folder.write_json(files.artifact(Artifact.INCUMBENTS), bests)
    charts = made_charts(view)
    files.figures.mkdir(exist_ok=True)
    for chart in charts:
        draw_png(files.figure(chart.name), chart)
    page = files.artifact(Artifact.REPORT)
    write_whole(page, html_report(view, charts, list(_sections(view, stages, ranges))).encode())
    return page


def write_figures(folder: RunFolder, result: Result, form: Vector, width: float) -> list[Path]:
    """Write the report's figures for a paper, beside its PNG files; returns their paths.

    Args:
        width: in inches.
    """
    files, paths = folder.files, []
    files.figures.mkdir(exist_ok=True)
    for chart in made_charts(StudyView.of(folder, result)):
        path = files.figure(chart.name, form)
        draw_for_paper(path, chart, width)
        paths.append(path)
    return paths


def made_charts(view: StudyView) -> list[Chart]:
    """All figures that a study has something for."""
    return [chart for make in CHARTS if (chart := make(view)) is not None]


def _answers(view: StudyView) -> Iterator[Section]:
    """What the study compared and was asked, from the files beside the report."""
    if view.result.outer is not None:
        about = (
            "The winner of the search on the rows outside each outer fold, tested on the fold's; "
            "gain: over the defaults. All else on this page is of the search on all rows."
        )
        yield "Outer folds", about, outer_table(view.result)
        agreed = [
            {"parameter": a.parameter, "agreement": a.text} for a in view.result.outer.agreement
        ]
        if agreed:
            about = "How far the outer folds' winners agree."
            yield "Agreement", about, pd.DataFrame(agreed)
    if view.result.arms:
        about = "Each by its own winner; means and 95 % intervals of the confirmation runs."
        yield "Compared", about, _compared(view.result)
    agreement = view.folder.read_json(view.folder.files.artifact(Artifact.AGREEMENT))
    if agreement:
        about = "How far the trials agree with a printed table; comparison.csv has every cell."
        yield "Printed table", about, pd.DataFrame(agreement)
    claims = view.folder.read_json(view.folder.files.artifact(Artifact.CLAIMS))
    if claims:
        about = "What the study was asked, and what each verdict rests on."
        yield "Claims", about, claims_html(claims, view.folder.artifacts)


def _compared(result: Result) -> pd.DataFrame:
    """A row an arm; arms.csv has every figure in a column of its own."""
    shown = {result.objective: "confirmed", result.test_name: result.test_name}
    rows = []
    for arm in result.arms:
        scores = {shown[result.objective]: arm.validation, **arm.test}
        rows.append(
            {**arm.values, "trial": arm.best_number}
            | {name: _short(scores[name]) for name in shown.values() if name in scores}
            | arm.searched
            | ({"failure": arm.failure} if arm.failure else {})
        )
    return pd.DataFrame(rows)


def _short(estimate: Estimate | None) -> str:
    if estimate is None or estimate.low is None or estimate.high is None:
        return "" if estimate is None else f"{estimate.mean:.4f}"
    return f"{estimate.mean:.4f} ({estimate.low:.4f} … {estimate.high:.4f})"


def _sections(
    view: StudyView, stages: pd.DataFrame, ranges: Sequence[dict[str, Any]]
) -> Iterator[Section]:
    result = view.result
    best = pd.DataFrame(
        [
            {
                "trial": entry["number"],
                "epochs": entry["epochs"],
                result.objective: entry["score"],
                "confirmed": entry.get("not_confirmed") or entry["confirmed"],
                **entry["params"],
            }
            for entry in result.top
        ]
    )
    if result.front:
        about = (
            "The configurations that no other one beats in everything, as confirmed; the winner "
            f"is the best in the first objective, {result.objective}."
        )
        yield "Pareto front", about, front_table(result)
    yield "Best trials", "By training length, then by score; trials.csv has all of them.", best
    yield from _answers(view)
    yield from ablation_sections(view)
    worth = texts(view.best_curves, result.objective, result.direction)
    worth += [one.text for one in view.incumbents]
    if worth:
        about = "What more trials brought; expected_best.csv has the curves of the figure."
        yield "What tuning is worth", about, lines_html(worth)
    yield "Stages", "Each stage trains longer than the one before; the best go on.", stages
    if result.fidelity:
        about = "Whether the order of trials after one stage is that after the next; 1: the same."
        yield "Fidelity", about, pd.DataFrame(result.fidelity).drop(columns="text")
    if ranges:
        about = (
            "Which trials set which range. Parts of the declared (log) range, or of probability: "
            "share is left, discarded and reopened are what the step took and gave back. Edges: "
            "declared ends that the best lie at."
        )
        yield "Narrowing", about, narrowing_table(ranges)[SHOWN_RANGES]
    yield from card_sections(view.folder)
    yield from winner.importance_sections(view)
    yield from group_sections(view.folder)
    written = view.folder.files.artifact(Artifact.CONFUSION)
    if written.exists():
        confusion = pd.read_csv(written)
        yield "Confusions on the test set", "Rows: true classes; a mean over refits.", confusion
    about = (
        "What a paper needs to say of this study; a pointer on a number shows its place in the "
        f"records. As Markdown or LaTeX: python -m hpsearch methods {result.study}"
    )
    yield "Methods", about, Methods.of(view.run, result).html()
