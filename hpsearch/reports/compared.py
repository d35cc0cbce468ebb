"""The page of several studies side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from hpsearch.analysis.compared_studies import ComparedStudies, ComparedStudy, outer_score
from hpsearch.analysis.costs import duration
from hpsearch.records.estimate import Estimate
from hpsearch.records.outcome import Outcome
from hpsearch.reports.charts import WINNER, Chart
from hpsearch.reports.page.document import page_of, table_of
from hpsearch.reports.png_charts import svg_of
from hpsearch.reports.sections import Chapter, Section, lines_html
from hpsearch.reports.study_charts.cases import interval_panel
from hpsearch.value_texts import value_text

NONE = "–"  # in a table: the study has none


def compared_page(found: ComparedStudies) -> str:
    """The whole page; nothing in it is fetched from anywhere."""
    charts = [chart for chart in (_scores(found),) if chart is not None]
    head = {
        "sentence": sentence(found),
        "warnings": list(warnings(found)),
        "studies": table_of(studies_table(found)),
    }
    title = ", ".join(study.name for study in found.studies)
    drawn = {chart.name: svg_of(chart) for chart in charts}
    chapters = list(_chapters(found, charts))
    return page_of("compared.html", title, chapters, drawn, head, light=True)


def sentence(found: ComparedStudies) -> str:
    """Which study leads, or why nobody can say."""
    if found.obstacle:
        return found.obstacle
    first = found.studies[0]
    unmet = [study.result is not None and bool(study.result.unmet) for study in found.studies]
    of_those = " among those whose winners satisfy their constraints" if any(unmet) else ""
    of_those = ", and no winner satisfies its constraints" if all(unmet) else of_those
    best = f"{first.name} has the best confirmed {first.file.objective.name}, {first.validation}"
    return f"{best}{of_those}."


def warnings(found: ComparedStudies) -> Iterator[str]:
    """What must be known before the numbers are used."""
    if found.doubt:
        yield found.doubt
    for study in found.studies:
        if reason := study.file.optimistic():
            yield f"{study.name} is optimistic: {reason}"
        if study.result is not None and study.result.unmet:
            yield f"The winner of {study.name} violates {'; '.join(study.result.unmet)}"
    if len(found.leads) > 1:
        yield (
            f"Each of the {len(found.leads)} intervals holds by itself: the best of "
            f"{len(found.studies)} studies is partly best by luck"
        )


def studies_table(found: ComparedStudies) -> pd.DataFrame:
    """A row a study: its winner and what it scores."""
    rows = []
    metric, test = score_names(found)
    for study in found.studies:
        result, outer = study.result, outer_score(study)
        row: dict[str, Any] = {
            "study": study.name,
            "trial": NONE if result is None else str(result.best_number),
            metric: score_text(study),
            test: _said(study.test),
        }
        if any(outer_score(one) is not None for one in found.studies):
            row["outer folds"] = _said(outer)
        rows.append(row)
    return pd.DataFrame(rows)


def score_names(found: ComparedStudies) -> tuple[str, str]:
    """What the columns of validation and test scores are called."""
    names = {study.file.objective.name for study in found.studies}
    tests = {study.result.test_name for study in found.studies if study.result is not None}
    name = names.pop() if len(names) == 1 else "own objective"
    test = tests.pop() if len(tests) == 1 else "on its test set"
    return name, "on its test set" if test == name else test  # a metric may be called alike


def score_text(study: ComparedStudy) -> str:
    """The winner's confirmed score; of an unfinished study the best of its search so far."""
    if study.validation is not None:
        return _said(study.validation)
    return NONE if study.searched is None else f"{study.searched:.4f} in the search"


def _said(estimate: Estimate | None) -> str:
    if estimate is None:
        return NONE
    if estimate.low is None or estimate.high is None or estimate.is_constant:
        return f"{estimate.mean:.4f}"
    return f"{estimate.mean:.4f} ({estimate.low:.4f} … {estimate.high:.4f})"


