"""Studies of a single epoch: their figures are not empty, and no text says "1 epochs"."""

from __future__ import annotations

import re
from pathlib import Path

from hpsearch.records.layout import Home
from hpsearch.reports.chapters import made_charts
from hpsearch.reports.methods.methods import Methods
from hpsearch.reports.study_charts.overview import overview
from hpsearch.reports.study_report import write_report
from hpsearch.reports.study_view import StudyView
from hpsearch.study.recorded import find_run
from tests.harness.study import run

ONE = """
name = "one"
objective = { metric = "validation_accuracy" }
sampler = { name = "random" }
data = { name = "digits", shots = 4 }
network = { name = "two-layer", hidden = 8 }
confirmation = { top = 1, seeds = 2, test_seeds = 1 }
stages = [{ trials = 4, epochs = 1 }]
[space]
trainer = "sgd"
learning_rate = { low = 0.001, high = 0.1, log = true }
"""
WRONG = re.compile(
    r"\b1 (epochs|trials|refits|fresh splits|seeds|configurations|stages|parameters|rows)\b"
)


def test_figures_have_marks_and_texts_count_in_the_singular(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text(ONE)
    result = run(path, home)
    folder = find_run(Home(home), "one").folder
    view = StudyView.of(folder, result)
    panels = overview(view).panels
    assert [panel.title for panel in panels] == ["Optimization history"]
    assert panels[0].whole_x
    assert "learning_curves" not in [c.name for made in made_charts(view).values() for c in made]
    page = write_report(folder, result, light=True).read_text()
    shown = re.sub(r"<script.*?</script>|<[^>]+>", "", page, flags=re.DOTALL)
    for text in (shown, Methods.of(view.run, result).text(), str(result.validation)):
        assert not WRONG.search(text)
    assert "1 epoch" in shown
