"""The way from the defaults to the winner, where `explain` was asked for it."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from hpsearch.records.layout import Artifact
from hpsearch.reports.charts import Chart, Panel, Series
from hpsearch.reports.sections import Section
from hpsearch.reports.study_view import StudyView
from hpsearch.study.confirmation.ablation import Step, as_rows

ABOUT = (
    "The parameters take the winner's values one after the other, in the order of the gains that "
    "a model of the trials predicts; each configuration was run on the splits and seeds of the "
    "confirmation."
)


def ablation_sections(view: StudyView) -> Iterator[Section]:
    """The table of the steps."""
    if steps := _steps(view):
        yield Section("From the defaults to the winner", ABOUT, pd.DataFrame(as_rows(steps)))


def ablation(view: StudyView) -> Chart | None:
    """What each step gains, with its interval."""
    known = [(step, step.gain) for step in _steps(view) if step.gain is not None]
    if not known:
        return None
    names = [f"{n}. {', '.join(step.changed)}" for n, (step, _) in enumerate(known, start=1)]
    gains = [gain for _, gain in known]
    means = [gain.mean for gain in gains]
    series = Series(
        "",
        names,
        means,
        kind="intervals",
        low=[mean if g.low is None else g.low for g, mean in zip(gains, means, strict=True)],
        top=[mean if g.high is None else g.high for g, mean in zip(gains, means, strict=True)],
        notes=[step.verdict for step, _ in known],
    )
    label = f"gain in {view.result.objective}"
    panel = Panel([series], "", label)
    title = "From the defaults to the winner"
    return Chart("ablation", title, f"{ABOUT} Gains with their 95 % intervals.", [panel])


def _steps(view: StudyView) -> list[Step]:
    said = view.folder.read_json(view.folder.files.artifact(Artifact.ABLATION_JSON)) or []
    return [Step.from_dict(one) for one in said]
