"""The winner has one colour in all figures, in a comparison each case; nothing lies over it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.colors import to_hex

from hpsearch.records.result import ArmResult, FrontMember, Result
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports import arms
from hpsearch.reports.charts import WINNER, case_colors, color_of
from hpsearch.reports.study_charts.cases import cases
from hpsearch.reports.study_charts.course import curves
from hpsearch.reports.study_charts.front import pareto_front
from tests.harness.records import trial
from tests.harness.results import RESULT, SCORE

OURS = color_of(WINNER)


def result(*others: dict[str, Any]) -> Result:
    """Of three trainers, the first of which wins, at each of these other values."""
    found = [
        ArmResult({"trainer": name} | other, place, {}, SCORE, {"test_accuracy": SCORE}, "")
        for place, (name, other) in enumerate(
            (name, other) for other in others for name in ("sgd", "adam", "momentum")
        )
    ]
    return replace(RESULT, arms=found)


def runs(n_arms: int, n_epochs: int) -> list[TrialRecord]:
    found = []
    for number in range(n_arms):
        record = trial(number, {n_epochs: 0.5})
        epochs = list(range(1, n_epochs + 1))
        history = {"validation_accuracy": [0.5] * n_epochs}
        members = [replace(m, epochs=epochs, history=history) for m in record.members]
        found.append(replace(record, kind="confirmation", members=members))
    return found


def drawn(found: Result, records: list[TrialRecord], monkeypatch: pytest.MonkeyPatch) -> Any:
    figures: list[Any] = []
    monkeypatch.setattr(arms, "write_png", lambda path, figure: figures.append(figure))
    arms.draw_arms(Path("arms.png"), found, records)
    figures[0].canvas.draw()
    return figures[0]


def test_it_is_drawn_last_in_the_figure_of_the_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = drawn(result({"shots": 2}, {"shots": 5}), runs(6, 3), monkeypatch)
    scores, _others, curves, _ = figure.axes
    ours = color_of(0)  # of the first case
    lines = [line for line in curves.lines if line.get_color() == ours]
    assert len(lines) == 1
    assert all(lines[0].zorder > line.zorder for line in curves.lines if line is not lines[0])
    assert [b.lines[0].get_color() for b in scores.containers].count(ours) == 1
    assert scores.containers[-1].lines[0].get_color() == ours
    assert scores.containers[-1].lines[0].get_marker() == "*"
    drawn_colors = [b.lines[0].get_color() for axes in figure.axes[:2] for b in axes.containers]
    assert sorted(drawn_colors) == sorted(color_of(n) for n in range(6))


def test_the_legend_of_the_cases_lies_over_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = drawn(result({"shots": 2}, {"shots": 5}), runs(6, 3), monkeypatch)
    (legend,) = figure.legends
    top = max(axes.get_window_extent().y1 for axes in figure.axes)
    assert legend.get_window_extent().y0 >= top
    texts = [text.get_text() for text in legend.get_texts()]
    assert sorted(texts) == [
        *("adam, 2", "adam, 5", "momentum, 2", "momentum, 5", "sgd, 2, the winner", "sgd, 5")
    ]


def test_cases_of_a_single_epoch_have_no_empty_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(drawn(result({}), runs(3, 1), monkeypatch).axes) == 1
    figure = drawn(result({}), runs(3, 3), monkeypatch)
    assert len(figure.axes) == 2
    assert all(tick == int(tick) for tick in figure.axes[1].get_xticks())


def test_the_reports_figure_of_the_cases_has_their_colours_in_all_panels() -> None:
    chart = cases(SimpleNamespace(result=result({})))  # type: ignore[arg-type]
    assert chart is not None
    for panel in chart.panels:
        assert panel.lying == ["sgd", "adam", "momentum"]
        assert [series.color for series in panel.series] == [0, 1, 2]
        assert [series.heavy for series in panel.series] == [True, False, False]


def test_many_cases_share_the_colours_of_their_first_value() -> None:
    cases_of = [{"trainer": name, "shots": n} for name in ("sgd", "adam") for n in range(5)]
    assert case_colors(cases_of) == [0] * 5 + [1] * 5
    assert case_colors(cases_of[:WINNER]) == [*range(WINNER)]


def test_on_a_front_it_is_drawn_last() -> None:
    members = [FrontMember(n, {"loss": SCORE, "seconds": SCORE}, {}, {}) for n in range(3)]
    objectives = {"loss": "minimize", "seconds": "minimize"}
    view: Any = SimpleNamespace(
        result=replace(result({}), front=members, objectives=objectives), lengths=[1], records=[]
    )
    chart = pareto_front(view)
    assert chart is not None
    assert "after 1 epoch," in chart.what
    last = chart.panels[0].series[-1]
    assert (last.name, last.color, last.heavy) == ("trial 0, the winner", WINNER, True)
    assert to_hex(color_of(last.color)) == OURS


def test_learning_curves_of_a_comparison_are_those_of_the_cases() -> None:
    """The mean over the repeats of each case's winner in its colour, all others grey."""
    compared = result({})
    again = [record for record in runs(3, 3) for _ in range(2)]
    trials = [replace(record, kind="trial") for record in runs(4, 3)]
    view: Any = SimpleNamespace(
        result=replace(compared, top=[{"number": number} for number in range(4)]),
        by_number={record.number: record for record in trials},
        folder=SimpleNamespace(read_all=lambda kind: again),
    )
    chart = curves(view)
    assert chart is not None
    lines = [s for s in chart.panels[0].series if s.kind == "line"]
    assert [(s.name, s.color) for s in lines] == [
        ("other best trials", None),
        ("trainer=sgd", 0),
        ("trainer=adam", 1),
        ("trainer=momentum", 2),
    ]
    ribbons = [s.color for s in chart.panels[0].series if s.kind == "ribbon"]
    assert ribbons == [0, 1, 2]
