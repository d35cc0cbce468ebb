"""Charts as they are drawn into files: whole numbers, nothing cut, nothing hidden by a legend."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from matplotlib.transforms import Bbox

from hpsearch.reports.charts import Axis, Chart, Panel, Series
from hpsearch.reports.page.plotly import to_plotly
from hpsearch.reports.png_charts import HEADING, _drawn

FEW = [0.0, 1.0, 2.0, 3.0]
CHOICES = ["sklearn.ensemble.HistGradientBoosting", "alternating-gradient", "sgd"]


def drawn(chart: Chart) -> Any:
    figure = _drawn(chart, heading=HEADING)
    figure.canvas.draw()
    return figure


def numbers_beside(whole: bool) -> tuple[list[float], list[float]]:
    panel = Panel([Series("", FEW, FEW)], "trial", "worker", whole_x=whole, whole_y=whole)
    (axes,) = drawn(Chart("few", "Few", "", [panel])).axes
    return [*axes.get_xticks()], [*axes.get_yticks()]


def test_trials_and_epochs_are_whole_numbers() -> None:
    assert all(tick == int(tick) for ticks in numbers_beside(True) for tick in ticks)
    assert any(tick != int(tick) for ticks in numbers_beside(False) for tick in ticks)


def test_a_single_worker_is_one() -> None:
    spans = Series("trials", [0.0, 2.0], [1.0, 1.0], "spans", top=[1.0, 3.0])
    panel = Panel([spans], "seconds", "worker process", whole_y=True)
    (axes,) = drawn(Chart("timeline", "", "", [panel])).axes
    low, high = axes.get_ylim()
    assert [tick for tick in axes.get_yticks() if low <= tick <= high] == [1.0]


@pytest.mark.parametrize("most", [3.0, 300.0])
def test_so_they_are_where_a_script_draws_them(most: float) -> None:
    panel = Panel([Series("", [0.0, most], [0.5, 0.7])], "trial", "score", whole_x=True)
    layout = to_plotly(Chart("few", "", "", [panel]))["layout"]
    assert layout["xaxis"].get("dtick") == (1 if most < 10 else None)
    assert "dtick" not in layout["yaxis"]


def test_a_choice_that_looks_like_a_number_is_none() -> None:
    points = Series("", ["0.5, 1, 2", "1, 2"], [0.1, 0.2])
    layout = to_plotly(Chart("slices", "", "", [Panel([points], "rates", "score")]))["layout"]
    assert layout["xaxis"]["type"] == "category"


@pytest.mark.parametrize("title", ["", "after 2 epochs"])
def test_a_legend_lies_over_no_mark(title: str) -> None:
    up = Series("confirmed", FEW, FEW, low=[-9.0] * 4, top=[9.0] * 4)
    others = [Series(f"a rather long name {n}", FEW, FEW, "line", color=n) for n in range(4)]
    panels = [Panel([up, *others], "minutes", "score", title), Panel([up], "minutes", "", title)]
    figure = drawn(Chart("marks", "Marks", "", panels))
    legend = figure.axes[0].get_legend().get_window_extent()
    assert legend.y0 >= figure.axes[0].get_window_extent().y1
    assert legend.y1 <= figure.bbox.y1 - HEADING * figure.dpi + 2
    if title:
        assert not Bbox.intersection(legend, figure.axes[0].title.get_window_extent())
    assert figure.axes[1].get_legend() is None  # it is said once


def test_a_panel_names_what_no_other_has_named() -> None:
    panels = [Panel([Series(name, FEW, FEW)], "x", "y") for name in ("trials", "best", "best")]
    legends = [axes.get_legend() for axes in drawn(Chart("three", "", "", panels)).axes]
    texts = [[t.get_text() for t in one.get_texts()] if one else [] for one in legends]
    assert texts == [["trials"], ["best"], []]


@pytest.mark.parametrize("n", [2, 6, 16])
def test_names_and_labels_of_parallel_coordinates_are_not_cut(n: int) -> None:
    name = "sklearn__max_leaf_nodes"
    axes = [Axis(f"{name}_{k}", [0.0, 1.0, 2.0], [0.0, 1.0, 2.0], CHOICES) for k in range(n)]
    figure = drawn(Chart("lines", "Lines", "", axes=[*axes, Axis("validation_accuracy", FEW[:3])]))
    (axes_drawn,) = figure.axes
    names = [label.get_window_extent() for label in axes_drawn.get_xticklabels()]
    labels = [text.get_window_extent() for text in axes_drawn.texts]
    for box in (*names, *labels):
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y0 >= 0
    if n < 16:  # there they lean
        assert not any(one.x1 > other.x0 for one, other in pairwise(names))


def test_labels_of_choices_have_room_left_of_their_axes_in_a_browser() -> None:
    axes = [Axis("trainer", [0.0, 1.0, 2.0], [0.0, 1.0, 2.0], CHOICES), Axis("score", FEW[:3])]
    figure = to_plotly(Chart("lines", "", "", axes=axes))
    assert figure["layout"]["margin"]["l"] > 6 * len(CHOICES[0])
    assert figure["least"] > figure["layout"]["margin"]["l"] + 100