def costs_table(found: ComparedStudies) -> pd.DataFrame:
    """A row a study: trials by outcome, trainings, epochs, time, tested configurations."""
    outcomes = [one for one in Outcome if any(one in s.counts for s in found.studies)]
    rows, all_over = [], all(study.result is not None for study in found.studies)
    for study in found.studies:
        cost, row = study.cost, dict[str, Any](study=study.name)
        row |= {} if all_over else {"state": study.state}
        row |= {str(one): study.counts.get(one, 0) for one in outcomes}
        row |= {"trainings": cost.trainings, "epochs": cost.epochs}
        wall = NONE if cost.wall_seconds is None else duration(cost.wall_seconds)
        row |= {"CPU time": duration(cost.cpu_seconds), "wall time": wall}
        rows.append(row | {"test uses": NONE if study.result is None else study.result.test_uses})
    return pd.DataFrame(rows)


def winners_table(found: ComparedStudies) -> pd.DataFrame:
    """A row a searched hyperparameter, a column a study: the winners' values."""
    known = {s.name: s.result.searched for s in found.studies if s.result is not None}
    names = dict.fromkeys(name for params in known.values() for name in params)
    rows = [
        {"hyperparameter": name}
        | {
            study: _value(params[name]) if name in params else NONE
            for study, params in known.items()
        }
        for name in names
    ]
    return pd.DataFrame(rows)


def _value(value: object) -> str:
    return value_text(value, ".6g")


def keys_table(found: ComparedStudies) -> pd.DataFrame:
    """A row a key of the study files that differs, a column a study."""
    names = [study.name for study in found.studies]
    rows = [
        {"key": one.key} | dict(zip(names, (v or NONE for v in one.values), strict=True))
        for one in found.keys
    ]
    return pd.DataFrame(rows, columns=["key", *names])


def _chapters(found: ComparedStudies, charts: list[Chart]) -> Iterator[Chapter]:
    better = [Section(chart.title, chart.what, chart) for chart in charts]
    if found.leads:
        first = found.studies[0]
        for heading, leads in (
            (f"{first.name} in validation", found.leads),
            (f"{first.name} on the test set", found.test_leads),
        ):
            if leads:
                what = (
                    "Means with 95 % intervals, positive if it is better. Paired: repeat by "
                    "repeat on the same splits and seeds, or refit by refit on the same test rows."
                )
                lines = lines_html([f"{one.metric}: {first.name} {one.text}" for one in leads])
                better.append(Section(heading, what, lines))
    if not winners_table(found).empty:
        what = "The searched hyperparameters of each winner."
        better.append(Section("Winners", what, winners_table(found)))
    yield Chapter("Which one is better?", better)
    what = (
        "The total cost of each run: search, confirmation, refits. A training is one fold and one "
        "seed of a configuration. Wall-clock time counts only while something trains. Test uses "
        "are the configurations that were scored on the test set."
    )
    yield Chapter("What did they cost?", [Section("Trials and cost", what, costs_table(found))])
    what = "Keys of the study files with their values, including defaults; – if a file has none."
    table: Any = keys_table(found) if found.keys else "<p>Nothing that affects a search.</p>"
    yield Chapter("What differs between them?", [Section("Study files", what, table)])


def _scores(found: ComparedStudies) -> Chart | None:
    """What the winners score, where it can be compared."""
    if found.obstacle:
        return None
    names = [study.name for study in found.studies]
    metric, test = score_names(found)
    colors = [place % WINNER for place in range(len(names))]
    panels = [
        interval_panel(names, estimates, "study", label, colors)
        for estimates, label in (
            ([study.validation for study in found.studies], metric),
            ([study.test for study in found.studies], test),
        )
    ]
    return Chart(
        "compared",
        "Scores",
        "The winner of each study: confirmed means and, if there is a test set, means of the "
        "refits, with their 95 % intervals. Studies are ranked by the confirmed means.",
        [panel for panel in panels if panel is not None],
    )
