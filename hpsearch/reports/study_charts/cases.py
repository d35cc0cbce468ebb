"""Figure of a comparison: what each case's winner scores, with its interval."""

from __future__ import annotations

from hpsearch.records.estimate import Estimate
from hpsearch.reports.charts import Chart, Panel, Series
from hpsearch.reports.study_view import StudyView


def cases(view: StudyView) -> Chart | None:
    """The objective of each case as confirmed, and on the test set."""
    result = view.result
    panels = []
    for label, color, found in (
        (result.objective, 0, [(arm, arm.validation) for arm in result.arms]),
        (result.test_name, 1, [(arm, arm.test.get(result.test_name)) for arm in result.arms]),
    ):
        known = [(arm, estimate) for arm, estimate in found if estimate is not None]
        if not known:
            continue
        names = [", ".join(map(str, arm.values.values())) for arm, _ in known]
        ends = [_ends(estimate) for _, estimate in known]
        series = Series(
            "",
            names,
            [estimate.mean for _, estimate in known],
            "intervals",
            low=[low for low, _ in ends],
            top=[high for _, high in ends],
            color=color,
        )
        panels.append(Panel([series], ", ".join(result.arms[0].values), label))
    if not panels:
        return None
    return Chart(
        "cases",
        "Cases",
        "Each by its own winner: means when confirmed and, where there is a test set, of the "
        "refits, with their 95 % intervals.",
        panels,
    )


def _ends(estimate: Estimate) -> tuple[float, float]:
    if estimate.low is None or estimate.high is None:
        return estimate.mean, estimate.mean
    return estimate.low, estimate.high
