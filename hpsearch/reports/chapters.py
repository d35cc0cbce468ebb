"""The questions that a report answers, each with its figures, tables and texts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from hpsearch.analysis.best_order import texts
from hpsearch.records.estimate import Estimate
from hpsearch.records.layout import Artifact
from hpsearch.records.range_row import branch_text
from hpsearch.records.result import Result
from hpsearch.reports.charts import Chart
from hpsearch.reports.methods.methods import Methods
from hpsearch.reports.sections import Chapter, Section, claims_html, image_html, lines_html
from hpsearch.reports.study_charts import cases, course, front, search, worth
from hpsearch.reports.study_charts.ablation import ablation, ablation_sections
from hpsearch.reports.study_charts.confirmed import confirmed
from hpsearch.reports.study_view import StudyView
from hpsearch.reports.table_study import refit_charts, winner
from hpsearch.reports.table_study.card import card_sections
from hpsearch.reports.table_study.groups import group_sections
from hpsearch.reports.tables import (
    NARROWING_COLUMNS,
    front_table,
    narrowing_table,
    outer_table,
    trials_table,
)
from hpsearch.study.stages import best_first

Make = Callable[[StudyView], Chart | None]
# The figures of each question, in the order in which they are shown.
COMPARED, PROCEEDED = "What was compared?", "How did the search proceed?"
MATTERS, SOUND = "What matters?", "Is it sound?"
WINNER, TIME, DETAILS = "What does the winner do?", "Where did the time go?", "Details"
CHARTS: Mapping[str, Sequence[Make]] = {
    COMPARED: (cases.cases, front.pareto_front),
    PROCEEDED: (search.history, course.curves, worth.expected_best),
    MATTERS: (
        search.importance,
        ablation,
        search.slices,
        search.contour,
        search.parallel,
        search.divergence,
    ),
    SOUND: (confirmed, worth.incumbents),
    WINNER: (
        refit_charts.two_classes,
        refit_charts.one_versus_rest,
        refit_charts.residuals,
        winner.importance,
    ),
    TIME: (course.timeline,),
    DETAILS: (course.funnel,),
}
MOST_TRIALS = 200  # in the table of all
FOLDED = ("slices", "parallel_coordinates", "narrowing", "expected_best", "contour")
SHOWN_RANGES = [name for name in NARROWING_COLUMNS if name not in ("low", "high")]


def made_charts(view: StudyView) -> dict[str, list[Chart]]:
    """All figures that a study has something for, by the question."""
    return {
        question: [chart for make in makes if (chart := make(view)) is not None]
        for question, makes in CHARTS.items()
    }


def chapters(
    view: StudyView, charts: Mapping[str, Sequence[Chart]], stages: pd.DataFrame
) -> list[Chapter]:
    """The questions that the study has something for.

    Args:
        stages: what each stage did.
    """
    sections: dict[str, Callable[[StudyView], Iterable[Section]]] = {
        COMPARED: _compared,
        SOUND: _sound,
        PROCEEDED: lambda view: _proceeded(view, stages),
        MATTERS: ablation_sections,
        WINNER: _winner,
        DETAILS: _details,
    }
    found = []
    for question, drawn in charts.items():
        shown = [Section(c.title, c.what, c, folded=c.name in FOLDED) for c in drawn]
        if question in sections:
            shown += sections[question](view)
        # What is seen at once comes before what has to be opened.
        shown.sort(key=lambda section: section.folded)
        if shown:
            found.append(Chapter(question, shown))
    return found


def _compared(view: StudyView) -> Iterator[Section]:
    """What the study compared and was asked, from the files beside the report."""
    result, files = view.result, view.folder.files
    if result.arms:
        about = (
            "Each case is represented by its winner; means and 95 % intervals of the confirmation "
            "runs."
        )
        yield Section("Cases", about, _arms(result))
    if result.front:
        about = (
            "The confirmed configurations that no other one beats in every objective; the winner "
            f"is the best in the first objective, {result.objective}."
        )
        yield Section("Pareto front", about, front_table(result))
    for artifact, heading, about in (
        (Artifact.CASES_FIGURE, "Scores and curves of the cases", "Each case's winner."),
        (
            Artifact.PREDICTIONS_FIGURE,
            "Predictions",
            "The predictions of each case for the first test images.",
        ),
    ):
        path = files.artifact(artifact)
        if path.exists():
            yield Section(heading, about, image_html(path, heading), folded=True)
    agreement = view.folder.read_json(files.artifact(Artifact.AGREEMENT))
    if agreement:
        about = "Agreement of the trials with a printed table."
        yield Section("Printed table", about, pd.DataFrame(agreement))
        cells = files.artifact(Artifact.COMPARISON)
        if cells.exists():
            table = pd.read_csv(cells).dropna(axis="columns", how="all")
            yield Section(
                "Every printed cell",
                "The study's scores beside the printed ones.",
                table,
                folded=True,
            )
    claims = view.folder.read_json(files.artifact(Artifact.CLAIMS))
    if claims:
        about = "The claims of the study, and the numbers behind each verdict."
        yield Section("Claims", about, claims_html(claims, view.folder.artifacts))


def _arms(result: Result) -> pd.DataFrame:
    """A row an arm; arms.csv has every figure in a column of its own."""
    rows = []
    for arm in result.arms:
        row: dict[str, Any] = {**arm.values, "trial": arm.best_number}
        row["confirmed"] = _short(arm.validation)
        if (tested := arm.test.get(result.test_name)) is not None:
            row[result.test_name] = _short(tested)
        rows.append(row | arm.searched | ({"failure": arm.failure} if arm.failure else {}))
    return pd.DataFrame(rows)


def _short(estimate: Estimate | None) -> str:
    if estimate is None or estimate.low is None or estimate.high is None:
        return "" if estimate is None else f"{estimate.mean:.4f}"
    return f"{estimate.mean:.4f} ({estimate.low:.4f} … {estimate.high:.4f})"


def _proceeded(view: StudyView, stages: pd.DataFrame) -> Iterator[Section]:
    result = view.result
    best = [
        {
            "trial": entry["number"],
            "epochs": entry["epochs"],
            result.objective: entry["score"],
            "confirmed": entry.get("not_confirmed") or entry["confirmed"],
            **entry["params"],
        }
        for entry in result.top
    ]
    about = "Sorted by training length, then by score."
    yield Section("Best trials", about, pd.DataFrame(best))
    about = "Each stage trains longer than the previous one; the best trials continue."
    yield Section("Stages", about, stages, folded=True)
    told = texts(view.best_curves, result.objective, result.direction)
    if told:
        about = "The gain from more trials; expected_best.csv has the curves of the figure."
        yield Section("What tuning is worth, in words", about, lines_html(told), folded=True)
    yield Section("All trials", *_trials(view), folded=True)


def _trials(view: StudyView) -> tuple[str, pd.DataFrame]:
    """The trials, of many those that were trained longest and are best, and a sentence on it."""
    ranked = best_first(view.records, view.lengths[-1], view.result.directions)
    places = {record.number: place for place, record in enumerate(ranked)}
    order = sorted(
        view.records,
        key=lambda r: (places.get(r.number, len(places)), -len(r.scores), r.number),
    )
    table = trials_table(order[:MOST_TRIALS], view.arms)
    table["drawn_in_stage"] += 1  # as in all tables here
    params = {name for record in view.records for name in record.params}
    same = {n for n in params if len({str(r.params.get(n)) for r in view.records}) == 1}
    table = table.drop(
        columns=[name for name in table if name in same or table[name].eq("").all()]
    )
    shown = "" if len(order) == len(table) else f"The first {len(table)} of {len(order)}. "
    return f"{shown}Values that all of them share are left out; trials.csv has everything.", table


def _sound(view: StudyView) -> Iterator[Section]:
    result = view.result
    if result.outer is not None:
        about = (
            "The winner of the search on the rows outside each outer fold, tested on the rows of "
            "the fold; the gain is over the defaults. Everything else on this page refers to the "
            "search on all rows."
        )
        yield Section("Outer folds", about, outer_table(result))
        agreed = [{"parameter": a.parameter, "agreement": a.text} for a in result.outer.agreement]
        if agreed:
            about = "Agreement between the winners of the outer folds."
            yield Section("Agreement", about, pd.DataFrame(agreed))
    if view.incumbents:
        told = [one.text for one in view.incumbents]
        about = "Whether the gains of the search persisted in the confirmation."
        yield Section("Searched and confirmed", about, lines_html(told))
    if result.fidelity:
        about = (
            "Rank correlation of the trials' scores between consecutive stages; 1: the same order."
        )
        table = pd.DataFrame(result.fidelity).drop(columns="text")
        table["stage"] += 1  # as in all tables here
        table = table.rename(columns={"arm": "case"})
        if not result.arms:
            table = table.drop(columns="case", errors="ignore")
        yield Section("Do short trainings predict long ones?", about, table)


def _winner(view: StudyView) -> Iterator[Section]:
    yield from winner.importance_sections(view)
    yield from group_sections(view.folder)
    written = view.folder.files.artifact(Artifact.CONFUSION)
    if written.exists():
        confusion = pd.read_csv(written)
        about = "Rows are true classes; means over refits."
        yield Section("Confusion matrix on the test set", about, confusion)
    yield from card_sections(view.folder)


def _details(view: StudyView) -> Iterator[Section]:
    ranges = [row.as_dict() for row in view.ranges]
    if ranges:
        about = (
            "Which trials set which range. Fractions of the declared (log) range, or of "
            "probability: share is what remains, discarded and reopened are what the step removed "
            "and restored. Edges are declared ends at which the best trials lie."
        )
        switches = _switches(view)
        table = narrowing_table(_spelled(row, switches) for row in ranges)[SHOWN_RANGES]
        yield Section("Narrowed ranges", about, table, folded=True)
    about = (
        "What a paper should say about this study; hover over a number to see its source in the "
        f"records. As Markdown or LaTeX: python -m hpsearch methods {shlex.quote(view.run.name)}"
    )
    text: Any = Methods.of(view.run, view.result).html()
    yield Section("Methods", about, text, folded=True)


def _switches(view: StudyView) -> set[str]:
    """The searched booleans."""
    every = view.space.parameters
    choices = {p.key: view.choices(p.name) for p in every if p.entry is None}
    return {key for key, known in choices.items() if known and {*map(type, known)} == {bool}}


def _spelled(row: dict[str, Any], switches: set[str]) -> dict[str, Any]:
    """A line of the audit of narrowing with the booleans of a study file: true, not True."""
    where = {k: v.lower() if k in switches else v for k, v in row["where"].items()}
    texts = ("declared", "before", "now") if row["parameter"] in switches else ()
    spelled = {name: re.sub("True|False", lambda m: m[0].lower(), row[name]) for name in texts}
    return {**row, **spelled, "branch": branch_text(where)}
