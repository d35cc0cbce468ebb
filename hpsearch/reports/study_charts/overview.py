"""The picture of a study in MLflow: all trials and the learning curves of the best."""

from __future__ import annotations

from dataclasses import replace

from hpsearch.reports.charts import Chart
from hpsearch.reports.study_charts.course import curves
from hpsearch.reports.study_charts.search import history
from hpsearch.reports.study_view import StudyView


def overview(view: StudyView) -> Chart:
    """The report's figures of the search beside each other; trials alone after a single epoch."""
    charts = [chart for chart in (history(view), curves(view)) if chart is not None]
    panels = [replace(panel, title=c.title) for c in charts for panel in c.panels]
    return Chart("search", f"Search of {view.run.name}", "", panels)
